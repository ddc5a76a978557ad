"""Time a check: from the command line, in a warm kernel, and after a save.

`python benchmarks/checks.py [N …]` checks the solutions of tasks 1 to 5, or of the given tasks,
five times each (after a save: three times, by the waiting process of `minigpt watch`). In the
kernel and after a save, the solution is edited before each check, so that nothing compiled can be
reused, as for a learner who has just changed a line. It prints medians (minimum–maximum) in
seconds with the target, and the ratio of the command line to a process that imports JAX and Flax
and multiplies two matrices, measured in the same run.
"""

import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import jax
import jax.numpy as jnp
from measuring import (
    format_ratio,
    format_times,
    format_with_target,
    run_python,
    time_run,
    time_runs,
)
from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import TASKS, Task, task_by_number
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading.runner import check_in_this_process, waiting_process

SAVES, WARM_UP_S = 3, 20  # for the waiting process, before each save
IMPORT_JAX = "import jax, flax.linen; jax.jit(lambda x: x @ x)(jax.numpy.ones((3, 3)))"
TARGETS, LATER_TARGETS = (4, 1, 1), (10, 5, 5)  # seconds, for tasks 1 to 4 and later ones
TINY = 1e-30
EDIT = """

def _edited(function):
    import functools, jax
    return functools.wraps(function)(lambda *args, **kwargs: jax.tree.map(
        lambda leaf: leaf + {amount} if getattr(leaf, "dtype", None) == "float32" else leaf,
        function(*args, **kwargs)))

for _value in list(globals().values()):
    if isinstance(_value, type) and _value.__module__ == __name__ and "__call__" in vars(_value):
        _value.__call__ = _edited(_value.__call__)
"""
edit_numbers = count(1)


def write_edited_solution(task: Task, folder: Path) -> Path:
    """A solution whose classes add a tiny amount to their outputs, a new one each time."""
    path = folder / task.solution.name
    edit = EDIT.format(amount=TINY * next(edit_numbers))
    path.write_text(task.solution.read_text(encoding="utf-8") + edit, encoding="utf-8")
    return path


def time_command_line(task: Task) -> tuple[float, list[float]]:
    """Seconds of the first check, and of later ones that reuse its compiled programs from disk."""
    command = ("-m", "minigpt_challenge", "check", str(task.number), "--solutions")
    with tempfile.TemporaryDirectory() as folder:

        def check() -> None:
            run_python(*command, JAX_COMPILATION_CACHE_DIR=folder)

        return time_run(check), time_runs(check)


def time_warm_kernel(task: Task) -> list[float]:
    """Seconds of a check in this process, which has checked the task before."""
    with tempfile.TemporaryDirectory() as folder:

        def check() -> None:
            answer = write_edited_solution(task, Path(folder))
            assert check_in_this_process(task, answer).verdict is Verdict.PASSED

        check()
        return time_runs(check)


def time_saves(task: Task) -> list[float]:
    """Seconds from a save to its verdict, without the delay until the save is noticed."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(SAVES):
            with waiting_process(task) as check:
                time.sleep(WARM_UP_S)
                answer = write_edited_solution(task, Path(folder))
                start = time.perf_counter()
                assert check(answer).verdict is Verdict.PASSED
                times.append(time.perf_counter() - start)
    return times


def main(tasks: list[Task]) -> None:
    """Measure and print."""
    jnp.ones(3).block_until_ready()  # as in a notebook, JAX is initialized before the first check
    imports = time_runs(lambda: run_python("-c", IMPORT_JAX))
    version = jax.__version__
    table = Table(title=f"Seconds for a check. Importing JAX {version}: {format_times(imports)}")
    for heading in (
        "task",
        "first",
        "command line",
        "× import",
        "warm kernel",
        "after a save",
    ):
        table.add_column(heading, justify="right")
    for task in tasks:
        targets = LATER_TARGETS if task.number > 4 else TARGETS
        first, cold = time_command_line(task)
        times = cold, time_warm_kernel(task), time_saves(task)
        cells = [format_with_target(*pair) for pair in zip(times, targets, strict=True)]
        cells.insert(1, format_ratio(cold, imports))
        table.add_row(f"{task.number} {task.title}", f"{first:.2f}", *cells)
    Console(width=140).print(table)


if __name__ == "__main__":
    main([task_by_number(int(number)) for number in sys.argv[1:]] or list(TASKS[:5]))
