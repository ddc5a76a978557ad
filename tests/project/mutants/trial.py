"""Mutants on trial: many one after the other in a process that may die of one of them."""

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.verdict import Reason, Report, Verdict
from minigpt_challenge.coach.grading import runner
from minigpt_challenge.coach.runtime import devices
from minigpt_challenge.coach.runtime.compilation import CACHE_ENVIRONMENT
from minigpt_challenge.coach.runtime.limits import limit_this_process
from tests.project.mutants.breeding import Mutant

MARGIN = 30  # seconds beyond the time limit, until a process that is too slow has been ended
START_AFRESH = 25  # trials: what was compiled for each stays in memory


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant; `report` is None where there is no verdict.

    Attributes:
        said: the reasons given; for no verdict what happened.
        alone: whether it was tried in a process of its own, since it hung or ended the first.
    """

    mutant: Mutant
    report: Report | None
    seconds: float
    said: str
    alone: bool

    @property
    def verdict(self) -> Verdict | None:
        """None where the grader failed, not the learner's code."""
        if self.report is None:
            return None
        failed = any(check.reason is Reason.SUITE_FAILED for check in self.report.checks)
        return None if failed else self.report.verdict


def tried(task: Task, mutants: Iterable[Mutant], processes: int = 2) -> Iterator[Outcome]:
    """Put the mutants on trial, and yield what becomes of each, in their order."""
    free: SimpleQueue[_Process] = SimpleQueue()
    for _ in range(processes):
        free.put(_Process(task))

    def trial(mutant: Mutant) -> Outcome:
        process = free.get()
        try:
            with _file(task, mutant) as file:
                start = time.perf_counter()
                report = process.check(file)
                if report is not None:
                    return _outcome(mutant, report, start, False)
                start = time.perf_counter()
                return _outcome(mutant, runner.check_in_own_process(task, file), start, True)
        except Exception as error:  # out of the grader: what must not be
            return Outcome(mutant, None, time.perf_counter() - start, repr(error), True)
        finally:
            free.put(process)

    try:
        with ThreadPoolExecutor(processes) as threads:
            yield from threads.map(trial, mutants)
    finally:
        for _ in range(processes):
            free.get().end()


def _outcome(mutant: Mutant, report: Report, start: float, alone: bool) -> Outcome:
    seconds = time.perf_counter() - start
    said = "\n".join(check.message for check in report.checks if check.message)
    late = seconds > runner.TIME_LIMIT + MARGIN
    return Outcome(mutant, None if late else report, seconds, said, alone)


@contextmanager
def _file(task: Task, mutant: Mutant) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, task.stub.name)
        file.write_bytes(mutant.data)
        yield file


class _Process:
    """A process that checks one file after the other, started anew when one has ended it."""

    def __init__(self, task: Task):
        self._task, self._process = task, None

    def check(self, file: Path) -> Report | None:
        """The report; None where the process ended, or did not come to an end."""
        if self._process is None or self._trials == START_AFRESH:
            self._start()
        self._trials += 1
        try:
            self._pipe.send(file)
            if self._pipe.poll(runner.TIME_LIMIT + MARGIN):
                answer = self._pipe.recv()
                if isinstance(answer, Exception):
                    raise answer
                return answer
        except (EOFError, OSError):
            pass
        self.end()
        return None

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _start(self) -> None:
        self.end()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._task), daemon=True)
        self._process.start()
        theirs.close()
        self._trials = 0


def _serve(pipe, task: Task) -> None:
    """Check each file that comes, in this process, as a notebook does."""
    os.environ.update(CACHE_ENVIRONMENT | os.environ | devices.environment(task))
    limit_this_process()
    while True:
        file = pipe.recv()
        try:
            pipe.send(runner.check_in_this_process(task, file))
        except Exception as error:
            pipe.send(RuntimeError(f"out of the grader came {error!r}"))
