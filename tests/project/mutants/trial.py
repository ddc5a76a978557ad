"""Check many mutants in turn, in processes that a mutant may end."""

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.verdict import Reason, Report, Verdict
from minigpt_challenge.coach.grading import runner
from minigpt_challenge.coach.runtime import devices
from minigpt_challenge.coach.runtime.compilation import CACHE_ENVIRONMENT
from minigpt_challenge.coach.runtime.limits import limit_this_process
from tests.project.mutants.breeding import Mutant

GRACE_S = 30  # seconds after the time limit, until a process that does not end is killed
CHECKS_PER_PROCESS = 25  # what JAX compiled for each check stays in memory


@dataclass(frozen=True)
class Outcome:
    """The result of checking a mutant.

    Attributes:
        mutant: the mutant.
        report: the grader's report; None if it failed or was too slow.
        seconds: how long the check took.
        messages: the messages of the checks; the grader's error if it failed.
        alone: whether it got a process of its own, because it hung or ended the shared one.
    """

    mutant: Mutant
    report: Report | None
    seconds: float
    messages: str
    alone: bool

    @property
    def verdict(self) -> Verdict | None:
        """None if the grader failed, not the learner's code."""
        if self.report is None:
            return None
        failed = any(check.reason is Reason.SUITE_FAILED for check in self.report.checks)
        return None if failed else self.report.verdict


def check_mutants(task: Task, mutants: Iterable[Mutant], processes: int = 2) -> Iterator[Outcome]:
    """Check the mutants in parallel processes, and yield their outcomes in order."""
    idle: SimpleQueue[_Process] = SimpleQueue()
    for _ in range(processes):
        idle.put(_Process(task))

    def check(mutant: Mutant) -> Outcome:
        process = idle.get()
        try:
            with _file(task, mutant) as file:
                start = time.perf_counter()
                report = process.check(file)
                if report is not None:
                    return _outcome(mutant, report, start, False)
                start = time.perf_counter()
                return _outcome(mutant, runner.check_in_own_process(task, file), start, True)
        except Exception as error:  # the grader must not raise one
            return Outcome(mutant, None, time.perf_counter() - start, repr(error), True)
        finally:
            idle.put(process)

    try:
        with ThreadPoolExecutor(processes) as threads:
            yield from threads.map(check, mutants)
    finally:
        for _ in range(processes):
            idle.get().end()


def _outcome(mutant: Mutant, report: Report, start: float, alone: bool) -> Outcome:
    seconds = time.perf_counter() - start
    messages = "\n".join(check.message for check in report.checks if check.message)
    too_late = seconds > runner.TIME_LIMIT + GRACE_S
    return Outcome(mutant, None if too_late else report, seconds, messages, alone)


@contextmanager
def _file(task: Task, mutant: Mutant) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, task.stub.name)
        file.write_bytes(mutant.data)
        yield file


class _Process:
    """A process that checks files in turn, and is started again when one of them has ended it."""

    def __init__(self, task: Task):
        self._task, self._process = task, None

    def check(self, file: Path) -> Report | None:
        """Return the report; None if the process ended or took too long."""
        if self._process is None or self._num_checks == CHECKS_PER_PROCESS:
            self._start()
        self._num_checks += 1
        try:
            self._pipe.send(file)
            if self._pipe.poll(runner.TIME_LIMIT + GRACE_S):
                result = self._pipe.recv()
                if isinstance(result, Exception):
                    raise result
                return result
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
        self._pipe, child_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(child_end, self._task), daemon=True)
        self._process.start()
        child_end.close()
        self._num_checks = 0


def _serve(pipe: Connection, task: Task) -> None:
    """Check each file whose path arrives, in this process, as a notebook does."""
    os.environ.update(CACHE_ENVIRONMENT | os.environ | devices.environment(task))
    limit_this_process(CHECKS_PER_PROCESS * runner.TIME_LIMIT)
    while True:
        file = pipe.recv()
        try:
            pipe.send(runner.check_in_this_process(task, file))
        except Exception as error:
            pipe.send(RuntimeError(f"the grader raised {error!r}"))
