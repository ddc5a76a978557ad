"""A file that is saved while it is checked: the verdict is on one whole text of it."""

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
def test_a_save_that_is_going_on_is_waited_for(tmp_path, pause):
    file = tmp_path / "task.py"
    file.write_text("")

    def end_the_save():
        time.sleep(pause * snapshot.LOOK)
        file.write_text("the whole text")

    threading.Thread(target=end_the_save).start()
    copy = snapshot.take(file, tmp_path / "copies")
    assert copy != file and copy.name == file.name
    assert copy.read_text() == "the whole text"


def test_a_file_that_never_rests_is_taken_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "PATIENCE", 0.1)
    file = tmp_path / "task.py"
    file.write_text("0")
    monkeypatch.setattr(snapshot.time, "sleep", lambda _: file.write_text(str(time.monotonic())))
    assert snapshot.take(file, tmp_path / "copies").read_text() != "0"


@pytest.mark.parametrize("make", [lambda file: None, os.mkdir], ids=["missing", "a folder"])
def test_what_cannot_be_copied_is_checked_itself(tmp_path, make):
    file = tmp_path / "task.py"
    make(file)
    assert snapshot.take(file, tmp_path / "copies") == file
    assert fingerprint(file) == fingerprint(tmp_path / "nothing")


@pytest.mark.slow
@pytest.mark.parametrize("check", [check_in_own_process, check_in_this_process])
def test_a_verdict_is_on_the_text_from_before_a_later_save(tmp_path, monkeypatch, check):
    """The file is saved right after the check has begun; it says what held when it began."""
    answer = tmp_path / EMBEDDING.stub.name
    answer.write_bytes(EMBEDDING.solution.read_bytes())
    before = fingerprint(answer)
    real_take = snapshot.take

    def saved_just_after(*arguments):
        copy = real_take(*arguments)
        answer.write_text("half a te(")
        return copy

    monkeypatch.setattr(snapshot, "take", saved_just_after)
    report = check(EMBEDDING, answer)
    assert report.verdict is Verdict.PASSED
    assert report.fingerprint == before != fingerprint(answer)
