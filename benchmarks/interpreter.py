"""Time the NumPy interpreter of jaxprs against JAX op by op: `python -m benchmarks.interpreter`.

For tasks 2 to 5 it checks the solution and a wrong answer of the bank, whose cause is diagnosed, in
this process, once to warm up and then five times each way in turn. It prints medians
(minimum–maximum) in seconds, the seconds of the first check, and the ratio of the medians.

The interpreter is code of our own that JAX could replace: if the ratios stay below 1.5, it can go.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import REPEATS, format_ratio, format_times
from minigpt_challenge.coach.checks import numpy_interpreter
from minigpt_challenge.coach.course.curriculum import TASKS, Task
from minigpt_challenge.coach.grading.runner import check_in_this_process
from tests.project.answers.gate import bank

TASKS_WITH_JAXPRS = TASKS[1:5]


def op_by_op(jaxpr, consts, *arguments) -> list:
    """What the interpreter does, with each operation run by JAX."""
    return jaxpr_as_fun(ClosedJaxpr(jaxpr, consts))(*arguments)


def time_check(task: Task, text: str, evaluate: Callable) -> float:
    """Seconds of one check of this text."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, task.stub.name)
        answer.write_text(text, encoding="utf-8")
        time.sleep(1)  # a check waits until a file that was saved just now is complete
        with patch.object(numpy_interpreter, "evaluate", evaluate):
            start = time.perf_counter()
            check_in_this_process(task, answer)
            return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    interpreters = {"NumPy": numpy_interpreter.evaluate, "op by op": op_by_op}
    table = Table(
        "task", "answer", *(f"{name}, first" for name in interpreters), *interpreters, "×"
    )
    for task in TASKS_WITH_JAXPRS:
        answers = bank(task)
        wrong = next(answer for answer in answers if len(answer.faults) == 1)
        for answer in (answers[0], wrong):
            first = {n: time_check(task, answer.text, e) for n, e in interpreters.items()}
            times: dict[str, list[float]] = {name: [] for name in interpreters}
            for number in range(REPEATS):
                for name, evaluate in interpreters.items():
                    text = f"{answer.text}\n# {number}\n"
                    times[name].append(time_check(task, text, evaluate))
            table.add_row(
                task.title,
                answer.name,
                *(f"{seconds:.2f}" for seconds in first.values()),
                *map(format_times, times.values()),
                format_ratio(times["op by op"], times["NumPy"]),
            )
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
