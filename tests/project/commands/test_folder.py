"""`minigpt init` writes a challenge folder; `minigpt update` touches no line of the learner's."""

import pytest

from minigpt_challenge.coach.commands import folder as challenge_folder
from minigpt_challenge.coach.commands.folder import init, update
from minigpt_challenge.coach.course.challenge_files import Release
from minigpt_challenge.coach.records import given_hashes
from minigpt_challenge.errors import UserError

STUB, SUITE, LESSON = "tasks/stub.py", "tests/suite.py", "notebooks/lesson.ipynb"
OLD = Release("0.9.0", {STUB: b"stub", SUITE: b"suite", LESSON: b"lesson"})
NEW = Release("0.10.0", {STUB: b"new stub", LESSON: b"new lesson", "more/page.md": b"page"})


@pytest.fixture
def folder(tmp_path):
    """A challenge folder of the old version."""
    init(tmp_path / "gpt", OLD)
    return tmp_path / "gpt"


def files(folder):
    """All files but the record and its lock, with their content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != ".minigpt"
    }


def test_a_new_folder_holds_the_release(folder):
    assert files(folder) == OLD.files


def test_a_folder_that_is_not_empty_is_refused_and_stays(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a", "b", "c", "sub/d", STUB.rpartition("/")[2]):
        (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match=r"is not empty: it holds a, b, c, …\."):
        init(tmp_path, OLD)
    assert len(files(tmp_path)) == 5


def test_a_folder_with_a_file_of_another_text_is_refused(folder):
    (folder / STUB).write_text("work")
    with pytest.raises(UserError, match="already. Run `minigpt update` in it"):
        init(folder, OLD)
    assert (folder / STUB).read_text() == "work"


def test_an_init_that_was_cut_off_is_completed_by_the_next(tmp_path, monkeypatch):
    cut_off_after(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        init(tmp_path, OLD)
    assert len(files(tmp_path)) == 2
    monkeypatch.undo()
    init(tmp_path, OLD)
    assert files(tmp_path) == OLD.files


def test_what_is_as_given_becomes_that_of_the_new_version(folder):
    changes = update(folder, NEW)
    assert files(folder) == NEW.files
    assert changes.written == ["more/page.md", LESSON, STUB] and changes.removed == [SUITE]
    assert (str(changes.previous), str(changes.version)) == ("0.9.0", "0.10.0")
    assert not update(folder, NEW)


def test_what_the_learner_has_changed_stays_and_its_new_text_is_put_aside(folder):
    for name in (STUB, SUITE):
        (folder / name).write_bytes(b"mine")
    changes = update(folder, NEW)
    assert changes.kept == [STUB] and changes.removed == []
    others = {LESSON: b"new lesson", "more/page.md": b"page"}
    mine = {STUB: b"mine", SUITE: b"mine"}
    assert files(folder) == mine | others | {f"update_0.10.0/{STUB}": b"new stub"}
    assert not update(folder, NEW)  # it is said once


def test_what_only_the_learner_has_changed_is_not_mentioned(folder):
    (folder / STUB).write_bytes(b"mine")
    assert not update(folder, Release("0.10.0", OLD.files))
    assert files(folder) == OLD.files | {STUB: b"mine"}


def test_files_of_the_learner_s_own_stay(folder):
    (folder / "my_gpt").mkdir()
    (folder / "my_gpt" / "weights").write_bytes(b"weights")
    (folder / "more").mkdir()
    (folder / "more" / "page.md").write_bytes(b"mine")
    changes = update(folder, NEW)
    assert changes.kept == ["more/page.md"]
    after = files(folder)
    assert (after["my_gpt/weights"], after["more/page.md"]) == (b"weights", b"mine")


def test_a_file_that_is_missing_comes_back(folder):
    (folder / SUITE).unlink()
    assert update(folder, OLD).written == [SUITE]
    assert files(folder) == OLD.files


def test_a_text_of_an_earlier_version_counts_as_given(folder):
    (folder / STUB).write_bytes(b"mine")
    update(folder, NEW)
    (folder / STUB).write_bytes(b"new stub")  # as `minigpt reset` does
    newest = Release("0.11.0", {STUB: b"newest stub"})
    assert update(folder, newest).written == [STUB]
    (folder / STUB).write_bytes(b"stub")  # as `minigpt history --restore` does
    assert update(folder, newest).written == [STUB]


@pytest.mark.parametrize("number", range(3))
def test_an_update_that_was_cut_off_is_completed_by_the_next(folder, monkeypatch, number):
    (folder / SUITE).write_bytes(b"mine")
    cut_off_after(number, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        update(folder, NEW)
    monkeypatch.undo()
    newest = Release("0.11.0", {name: b"newest" for name in NEW.files})
    assert update(folder, newest).kept == []
    assert files(folder) == newest.files | {SUITE: b"mine"}


def test_an_older_version_is_refused(folder):
    update(folder, NEW)
    with pytest.raises(UserError, match=r"0\.10\.0, newer than this `minigpt`, which is 0\.9\.0"):
        update(folder, OLD)
    assert files(folder) == NEW.files


@pytest.mark.parametrize(
    "record", ["", "[]", "{}", '{"version": "x", "files": {}}', '{"files": 1}']
)
def test_without_a_readable_record_nothing_is_changed(folder, record):
    (folder / given_hashes.FILE).write_text(record)
    with pytest.raises(UserError, match="is damaged"):
        update(folder, NEW)
    assert files(folder) == OLD.files


def cut_off_after(number, monkeypatch):
    """Interrupt the writing of files after so many."""
    write, names = challenge_folder.write_bytes, []

    def write_or_stop(path, data):
        if len(names) == number:
            raise KeyboardInterrupt
        names.append(path)
        write(path, data)

    monkeypatch.setattr(challenge_folder, "write_bytes", write_or_stop)
