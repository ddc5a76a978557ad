"""Atomic writes, locks between processes, and timestamps."""

import os
import stat
import subprocess
import sys
import tempfile
import textwrap
from datetime import datetime

import pytest

from minigpt_challenge import files
from minigpt_challenge.coach.course.errors import message_for
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
    """Another process that holds the lock of `guarded`."""
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


def test_the_error_names_the_holder_of_the_lock_and_what_to_do(tmp_path, holder):
    with pytest.raises(LockHeld) as caught, locked(tmp_path / "guarded", timeout=0):
        pass
    message = message_for(caught.value)
    assert message.startswith(f"Process {holder.pid} is writing {tmp_path / 'guarded'}")
    assert message.endswith("Try again when it is done.")


def test_a_killed_process_releases_its_lock(tmp_path, holder):
    holder.kill()
    holder.wait()
    with locked(tmp_path / "guarded", timeout=0):
        pass


def test_the_lock_is_acquired_once_its_holder_ends(tmp_path, holder):
    holder.stdin.close()
    with locked(tmp_path / "guarded"):
        pass


def test_a_drive_without_locks_is_no_error(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with locked(tmp_path / "guarded", timeout=0):
        pass


def test_a_failed_write_leaves_the_old_text_and_no_temporary_file(tmp_path, monkeypatch):
    path = tmp_path / "task.py"
    path.write_text("work")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_text(path, "new")
    assert path.read_text() == "work"
    assert os.listdir(tmp_path) == ["task.py"]


def test_a_file_keeps_its_permissions_and_a_new_one_gets_the_default(tmp_path):
    old, new = tmp_path / "old.py", tmp_path / "deep" / "new.py"
    old.write_text("x")
    old.chmod(0o640)
    default = tmp_path / "default.py"
    default.touch()
    for path in (old, new):
        files.write_text(path, "y")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert new.stat().st_mode == default.stat().st_mode


def test_an_interrupt_just_after_the_write_is_raised(tmp_path, monkeypatch):
    real_replace = os.replace

    def interrupted(*arguments):
        real_replace(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    path = tmp_path / "task.py"
    with pytest.raises(KeyboardInterrupt):
        files.write_text(path, "whole")
    assert path.read_text() == "whole"


def test_only_stale_temporary_files_are_removed(tmp_path):
    stale, in_use = (tmp_path / f".unfinished.task.py.{name}" for name in ("old", "new"))
    for path in (stale, in_use):
        path.write_text("half a te")
    os.utime(stale, (0, 0))
    files.write_text(tmp_path / "another.py", "whole")
    assert sorted(os.listdir(tmp_path)) == [in_use.name, "another.py"]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (28, "Free some space there"),
        (30, "Make it writable"),
        (13, "Make it writable"),
        (5, "exist"),
    ],
)
def test_the_error_of_a_failed_write_names_the_file_and_what_to_do(
    tmp_path, monkeypatch, code, advice
):
    def failing(*_, **__):
        raise OSError(code, "The system's message", "/a/temporary/name")

    monkeypatch.setattr(tempfile, "mkstemp", failing)
    with pytest.raises(OSError) as caught:
        files.write_text(tmp_path / "task.py", "new")
    message = message_for(caught.value)
    assert message.startswith(f"The system's message ({tmp_path / 'task.py'}). ")
    assert advice in message


def test_timestamps_sort_by_time_and_can_be_parsed():
    before = datetime.now()
    first, second = files.timestamp(), files.timestamp()
    assert first <= second
    assert before <= files.parse_timestamp(first) <= datetime.now()
    with pytest.raises(ValueError):
        files.parse_timestamp("notes")
