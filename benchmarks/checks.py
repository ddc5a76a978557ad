"""How long a check takes: from the command line, in a warm kernel, and after a save.

`python benchmarks/checks.py [N …]` checks the solutions of all tasks or of those named, five times
each (after a save: three times, by the process that `minigpt watch` keeps waiting). Kernel and save
get a solution that was edited, so that nothing compiled of it can be used again, as it is when
somebody has just changed a line. It prints medians, in seconds, with the smallest and the largest,
beside the aim, and the command line's ratio to the time that a process takes to import JAX and
Flax and multiply two matrices, measured in the same run.
"""

import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import jax
import jax.numpy as jnp
from measuring import in_new_process, judged, measured, ratio, seconds, spread
from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import TASKS, Task, task_by_number
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading.runner import check_in_this_process, waiting_process

SAVES, UNTIL_THE_NEXT = 3, 20  # seconds, in which the waiting process gets warm
BARE = "import jax, flax.linen; jax.jit(lambda x: x @ x)(jax.numpy.ones((3, 3)))"
AIMS, AIMS_LATER = (4, 1, 1), (10, 5, 5)  # seconds for tasks 1 to 4, and for those after them
HARDLY_ANYTHING = 1e-30
EDIT = """

def _edited(function):
    import functools, jax
    return functools.wraps(function)(lambda *args, **kwargs: jax.tree.map(
        lambda leaf: leaf + {much} if getattr(leaf, "dtype", None) == "float32" else leaf,
        function(*args, **kwargs)))

for _value in list(globals().values()):
    if isinstance(_value, type) and _value.__module__ == __name__ and "__call__" in vars(_value):
        _value.__call__ = _edited(_value.__call__)
"""
numbers = count(1)


def edited(task: Task, folder: Path) -> Path:
    """A solution whose classes add next to nothing to what they return, never the same twice."""
    path = folder / task.solution.name
    edit = EDIT.format(much=HARDLY_ANYTHING * next(numbers))
    path.write_text(task.solution.read_text(encoding="utf-8") + edit, encoding="utf-8")
    return path


def from_the_command_line(task: Task) -> tuple[float, list[float]]:
    """The seconds of the first check ever, and of those that find on disk what it compiled."""
    command = ("-m", "minigpt_challenge", "check", str(task.number), "--solutions")
    with tempfile.TemporaryDirectory() as folder:

        def check() -> None:
            in_new_process(*command, JAX_COMPILATION_CACHE_DIR=folder)

        return seconds(check), measured(check)


def in_a_warm_kernel(task: Task) -> list[float]:
    """The seconds of a check in this process, which has checked the task before."""
    with tempfile.TemporaryDirectory() as folder:

        def check() -> None:
            answer = edited(task, Path(folder))
            assert check_in_this_process(task, answer).verdict is Verdict.PASSED

        check()
        return measured(check)


def after_saves(task: Task) -> list[float]:
    """The seconds from a save to its verdict, less the moment until the save is seen."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(SAVES):
            with waiting_process(task) as check:
                time.sleep(UNTIL_THE_NEXT)
                answer, start = edited(task, Path(folder)), time.perf_counter()
                assert check(answer).verdict is Verdict.PASSED
                times.append(time.perf_counter() - start)
    return times


def main(tasks: list[Task]) -> None:
    """Measure and print."""
    jnp.ones(3).block_until_ready()  # as in a notebook, JAX is at work before the first check
    bare = measured(lambda: in_new_process("-c", BARE))
    table = Table(title=f"Seconds for a check. Importing JAX {jax.__version__}: {spread(bare)}")
    for heading in (
        "task",
        "first ever",
        "command line",
        "× import",
        "warm kernel",
        "after a save",
    ):
        table.add_column(heading, justify="right")
    for task in tasks:
        aims = AIMS_LATER if task.number > 4 else AIMS
        first, cold = from_the_command_line(task)
        warm, saved = in_a_warm_kernel(task), after_saves(task)
        cells = [judged(*pair) for pair in zip((cold, warm, saved), aims, strict=True)]
        cells.insert(1, ratio(cold, bare))
        table.add_row(f"{task.number} {task.title}", f"{first:.2f}", *cells)
    Console(width=140).print(table)


if __name__ == "__main__":
    main([task_by_number(int(number)) for number in sys.argv[1:]] or list(TASKS[:5]))
