"""Grade right answers with one random edit each.

`python benchmarks/mutants.py 2 3 --seed 1 --count 100` grades a hundred mutants of the right
answers to task 2, and a hundred for task 3. Each must get a verdict. It lists the mutants without
one, those that pass and are not known to be right, and those that fail and are. The exit code is 1
if there are any.
"""

import argparse
import sys
from collections import Counter

from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import TASKS, Task, task_by_number
from minigpt_challenge.coach.course.verdict import Verdict
from tests.project.mutants.breeding import make_mutants
from tests.project.mutants.equivalence import why_equivalent
from tests.project.mutants.trial import Outcome, check_mutants

COLUMNS = ("task", "mutants", *(v.words for v in Verdict), "of these right", "no verdict")


def main(numbers: list[int], seed: int, count: int, processes: int, every: bool) -> int:
    """Print the unexplained mutants and the table; return 1 if there are unexplained ones."""
    table, unexplained = Table(*COLUMNS, "slowest, s", "alone"), 0
    for task in map(task_by_number, numbers):
        outcomes, right = [], 0
        for outcome in check_mutants(task, make_mutants(task, seed, count), processes):
            outcomes.append(outcome)
            strange = is_unexplained(task, outcome)
            right += outcome.verdict is Verdict.PASSED and not strange
            unexplained += strange
            if strange or every:
                print(describe(task, outcome), end="\n\n", flush=True)
            print(f"\r{task.stem}: {len(outcomes)} of {count}", end="", file=sys.stderr)
        print(file=sys.stderr)
        verdicts = Counter(outcome.verdict for outcome in outcomes)
        counts = [len(outcomes), *(verdicts[verdict] for verdict in Verdict), right, verdicts[None]]
        slowest = max(outcome.seconds for outcome in outcomes)
        alone = sum(outcome.alone for outcome in outcomes)
        table.add_row(task.stem, *map(str, counts), f"{slowest:.1f}", str(alone))
    Console(width=140).print(table)
    return 1 if unexplained else 0


def is_unexplained(task: Task, outcome: Outcome) -> bool:
    """Whether the verdict is missing, or differs from what is known about the mutant."""
    right = bool(why_equivalent(task.stem, outcome.mutant))
    return outcome.verdict is None or (outcome.verdict is Verdict.PASSED) != right


def describe(task: Task, outcome: Outcome) -> str:
    """The mutant and its verdict."""
    verdict = outcome.verdict.words if outcome.verdict else "no verdict"
    heading = f"{task.stem}, {outcome.mutant.edit} in “{outcome.mutant.source}”: {verdict}"
    message = "" if outcome.verdict is Verdict.PASSED else f"\n{outcome.messages}"
    return f"{heading}{message}\n{outcome.mutant.difference}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, default=[task.number for task in TASKS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=60, help="mutants of each task")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", action="store_true", help="list every mutant")
    sys.exit(main(*vars(parser.parse_args()).values()))
