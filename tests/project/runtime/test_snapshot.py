"""A file that is saved during its check: the verdict is on one complete text."""

import os
import threading
import time

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.stubs import fingerprint
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading.runner import check_in_own_process, check_in_this_process
from minigpt_challenge.coach.runtime import snapshot

EMBEDDING = TASKS[0]


@pytest.mark.parametrize("pause", [0.5, 4])
def test_a_save_in_progress_is_awaited(tmp_path, pause):
    file = tmp_path / "task.py"
    file.write_text("")

    def finish_save():
        time.sleep(pause * snapshot.POLL_S)
        file.write_text("the complete text")

    threading.Thread(target=finish_save).start()
    copy = snapshot.take(file, tmp_path / "copies")
    assert copy != file and copy.name == file.name
    assert copy.read_text() == "the complete text"


def test_a_file_that_keeps_changing_is_copied_after_the_timeout(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "TIMEOUT_S", 0.1)
    file = tmp_path / "task.py"
    file.write_text("0")
    monkeypatch.setattr(snapshot.time, "sleep", lambda _: file.write_text(str(time.monotonic())))
    assert snapshot.take(file, tmp_path / "copies").read_text() != "0"


@pytest.mark.parametrize("make", [lambda file: None, os.mkdir], ids=["missing", "a folder"])
def test_a_file_that_cannot_be_copied_is_checked_itself(tmp_path, make):
    file = tmp_path / "task.py"
    make(file)
    assert snapshot.take(file, tmp_path / "copies") == file
    assert fingerprint(file) == fingerprint(tmp_path / "nothing")


@pytest.mark.slow
@pytest.mark.parametrize("check", [check_in_own_process, check_in_this_process])
def test_the_verdict_is_on_the_text_at_the_start_of_the_check(tmp_path, monkeypatch, check):
    """The file is saved again right after the check has started."""
    answer = tmp_path / EMBEDDING.stub.name
    answer.write_bytes(EMBEDDING.solution.read_bytes())
    before = fingerprint(answer)
    real_take = snapshot.take

    def take_and_save_again(*arguments):
        copy = real_take(*arguments)
        answer.write_text("half a te(")
        return copy

    monkeypatch.setattr(snapshot, "take", take_and_save_again)
    report = check(EMBEDDING, answer)
    assert report.verdict is Verdict.PASSED
    assert report.fingerprint == before != fingerprint(answer)
