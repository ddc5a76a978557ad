"""Grade the bank of answers, and find the grader's mistakes."""

import gc
import importlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.verdict import Verdict, overall
from minigpt_challenge.coach.grading.runner import check_in_this_process
from tests.project.answers.bank import Answer, right
from tests.project.answers.known_checks import Code, KnownChecks, Recorder

MIN_NAMED = {1: 0.9, 2: 0.75}  # by number of faults: the share of answers to diagnose fully


@dataclass(frozen=True)
class Outcome:
    """The grader's verdict on an answer, and its diagnosis."""

    answer: Answer
    verdict: Verdict
    claimed: frozenset[str]
    message: str

    @property
    def accepted(self) -> bool:
        return self.verdict is Verdict.PASSED

    @property
    def named(self) -> bool:
        """Whether the diagnosis names all of the answer's faults and no other."""
        return bool(self.answer.faults) and self.claimed == self.answer.faults

    @property
    def misdiagnosed(self) -> bool:
        """Whether the diagnosis names a fault that the answer does not have."""
        return bool(self.claimed - self.answer.faults)

    @property
    def mistake(self) -> str:
        """A message about the grader's mistake; empty if it made none."""
        if self.accepted != self.answer.right:
            return f"{self.answer.name}: {self.verdict.words} {self.message}"
        if self.misdiagnosed:
            claimed, faults = sorted(self.claimed), sorted(self.answer.faults)
            return f"{self.answer.name}: diagnosed as {claimed}, has {faults}"
        return ""


def bank(task: Task) -> list[Answer]:
    """All answers to a task, the solution among them."""
    module = importlib.import_module(f"tests.project.answers.{task.stem}")
    return [right("the solution", task.solution.read_text(encoding="utf-8")), *module.ANSWERS]


def judge_answer(task: Task, answer: Answer, known: KnownChecks | None = None) -> Outcome:
    """Grade one answer.

    Args:
        task: whose suite to run.
        answer: the answer.
        known: results for earlier answers to this task, which may save running a check; those for
            this answer are added.
    """
    known, code = known or KnownChecks(), Code(answer.text)
    recorder = Recorder(known, code)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, task.stub.name)
        file.write_text(answer.text, encoding="utf-8")
        os.utime(file, (0, 0))  # a check waits until a file that was saved just now is complete
        report = check_in_this_process(task, file, recorder)
    known.add(code, recorder.names, report.checks)
    results = recorder.known | {check.name: check for check in report.checks}
    checks = [results[name] for name in recorder.suite or results]
    claimed = frozenset(fault for check in checks for fault in check.diagnosis)
    message = next((check.message for check in checks if check.message), "")
    return Outcome(answer, overall(checks), claimed, message)


def judge_with_known_checks(task: Task, answer: Answer) -> Outcome:
    """Grade one answer, without the checks whose result this process knows."""
    return judge_answer(task, answer, _KNOWN_CHECKS[task])


_KNOWN_CHECKS: dict[Task, KnownChecks] = defaultdict(KnownChecks)


def collect_garbage_rarely() -> None:
    """Garbage collection took a tenth of the time; each check ends with a full one anyway."""
    gc.set_threshold(200_000, 20, 20)


def shares(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """A row of the table: for each column a count, and the total it is part of."""
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
        "falsely diagnosed": _count((o.misdiagnosed for o in outcomes), outcomes),
    }


def mistakes(outcomes: Sequence[Outcome]) -> list[str]:
    """A message for every mistake of the grader."""
    found = [outcome.mistake for outcome in outcomes if outcome.mistake]
    columns = shares(outcomes)
    for num_faults, column in ((1, "single faults named"), (2, "double faults named")):
        named, total = columns[column]
        if named < MIN_NAMED[num_faults] * total:
            found.append(f"{column}: {named} of {total}, too few")
    return found


def _count(flags: Iterable[bool], outcomes: Sequence[Outcome]) -> tuple[int, int]:
    return sum(flags), len(outcomes)
