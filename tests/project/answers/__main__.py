"""The table of the gate: `python -m tests.project.answers [N …] [--part 1/2] [--no-cache]`.

Two processes (see `--processes`) import JAX once each and judge one answer after another. Each
verdict is printed as soon as it is known. A verdict comes from the cache if nothing that it depends
on has changed; the result of a check is reused for all answers in which its code is the same.
`--no-cache` runs every check of every answer.
"""

import multiprocessing
import os
import sys
from argparse import ArgumentParser, Namespace
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import TASKS, Task, task_by_number
from minigpt_challenge.coach.runtime.compilation import CACHE_ENVIRONMENT
from tests.project import quick_compilation
from tests.project.answers.gate import (
    Outcome,
    bank,
    collect_garbage_rarely,
    judge_answer,
    judge_with_known_checks,
    mistakes,
    shares,
)
from tests.project.answers.verdict_cache import VerdictCache, default_folder


def main(options: Namespace) -> int:
    """Judge the chosen answers, print the table and the mistakes; return the exit status."""
    os.environ.update(CACHE_ENVIRONMENT | os.environ)
    if "XLA_FLAGS" not in os.environ and quick_compilation.accepted():
        os.environ["XLA_FLAGS"] = quick_compilation.XLA_FLAGS
    tasks = [task_by_number(number) for number in options.tasks]
    cache = VerdictCache(options.cache) if options.cache else None
    outcomes = judge_all(tasks, options.part, options.parts, cache, options.processes)
    found = [
        f"{stem}: {mistake}"
        for stem, task_outcomes in outcomes.items()
        for mistake in mistakes(task_outcomes)
    ]
    if len(tasks) > 1:
        outcomes["all"] = [
            outcome for task_outcomes in outcomes.values() for outcome in task_outcomes
        ]
    table = Table()
    for column in ("", *shares(())):
        table.add_column(column, justify="right" if column else "left", no_wrap=not column)
    for stem, task_outcomes in outcomes.items():
        table.add_row(stem, *(f"{n} of {total}" for n, total in shares(task_outcomes).values()))
    Console(width=130).print(table)
    print("\n".join(found))
    return 1 if found else 0


def judge_all(
    tasks: list[Task], part: int, parts: int, cache: VerdictCache | None, processes: int
) -> dict[str, list[Outcome]]:
    """Judge every `parts`-th answer to each task, from number `part` on, which counts from 1.

    Returns:
        the outcomes by the task's stem.
    """
    outcomes, waiting = {task.stem: [] for task in tasks}, []
    for task in tasks:
        for answer in bank(task)[part - 1 :: parts]:
            cached = cache.get(task, answer) if cache else None
            if cached:
                outcomes[task.stem].append(cached)
            else:
                waiting.append((task, answer))
    total = sum(map(len, outcomes.values())) + len(waiting)
    print(f"{total - len(waiting)} of {total} verdicts are in the cache.", file=sys.stderr)
    if not waiting:
        return outcomes
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, collect_garbage_rarely) as pool:
        judge = judge_with_known_checks if cache else judge_answer
        running = {pool.submit(judge, task, answer): task for task, answer in waiting}
        for number, future in enumerate(as_completed(running), 1):
            task, outcome = running[future], future.result()
            outcomes[task.stem].append(outcome)
            if cache:
                cache.put(task, outcome)
            line = f"{number} of {len(waiting)}, {task.stem}, {outcome.answer.name}"
            print(f"{line}: {outcome.verdict.words}", file=sys.stderr, flush=True)
    if cache:
        cache.remove_old()
    return outcomes


def parse_arguments(arguments: list[str]) -> Namespace:
    """The options: `tasks` are numbers, `cache` is a folder or None."""
    parser = ArgumentParser(
        "python -m tests.project.answers",
        description="Compare the grader's verdicts with the bank.",
    )
    parser.add_argument("tasks", nargs="*", type=int, metavar="N", help="the tasks; all by default")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="judge one part of each bank")
    parser.add_argument(
        "--processes", type=int, default=2, metavar="N", help="how many judge at a time (2)"
    )
    parser.add_argument("--no-cache", action="store_true", help="judge every answer again")
    parser.add_argument(
        "--cache",
        type=Path,
        default=default_folder(),
        metavar="FOLDER",
        help="of cached verdicts; by default $MINIGPT_VERDICTS, else .minigpt/verdicts",
    )
    options = parser.parse_args(arguments)
    part, _, parts = options.part.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        parser.error(f"--part {options.part}: use 1/2 or 2/2, for example")
    options.part, options.parts = int(part), int(parts)
    options.tasks = options.tasks or [task.number for task in TASKS]
    if options.no_cache:
        options.cache = None
    return options


if __name__ == "__main__":
    sys.exit(main(parse_arguments(sys.argv[1:])))
