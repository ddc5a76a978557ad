"""The table of the gate: `python -m tests.project.answers [N …] [--part 1/2] [--record]`.

Two processes (see `--processes`) import JAX once each and judge one answer after another. Each
verdict is printed as soon as it is known, and with `--record` written to `verdicts/`. A recorded
verdict is used again if nothing that decides it has changed. The solutions, and the answers of
`--anew 1/10`, are judged in any case, every check of them, and compared with the record. For the
others, the result of a check is reused where the code that it can reach is the same.
"""

import multiprocessing
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import TASKS, Task, task_by_number
from minigpt_challenge.coach.runtime.compilation import CACHE_ENVIRONMENT
from tests.project import quick_compilation
from tests.project.answers.bank import Answer
from tests.project.answers.gate import (
    Outcome,
    bank,
    collect_garbage_rarely,
    judge_answer,
    judge_with_known_checks,
    mistakes,
    shares,
)
from tests.project.answers.verdict_record import VerdictRecord


class Part(NamedTuple):
    """Every `number`-th of a list, from number `first` on, which counts from 1."""

    first: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Part":
        """From "1/2", for example."""
        first, _, number = text.partition("/")
        if not (first.isdigit() and number.isdigit() and 1 <= int(first) <= int(number)):
            raise ArgumentTypeError(f"{text}: use 1/2 or 2/2, for example")
        return cls(int(first), int(number))

    def of(self, answers: list[Answer]) -> list[Answer]:
        """The answers of this part."""
        return answers[self.first - 1 :: self.number]


def main(options: Namespace) -> int:
    """Judge the chosen answers, print the table and the mistakes; return the exit status."""
    os.environ.update(CACHE_ENVIRONMENT | os.environ)
    if "XLA_FLAGS" not in os.environ and quick_compilation.accepted():
        os.environ["XLA_FLAGS"] = quick_compilation.XLA_FLAGS
    tasks = [task_by_number(number) for number in options.tasks]
    outcomes, found = judge_all(tasks, options)
    found += [
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


def judge_all(tasks: list[Task], options: Namespace) -> tuple[dict[str, list[Outcome]], list[str]]:
    """Judge answers, or read from the record what was judged before.

    Args:
        tasks: whose answers.
        options: as from `parse_arguments`.

    Returns:
        the outcomes by the task's stem; a message for each that is not as recorded.
    """
    outcomes: dict[str, list[Outcome]] = {task.stem: [] for task in tasks}
    records, waiting = {task: VerdictRecord(task) for task in tasks}, []
    for task in tasks:
        solution, *others = bank(task)
        answers = options.part.of([solution, *others])
        in_doubt = [solution, *(options.anew.of(answers) if options.anew else [])]
        for answer in answers:
            recorded = records[task].get(answer)
            if answer in in_doubt:
                waiting.append((task, answer, judge_answer))
            elif recorded:
                outcomes[task.stem].append(recorded)
            else:
                waiting.append((task, answer, judge_with_known_checks))
    known = sum(map(len, outcomes.values()))
    print(f"{known} of {known + len(waiting)} verdicts are on record.", file=sys.stderr)
    differences = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, spawn, collect_garbage_rarely) as pool:
        running = {pool.submit(judge, task, answer): task for task, answer, judge in waiting}
        for number, future in enumerate(as_completed(running), 1):
            task, outcome = running[future], future.result()
            outcomes[task.stem].append(outcome)
            line = f"{task.stem}, {outcome.answer.name}: {outcome.verdict.words}"
            print(f"{number} of {len(waiting)}, {line}", file=sys.stderr, flush=True)
            if before := records[task].differs(outcome):
                differences.append(f"{line} {sorted(outcome.claimed)}, recorded as {before}")
            if options.record:
                records[task].put(outcome, bank(task))
    return outcomes, differences


def parse_arguments(arguments: list[str]) -> Namespace:
    """The options: `tasks` are numbers, `part` and `anew` are parts; `anew` may be None."""
    parser = ArgumentParser(
        "python -m tests.project.answers",
        description="Compare the grader's verdicts with the bank.",
    )
    parser.add_argument("tasks", nargs="*", type=int, metavar="N", help="the tasks; all by default")
    parser.add_argument(
        "--part", type=Part.parse, default="1/1", metavar="K/N", help="judge one part of each bank"
    )
    parser.add_argument(
        "--anew",
        type=Part.parse,
        metavar="K/N",
        help="of these, the part to judge again although it is recorded, with every check",
    )
    parser.add_argument("--record", action="store_true", help="write the verdicts to the record")
    parser.add_argument(
        "--processes", type=int, default=2, metavar="N", help="how many judge at a time (2)"
    )
    options = parser.parse_args(arguments)
    options.tasks = options.tasks or [task.number for task in TASKS]
    return options


if __name__ == "__main__":
    sys.exit(main(parse_arguments(sys.argv[1:])))
