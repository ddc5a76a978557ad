"""`python -m tests.answers [N …]` prints the table of the gate, for all tasks or those named.

Two processes share the work, since an answer at a time keeps one core busy.
"""

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.compiled import COMPILED_ONCE
from minigpt_challenge.coach.curriculum import TASKS, task_by_number
from tests.answers.gate import judged_part, mistakes, shares

PROCESSES = 2


def main(numbers: list[int]) -> int:
    os.environ.update(COMPILED_ONCE | os.environ)
    tasks = [task_by_number(number) for number in numbers]
    table, found, outcomes = Table(), [], {}
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        parts = {
            task.stem: [pool.submit(judged_part, task, i, PROCESSES) for i in range(PROCESSES)]
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


if __name__ == "__main__":
    sys.exit(main([int(n) for n in sys.argv[1:]] or [task.number for task in TASKS]))
