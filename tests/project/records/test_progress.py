"""Progress: a verdict belongs to the text that was checked."""

import json

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.stubs import fingerprint
from minigpt_challenge.coach.course.verdict import Check, Report, Verdict
from minigpt_challenge.coach.records import progress

TASK = TASKS[0]


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """A function that writes a text to a file, and records a verdict on it; returns the file."""
    monkeypatch.setattr(progress, "PROGRESS_FILE", tmp_path / "progress.json")

    def check(text, verdict=None):
        file = tmp_path / f"{hash(text)}.py"
        file.write_text(text)
        if verdict:
            checks = (Check("works", Verdict.PASSED), Check("is_right", verdict))
            progress.remember(TASK, Report(TASK, 1.0, checks, fingerprint(file)))
        return file

    return check


def test_a_text_that_passed_is_passed_again_when_it_comes_back(checked):
    right = checked("right", Verdict.PASSED)
    wrong = checked("wrong", Verdict.WRONG)
    assert progress.standing(TASK, right) == progress.Standing(Verdict.PASSED, 2, 2)
    assert progress.standing(TASK, wrong) == progress.Standing(Verdict.WRONG, 1, 2)
    assert progress.failed(TASK) == ["is_right"]  # of the last check
    checked("right", Verdict.PASSED)
    assert progress.failed(TASK) == [] and progress.standing(TASK, wrong).passed == 1


def test_a_text_that_was_never_checked_has_no_verdict(checked):
    checked("right", Verdict.PASSED)
    assert progress.standing(TASK, checked("other")) == progress.Standing(None)


@pytest.mark.parametrize("damage", ["7", json.dumps({TASK.stem: {"checked": 7}}), "{"])
def test_a_damaged_record_counts_as_none_and_is_repaired(checked, damage):
    right = checked("right", Verdict.PASSED)
    progress.PROGRESS_FILE.write_text(damage)
    assert progress.standing(TASK, right) == progress.Standing(None)
    checked("right", Verdict.PASSED)
    assert progress.standing(TASK, right).verdict is Verdict.PASSED
