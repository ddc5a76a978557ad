"""The JSON files of progress, help and the ladder: updated under a lock, repaired if damaged."""

import threading

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Check, Report, Verdict
from minigpt_challenge.coach.records import help_used, json_store, ladder, progress
from minigpt_challenge.files import IN_USE, LockHeld, locked

TASK = TASKS[0]


def passed(task):
    return Report(task, 1.0, (Check("one", Verdict.PASSED),))


@pytest.mark.parametrize("damage", [None, "", "{", "1", "[1, 2]", b"\xff"])
def test_a_missing_or_damaged_file_is_read_as_empty_and_repaired(tmp_path, damage):
    file = tmp_path / "folder" / "records.json"
    if damage is not None:
        file.parent.mkdir()
        file.write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    assert json_store.read(file, dict) == {}
    json_store.update(file, dict, lambda records: records | {"a": 1})
    assert file.read_text() == '{\n  "a": 1\n}\n'
    assert json_store.read(file, dict) == {"a": 1} and json_store.read(file, list) == []


@pytest.mark.parametrize(
    ("module", "file", "note"),
    [
        (progress, "PROGRESS_FILE", lambda task: progress.remember(task, passed(task))),
        (help_used, "HELP_FILE", lambda task: help_used.note_hint(task, "a hint")),
        (
            ladder,
            "LADDER_FILE",
            lambda task: ladder.remember(ladder.Rung(ladder.PLACES[task.number].name, 1.0, "")),
        ),
    ],
    ids=["progress", "help", "ladder"],
)
def test_concurrent_updates_lose_no_record(tmp_path, monkeypatch, module, file, note):
    """The second update starts when the first has read the records and not yet written them."""
    path = tmp_path / "records.json"
    monkeypatch.setattr(module, file, path)
    real_write, threads = json_store.write_text, []

    def start_second_and_write(*arguments):
        if not threads:
            threads.append(threading.Thread(target=note, args=(TASKS[1],)))
            threads[0].start()
            threads[0].join(0.2)
        real_write(*arguments)

    monkeypatch.setattr(json_store, "write_text", start_second_and_write)
    note(TASKS[0])
    threads[0].join()
    names = [TASKS[0].stem, TASKS[1].stem]
    if module is ladder:
        names = [ladder.PLACES[1].name, ladder.PLACES[2].name]
    assert all(name in path.read_text() for name in names)


@pytest.fixture(params=["lock held", "not writable"])
def cannot_write(request, tmp_path, monkeypatch):
    """The message of the error that every update raises."""
    file = tmp_path / "folder" / "records.json"
    monkeypatch.setattr(progress, "PROGRESS_FILE", file)
    monkeypatch.setattr(help_used, "HELP_FILE", file)
    if request.param == "not writable":
        file.parent.write_text("a file where the folder should be")
        yield "exists"
        return
    monkeypatch.setattr(json_store, "locked", lambda guarded: locked(guarded, IN_USE, timeout=0))
    with locked(file):
        with pytest.raises(LockHeld):
            json_store.update(file, dict, dict)
        yield "has not finished"


def test_a_verdict_that_cannot_be_saved_is_reported(cannot_write):
    message = progress.try_to_remember(TASK, passed(TASK))
    assert message.startswith("The verdict could not be saved. ") and cannot_write in message


def test_help_is_given_even_if_it_cannot_be_recorded(cannot_write):
    help_used.note_hint(TASK, "a hint")
    assert help_used.titles_of_hints(TASK) == []


def test_a_damaged_rung_does_not_remove_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(ladder, "LADDER_FILE", tmp_path / "ladder.json")
    rung = ladder.Rung("bigram", 2.5, "a sample")
    ladder.LADDER_FILE.write_text('[1, {"name": "bigram", "loss": 2.5, "sample": "a sample"}]')
    assert ladder.rungs() == (ladder.UNIFORM, rung)
