"""The likely cause is found, not guessed.

A model of mistakes is the reference written once more with a switch for every fault that people
make. When a check fails, the switches are tried on the learner's own weights and inputs: single
faults first, then pairs. The smallest set that gives the learner's numbers is the diagnosis.
Where none does, or several equally small ones do, nothing is claimed: a wrong diagnosis is worse
than none.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks.tolerance import differs

LARGEST_SET = 2
LEAST_DEFINED = 0.15  # of each array's values: what is mostly undefined would explain anything


@dataclass(frozen=True)
class Fault:
    """A mistake that people make.

    Attributes:
        id: its name in the JSON report.
        what: goes on from "Your output is exactly what comes out …".
        think: the line of thought that repairs it.
    """

    id: str
    what: str
    think: str


@dataclass(frozen=True)
class Suspects:
    """A model of mistakes, set up with the weights and inputs of one check.

    Attributes:
        faults: the switches.
        compute: from the ids of the faults that are switched on to the output they give, an array
            or a pytree; with none, the reference's. A faulty computation may be undefined in places
            (0/0, ∞ - ∞): where it is NaN or infinite, anything may stand in the learner's output.
        alternatives: ids of faults that exclude each other, a group for each decision that can be
            wrong in one way only.
    """

    faults: tuple[Fault, ...]
    compute: Callable[[frozenset[str]], Any]
    alternatives: tuple[frozenset[str], ...] = ()

    def output(self, faults: frozenset[str]) -> Any:
        """What comes out with these faults.

        Raises:
            ValueError: they exclude each other, or leave nothing to compute.
        """
        if any(len(faults & group) > 1 for group in self.alternatives):
            raise ValueError(f"{sorted(faults)} exclude each other")
        return self.compute(faults)


def ids(*groups: Iterable[Fault]) -> tuple[frozenset[str], ...]:
    """The ids of the faults of each group."""
    return tuple(frozenset(fault.id for fault in group) for group in groups)


def diagnose(evidence: Sequence[tuple[Any, Suspects]]) -> tuple[Fault, ...]:
    """The smallest set of faults that explains everything; empty where nothing is claimed.

    Args:
        evidence: what was seen in each setting, and the model of mistakes set up for it.
    """
    if not evidence or not all(
        hasattr(leaf, "shape") for seen, _ in evidence for leaf in _leaves(seen)
    ):
        return ()
    known = evidence[0][1].faults
    for size in range(1, LARGEST_SET + 1):
        explaining = [chosen for chosen in combinations(known, size) if _explains(chosen, evidence)]
        if explaining:
            return explaining[0] if len(explaining) == 1 else ()
    return ()


def explain(faults: tuple[Fault, ...]) -> str:
    """The cause as sentences; empty where there are no faults."""
    if not faults:
        return ""
    what = ", and ".join(fault.what for fault in faults)
    return f"your output is exactly what comes out {what}. " + " ".join(
        fault.think for fault in faults
    )


def _explains(chosen: tuple[Fault, ...], evidence: list[tuple[Any, Suspects]]) -> bool:
    """Whether these faults give what was seen in every setting."""
    num_defined: Counter[int] = Counter()  # by the place of an array among the leaves
    num_values: Counter[int] = Counter()
    for seen, suspects in evidence:
        try:
            with np.errstate(all="ignore"):
                computed = suspects.output(*ids(chosen))
        except (ValueError, IndexError, KeyError):
            return False
        mine, theirs = _leaves(computed), _leaves(seen)
        if [np.shape(leaf) for leaf in mine] != [np.shape(leaf) for leaf in theirs]:
            return False
        pairs = zip(map(np.asarray, mine), map(np.asarray, theirs), strict=True)
        for place, (computed, seen) in enumerate(pairs):
            defined = np.isfinite(computed)
            if differs(seen[defined], computed[defined]).any():
                return False
            if computed.size > 1:
                num_defined[place] += defined.sum()
                num_values[place] += defined.size
    return all(num_defined[place] >= LEAST_DEFINED * num_values[place] for place in num_values)


def _leaves(seen: Any) -> list[Any]:
    return jax.tree.leaves(seen, is_leaf=lambda tree: tree is None)
