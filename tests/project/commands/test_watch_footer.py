"""What `minigpt watch` offers below a report."""

import pytest

from minigpt_challenge.coach.commands import watch
from minigpt_challenge.coach.course.curriculum import GPT_TASKS, TASKS
from minigpt_challenge.coach.course.verdict import Check, Report, Verdict
from minigpt_challenge.coach.records.progress import Standing

pytestmark = pytest.mark.newest


def footer(report):
    return watch._footer(report.task, report, watch._gpt_is_complete(report.task, report))


@pytest.mark.parametrize("unpassed", [None, GPT_TASKS[0], TASKS[-1]])
def test_training_is_offered_when_the_last_part_of_the_gpt_has_passed(monkeypatch, unpassed):
    standings = {task: Standing(Verdict.PASSED) for task in TASKS}
    if unpassed:
        standings[unpassed] = Standing(Verdict.WRONG)
    monkeypatch.setattr(watch.progress, "overview", lambda: (standings, None))
    report = Report(GPT_TASKS[-1], 1.0, (Check("all", Verdict.PASSED),))
    offered = "train it" in footer(report)
    assert offered is (unpassed is not GPT_TASKS[0])
    other = Report(GPT_TASKS[0], 1.0, report.checks)
    assert "train it" not in footer(other)
