"""The table of the gate: `python -m tests.project.answers [N …] [--part 1/2]`.

Two processes share the work, since an answer at a time keeps one core busy. Each answer is named
as soon as it is judged.
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
from tests.project.answers.gate import judged_part, mistakes, shares

PROCESSES = 2


def main(numbers: list[int], part: int, of: int) -> int:
    """Judge every `of`-th answer of these tasks, beginning with number `part`, 1 or more."""
    os.environ.update(CACHE_ENVIRONMENT | os.environ)
    tasks = [task_by_number(number) for number in numbers]
    table, found, outcomes = Table(), [], {}
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        parts = {
            task.stem: [
                pool.submit(judged_part, task, part - 1 + i * of, PROCESSES * of)
                for i in range(PROCESSES)
            ]
            for task in tasks
        }
        for stem, of_task in parts.items():
            outcomes[stem] = [outcome for part in of_task for outcome in part.result()]
    if len(tasks) > 1:
        outcomes["together"] = [o for of_task in outcomes.values() for o in of_task]
    for column in ("", *shares(())):
        table.add_column(column, justify="right" if column else "left", no_wrap=not column)
    for stem, of_task in outcomes.items():
        table.add_row(stem, *(f"{n} of {total}" for n, total in shares(of_task).values()))
        if stem != "together":
            found += [f"{stem}: {mistake}" for mistake in mistakes(of_task)]
    Console(width=130).print(table)
    print("\n".join(found))
    return 1 if found else 0


def parsed(arguments: list[str]) -> tuple[list[int], int, int]:
    """The numbers of the tasks; which part of each bank to judge, and of how many."""
    parser = ArgumentParser(
        "python -m tests.project.answers", description="Hold the grader to the bank."
    )
    parser.add_argument("tasks", nargs="*", type=int, metavar="N", help="the tasks; all by default")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="judge a share of each bank")
    given = parser.parse_args(arguments)
    part, _, of = given.part.partition("/")
    if not (part.isdigit() and of.isdigit() and 1 <= int(part) <= int(of)):
        parser.error(f"--part {given.part}: it is 1/2, say, or 2/2")
    return given.tasks or [task.number for task in TASKS], int(part), int(of)


if __name__ == "__main__":
    sys.exit(main(*parsed(sys.argv[1:])))
