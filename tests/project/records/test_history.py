"""No line is ever lost: files are written whole, and what they held is kept."""

import os
import stat
import tempfile

import pytest

from minigpt_challenge import files
from minigpt_challenge.coach.course.errors import message_for
from minigpt_challenge.coach.records import history


@pytest.fixture(autouse=True)
def history_folder(tmp_path, monkeypatch):
    folder = tmp_path / "history"
    monkeypatch.setattr(history, "HISTORY_FOLDER", folder)
    return folder


def test_what_is_overwritten_is_kept_with_all_its_versions(tmp_path, history_folder):
    path = tmp_path / "task.py"
    assert history.overwrite(path, "one") is None
    kept = [history.overwrite(path, text) for text in ("two", "three")]
    assert path.read_text() == "three"
    assert [version.read_text() for version in kept] == ["one", "two"]
    assert sorted(history_folder.rglob("*.py")) == kept


def test_the_same_text_again_keeps_nothing(tmp_path, history_folder):
    path = tmp_path / "task.py"
    history.overwrite(path, "one")
    assert history.overwrite(path, "one") is None
    assert not history_folder.exists()


def test_what_cannot_be_kept_is_not_overwritten(tmp_path, history_folder):
    path = tmp_path / "task.py"
    path.write_text("work")
    history_folder.write_text("a file where the folder should be")
    with pytest.raises(OSError):
        history.overwrite(path, "new")
    assert path.read_text() == "work"


def test_a_failed_write_leaves_the_old_text_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "task.py"
    path.write_text("work")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_text(path, "new")
    assert path.read_text() == "work"
    assert os.listdir(tmp_path) == ["task.py"]


def test_a_file_keeps_its_permissions_and_a_new_one_gets_the_usual(tmp_path):
    old, new = tmp_path / "old.py", tmp_path / "deep" / "new.py"
    old.write_text("x")
    old.chmod(0o640)
    usual = tmp_path / "usual.py"
    usual.touch()
    for path in (old, new):
        files.write_text(path, "y")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert new.stat().st_mode == usual.stat().st_mode


def test_an_interruption_just_after_the_writing_stays_an_interruption(tmp_path, monkeypatch):
    real_replace = os.replace

    def interrupted(*arguments):
        real_replace(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    path = tmp_path / "task.py"
    with pytest.raises(KeyboardInterrupt):
        files.write_text(path, "whole")
    assert path.read_text() == "whole"


def test_what_a_killed_writer_left_is_removed_and_what_is_being_written_is_not(tmp_path):
    abandoned, written_now = (tmp_path / f".unfinished.task.py.{name}" for name in ("old", "new"))
    for path in (abandoned, written_now):
        path.write_text("half a te")
    os.utime(abandoned, (0, 0))
    files.write_text(tmp_path / "another.py", "whole")
    assert sorted(os.listdir(tmp_path)) == [written_now.name, "another.py"]


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        (28, "Free some space there"),
        (30, "Make it writable"),
        (13, "Make it writable"),
        (5, "exist"),
    ],
)
def test_a_failed_write_names_the_file_and_a_way_out(tmp_path, monkeypatch, code, way_out):
    def failing(*_, **__):
        raise OSError(code, "Whatever the system says", "/a/temporary/name")

    monkeypatch.setattr(tempfile, "mkstemp", failing)
    with pytest.raises(OSError) as caught:
        files.write_text(tmp_path / "task.py", "new")
    message = message_for(caught.value)
    assert message.startswith(f"Whatever the system says ({tmp_path / 'task.py'}). ")
    assert way_out in message
