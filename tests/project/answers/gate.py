"""The grader held against the bank: what becomes of each answer, and where it is mistaken."""

import importlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading.runner import check_in_this_process
from tests.project.answers.bank import Answer, right

LEAST_NAMED = {1: 0.9, 2: 0.75}  # of the faults of so many at once


@dataclass(frozen=True)
class Outcome:
    """What the grader made of an answer."""

    answer: Answer
    verdict: Verdict
    claimed: frozenset[str]
    message: str

    @property
    def accepted(self) -> bool:
        return self.verdict is Verdict.PASSED

    @property
    def named(self) -> bool:
        """Whether the diagnosis is the whole truth."""
        return bool(self.answer.faults) and self.claimed == self.answer.faults

    @property
    def misnamed(self) -> bool:
        """Whether the diagnosis claims anything that is not true."""
        return bool(self.claimed - self.answer.faults)

    @property
    def mistake(self) -> str:
        """What the grader did wrong, in words; empty if nothing."""
        if self.accepted != self.answer.right:
            return f"{self.answer.name}: {self.verdict.words} {self.message}"
        if self.misnamed:
            claimed, faults = sorted(self.claimed), sorted(self.answer.faults)
            return f"{self.answer.name}: called {claimed}, has {faults}"
        return ""


def bank(task: Task) -> list[Answer]:
    """All answers to a task, the solution among them."""
    module = importlib.import_module(f"tests.project.answers.{task.stem}")
    return [right("the solution", task.solution.read_text(encoding="utf-8")), *module.ANSWERS]


def judged(task: Task, answer: Answer) -> Outcome:
    """Put the answer on trial."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, task.stub.name)
        file.write_text(answer.text, encoding="utf-8")
        os.utime(file, (0, 0))  # a check waits until a file that was saved just now is complete
        report = check_in_this_process(task, file)
    claimed = frozenset(fault for check in report.checks for fault in check.diagnosis)
    message = next((check.message for check in report.checks if check.message), "")
    return Outcome(answer, report.verdict, claimed, message)


def shares(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """A row of the table: for each column how many, and of how many."""
    rights = [outcome for outcome in outcomes if outcome.answer.right]
    wrongs = [outcome for outcome in outcomes if not outcome.answer.right]
    faulty = [outcome for outcome in wrongs if outcome.answer.faults]
    single, double = ([o for o in faulty if len(o.answer.faults) == n] for n in (1, 2))
    return {
        "right answers accepted": _count((o.accepted for o in rights), rights),
        "wrong answers refused": _count((not o.accepted for o in wrongs), wrongs),
        "single faults named": _count((o.named for o in single), single),
        "double faults named": _count((o.named for o in double), double),
        "not diagnosed": _count((not o.claimed for o in faulty), faulty),
        "falsely diagnosed": _count((o.misnamed for o in outcomes), outcomes),
    }


def mistakes(outcomes: Sequence[Outcome]) -> list[str]:
    """Every mistake of the grader, in words."""
    found = [outcome.mistake for outcome in outcomes if outcome.mistake]
    columns = shares(outcomes)
    for faults, column in ((1, "single faults named"), (2, "double faults named")):
        named, total = columns[column]
        if named < LEAST_NAMED[faults] * total:
            found.append(f"{column}: {named} of {total}, too few")
    return found


def _count(which, among: Sequence) -> tuple[int, int]:
    return sum(which), len(among)
