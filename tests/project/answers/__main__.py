"""The table of the gate: `python -m tests.project.answers [N …] [--part 1/2]`.

Two processes share the work, since grading one answer keeps only one core busy. Each verdict is
printed as soon as it is known.
"""

import multiprocessing
import os
import sys
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import TASKS, task_by_number
from minigpt_challenge.coach.runtime.compilation import CACHE_ENVIRONMENT
from tests.project.answers.gate import judge_part, mistakes, shares

PROCESSES = 2


def main(numbers: list[int], part: int, num_parts: int) -> int:
    """Judge one of `num_parts` parts of the bank of these tasks; `part` counts from 1.

    Returns:
        the exit status: 1 if the grader made a mistake.
    """
    os.environ.update(CACHE_ENVIRONMENT | os.environ)
    tasks = [task_by_number(number) for number in numbers]
    table, found, outcomes = Table(), [], {}
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        parts = {
            task.stem: [
                pool.submit(judge_part, task, part - 1 + i * num_parts, PROCESSES * num_parts)
                for i in range(PROCESSES)
            ]
            for task in tasks
        }
        for stem, futures in parts.items():
            outcomes[stem] = [outcome for future in futures for outcome in future.result()]
    if len(tasks) > 1:
        outcomes["all"] = [o for task_outcomes in outcomes.values() for o in task_outcomes]
    for column in ("", *shares(())):
        table.add_column(column, justify="right" if column else "left", no_wrap=not column)
    for stem, task_outcomes in outcomes.items():
        table.add_row(stem, *(f"{n} of {total}" for n, total in shares(task_outcomes).values()))
        if stem != "all":
            found += [f"{stem}: {mistake}" for mistake in mistakes(task_outcomes)]
    Console(width=130).print(table)
    print("\n".join(found))
    return 1 if found else 0


def parse_arguments(arguments: list[str]) -> tuple[list[int], int, int]:
    """The numbers of the tasks, the part of each bank to judge, and the number of parts."""
    parser = ArgumentParser(
        "python -m tests.project.answers",
        description="Compare the grader's verdicts with the bank.",
    )
    parser.add_argument("tasks", nargs="*", type=int, metavar="N", help="the tasks; all by default")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="judge one part of each bank")
    given = parser.parse_args(arguments)
    part, _, num_parts = given.part.partition("/")
    if not (part.isdigit() and num_parts.isdigit() and 1 <= int(part) <= int(num_parts)):
        parser.error(f"--part {given.part}: use 1/2 or 2/2, for example")
    return given.tasks or [task.number for task in TASKS], int(part), int(num_parts)


if __name__ == "__main__":
    sys.exit(main(*parse_arguments(sys.argv[1:])))
