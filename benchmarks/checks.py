"""How long a check takes: from the command line, in a warm kernel, and after a save.

`python benchmarks/checks.py` checks the solutions, five times each (after a save: three times, by
the process that `minigpt watch` keeps waiting). It prints medians, in seconds, with the smallest
and the largest, and a ratio to the time that a process takes to import JAX and Flax and multiply
two matrices, measured in the same run.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.checking import check_in_this_process, waiting_process
from minigpt_challenge.coach.curriculum import TASKS, Task
from minigpt_challenge.coach.verdict import Verdict

REPEATS = 5
SAVES, UNTIL_THE_NEXT = 3, 10  # seconds, in which the waiting process gets warm
BARE = "import jax, flax.linen; jax.jit(lambda x: x @ x)(jax.numpy.ones((3, 3)))"


def measured(run: Callable[[], None]) -> list[float]:
    """The seconds that each of several runs takes."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


def measured_after_saves(task: Task) -> list[float]:
    """The seconds from a save to its verdict, less the tenth until the save is seen."""
    seconds = []
    for _ in range(SAVES):
        with waiting_process(task) as check:
            time.sleep(UNTIL_THE_NEXT)
            start = time.perf_counter()
            assert check(task.solution).verdict is Verdict.PASSED
            seconds.append(time.perf_counter() - start)
    return seconds


def in_new_process(*arguments: str, **environment: str) -> None:
    """Run Python; the output is of no interest, a failure is."""
    subprocess.run(
        [sys.executable, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | environment,
    )


def main() -> None:
    """Measure and print."""
    bare = statistics.median(measured(lambda: in_new_process("-c", BARE)))
    table = Table(title=f"Seconds for a check. Importing JAX and Flax alone: {bare:.2f}")
    for heading in (
        "task",
        "first ever",
        "command line",
        "× import",
        "warm kernel",
        "after a save",
    ):
        table.add_column(heading, justify="right")
    for task in TASKS:
        command = ("-m", "minigpt_challenge", "check", str(task.number), "--solutions")
        with tempfile.TemporaryDirectory() as compiled:
            start = time.perf_counter()
            in_new_process(*command, JAX_COMPILATION_CACHE_DIR=compiled)
            first = time.perf_counter() - start
            cold = measured(
                lambda c=command, d=compiled: in_new_process(*c, JAX_COMPILATION_CACHE_DIR=d)
            )

        def check(task=task) -> None:
            assert check_in_this_process(task, task.solution).verdict is Verdict.PASSED

        check()
        warm = measured(check)
        table.add_row(
            f"{task.number} {task.title}",
            f"{first:.2f}",
            spread(cold),
            f"{statistics.median(cold) / bare:.1f}",
            spread(warm),
            spread(measured_after_saves(task)),
        )
    Console(width=100).print(table)


def spread(seconds: list[float]) -> str:
    """Median, smallest and largest."""
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f}–{max(seconds):.2f})"


if __name__ == "__main__":
    main()
