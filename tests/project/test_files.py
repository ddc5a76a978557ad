"""One at a time: what happens when two processes want the same file."""

import subprocess
import sys
import textwrap
import threading

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.errors import message_for
from minigpt_challenge.coach.course.verdict import Check, Report, Verdict
from minigpt_challenge.coach.records import help_used, history, ladder, progress
from minigpt_challenge.files import LockHeld, locked

HOLD = textwrap.dedent("""
    import sys
    from pathlib import Path
    from minigpt_challenge.files import locked
    with locked(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
""")


@pytest.fixture
def holder(tmp_path):
    """Another process, which holds the lock of `guarded`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "guarded")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_who_holds_the_lock_is_said_and_what_to_do(tmp_path, holder):
    with pytest.raises(LockHeld) as caught, locked(tmp_path / "guarded", timeout=0):
        pass
    message = message_for(caught.value)
    assert message.startswith(f"Process {holder.pid} is writing {tmp_path / 'guarded'}")
    assert message.endswith("Try again when it is done.")


def test_a_holder_that_is_killed_holds_nothing(tmp_path, holder):
    holder.kill()
    holder.wait()
    with locked(tmp_path / "guarded", timeout=0):
        pass


def test_a_holder_that_ends_is_waited_for(tmp_path, holder):
    holder.stdin.close()
    with locked(tmp_path / "guarded"):
        pass


def test_a_drive_that_knows_no_locks_does_not_hinder(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with locked(tmp_path / "guarded", timeout=0):
        pass


def passed(task):
    return Report(task, 1.0, (Check("one", Verdict.PASSED),))


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
def test_of_two_that_note_at_once_both_are_noted(tmp_path, monkeypatch, module, file, note):
    """The second comes when the first has read the records and has not written them."""
    path = tmp_path / "records.json"
    monkeypatch.setattr(module, file, path)
    real_write, threads = module.write_text, []

    def second_comes_now(*arguments):
        if not threads:
            threads.append(threading.Thread(target=note, args=(TASKS[1],)))
            threads[0].start()
            threads[0].join(0.2)
        real_write(*arguments)

    monkeypatch.setattr(module, "write_text", second_comes_now)
    note(TASKS[0])
    threads[0].join()
    names = [TASKS[0].stem, TASKS[1].stem]
    if module is ladder:
        names = [ladder.PLACES[1].name, ladder.PLACES[2].name]
    assert all(name in path.read_text() for name in names)


def test_of_two_that_overwrite_at_once_no_text_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "HISTORY_FOLDER", tmp_path / "history")
    path = tmp_path / "task.py"
    path.write_text("zero")
    real_keep, threads = history.keep, []

    def second_comes_now(*arguments):
        kept = real_keep(*arguments)
        if not threads:
            threads.append(threading.Thread(target=history.overwrite, args=(path, "two")))
            threads[0].start()
            threads[0].join(0.2)
        return kept

    monkeypatch.setattr(history, "keep", second_comes_now)
    history.overwrite(path, "one")
    threads[0].join()
    texts = [version.text() for version in history.versions(path)]
    assert sorted([*texts, path.read_text()]) == ["one", "two", "zero"]
