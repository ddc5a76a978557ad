"""What the grader makes of right answers with one random edit each.

`python benchmarks/mutants.py 2 3 --seed 1 --count 100` puts a hundred mutants of task 2's right
answers on trial, and a hundred of task 3's. Each must end in a verdict. Those that pass are
listed, unless it is known why they are right; ends with 1 if any are, or if a verdict is missing.
"""

import argparse
import sys
from collections import Counter

from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import TASKS, Task, task_by_number
from minigpt_challenge.coach.course.verdict import Verdict
from tests.project.mutants.breeding import bred
from tests.project.mutants.equivalence import why_equivalent
from tests.project.mutants.trial import Outcome, tried

COLUMNS = ("task", "mutants", *(v.words for v in Verdict), "right as well", "no verdict")


def main(numbers: list[int], seed: int, count: int, processes: int, every: bool) -> int:
    """Print what nobody has explained, then the table; 1 if there is anything of that kind."""
    table, unexplained = Table(*COLUMNS, "slowest, s", "alone"), 0
    for task in map(task_by_number, numbers):
        outcomes, right = [], 0
        for outcome in tried(task, bred(task, seed, count), processes):
            outcomes.append(outcome)
            found = is_unexplained(task, outcome)
            right += outcome.verdict is Verdict.PASSED and not found
            unexplained += found
            if found or every:
                print(in_words(task, outcome), end="\n\n", flush=True)
            print(f"\r{task.stem}: {len(outcomes)} of {count}", end="", file=sys.stderr)
        print(file=sys.stderr)
        of = Counter(outcome.verdict for outcome in outcomes)
        counts = [len(outcomes), *(of[verdict] for verdict in Verdict), right, of[None]]
        slowest = max(outcome.seconds for outcome in outcomes)
        alone = sum(outcome.alone for outcome in outcomes)
        table.add_row(task.stem, *map(str, counts), f"{slowest:.1f}", str(alone))
    Console(width=140).print(table)
    return 1 if unexplained else 0


def is_unexplained(task: Task, outcome: Outcome) -> bool:
    """Whether the verdict is missing, or is not what it should be as far as is known."""
    right = bool(why_equivalent(task.stem, outcome.mutant))
    return outcome.verdict is None or (outcome.verdict is Verdict.PASSED) != right


def in_words(task: Task, outcome: Outcome) -> str:
    """The mutant, and what became of it."""
    verdict = outcome.verdict.words if outcome.verdict else "no verdict"
    heading = f"{task.stem}, {outcome.mutant.edit} in “{outcome.mutant.source}”: {verdict}"
    said = "" if outcome.verdict is Verdict.PASSED else f"\n{outcome.said}"
    return f"{heading}{said}\n{outcome.mutant.difference}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, default=[task.number for task in TASKS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=60, help="mutants of each task")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", action="store_true", help="list every mutant")
    sys.exit(main(*vars(parser.parse_args()).values()))
