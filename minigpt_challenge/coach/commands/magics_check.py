"""Checks in a notebook: `%check 2`, and the short report under a `%%task 2` cell."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from tqdm import tqdm

from minigpt_challenge.coach.commands.magics_arguments import parse_task
from minigpt_challenge.coach.commands.session import Session
from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.verdict import Check, Report
from minigpt_challenge.coach.grading.runner import check_in_own_process, check_in_this_process
from minigpt_challenge.coach.records import progress
from minigpt_challenge.coach.reports import notebook
from minigpt_challenge.coach.reports.terminal import Detail
from minigpt_challenge.coach.runtime import devices
from minigpt_challenge.coach.runtime.loading import unwritten_before

BAR_AFTER = 1.0  # seconds: most checks are done before


def check(session: Session, line: str) -> None:
    """`%check 2`: run the task's checks in this kernel, and show the report."""
    task = parse_task(line, "%check 2")
    check_and_show(session, task, Detail.ALL)
    session.print_borrowed(unwritten_before(task))
    if message := session.cells.difference(task):
        session.print(message)


def check_and_show(session: Session, task: Task, detail: Detail) -> None:
    """Check the task's file, record the verdict, and show the report with the time that it took."""
    start = time.perf_counter()
    report = _check(session, task)
    problem = progress.try_to_remember(task, report)
    pictures = notebook.pictures(report) if detail is Detail.ALL else ()
    waited = replace(report, seconds=time.perf_counter() - start)
    notebook.show(session.ipython, waited, detail, pictures)
    if problem:
        session.print(problem)


def _check(session: Session, task: Task) -> Report:
    if devices.has_enough(task):
        with tqdm(
            desc=f"Checking task {task.number}: this takes some seconds",
            unit="check",
            file=sys.stdout,  # the stream of now: the checks redirect it
            delay=BAR_AFTER,
            leave=False,
        ) as bar:
            return check_in_this_process(task, task.stub, _Progress(bar))
    session.print(
        f"JAX was started without the {task.cpu_devices} CPU devices that the checks of task "
        f"{task.number} need, so they run in a separate process. To run them here, restart the "
        "kernel and run this notebook from the top."
    )
    return check_in_own_process(task, task.stub, JAX_PLATFORMS="cpu")


class _Progress:
    """A plugin of pytest that moves a bar at each check."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar

    def pytest_minigpt_suite(self, names: Sequence[str]) -> None:
        self._bar.total = len(names)

    def pytest_minigpt_check(self, check: Check) -> None:
        self._bar.update()
