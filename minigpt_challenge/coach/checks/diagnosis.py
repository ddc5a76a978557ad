"""Find the likely cause of a failure by computing what each mistake would give.

A model of mistakes is the reference written a second time, with a switch for every common mistake.
When a check fails, the switches are tried on the learner's own weights and inputs: single mistakes
first, then pairs. The smallest set that gives the learner's numbers is the diagnosis. If no set
does, or several of the same size do, nothing is claimed: a wrong diagnosis is worse than none.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks.tolerance import differs

MAX_FAULTS = 2  # in a diagnosis
MIN_DEFINED = 0.15  # of each array's values: an output that is mostly NaN would explain anything


@dataclass(frozen=True)
class Fault:
    """A mistake that people make.

    Attributes:
        id: its name in the JSON report.
        what: continues "Your output is exactly what comes out …".
        think: how to think about it in order to fix it.
    """

    id: str
    what: str
    think: str


@dataclass(frozen=True)
class Suspects:
    """A model of mistakes, set up with the weights and inputs of one check.

    Attributes:
        faults: the switches.
        compute: from the ids of the faults that are switched on to the output, an array or a
            pytree; without faults, the reference's output. A faulty computation may be undefined
            in places (0/0, ∞ - ∞): where it gives NaN or ±∞, the learner's output may have any
            value.
        alternatives: groups of ids of faults that exclude each other, one group for each decision
            that can be wrong in one way only.
    """

    faults: tuple[Fault, ...]
    compute: Callable[[frozenset[str]], Any]
    alternatives: tuple[frozenset[str], ...] = ()

    def output(self, faults: frozenset[str]) -> Any:
        """The output with these faults.

        Raises:
            ValueError: the faults exclude each other, or leave nothing to compute.
        """
        if any(len(faults & group) > 1 for group in self.alternatives):
            raise ValueError(f"{sorted(faults)} exclude each other")
        return self.compute(faults)


def ids(*groups: Iterable[Fault]) -> tuple[frozenset[str], ...]:
    """The ids of the faults of each group."""
    return tuple(frozenset(fault.id for fault in group) for group in groups)


def diagnose(evidence: Sequence[tuple[Any, Suspects]]) -> tuple[Fault, ...]:
    """The smallest set of faults that explains all evidence; empty if nothing is claimed.

    Args:
        evidence: what was seen in each case, and the model of mistakes set up for it.
    """
    if not evidence or not all(
        hasattr(leaf, "shape") for seen, _ in evidence for leaf in _leaves(seen)
    ):
        return ()
    known = evidence[0][1].faults
    for size in range(1, MAX_FAULTS + 1):
        explaining = [chosen for chosen in combinations(known, size) if _explains(chosen, evidence)]
        if explaining:
            return explaining[0] if len(explaining) == 1 else ()
    return ()


def explain(faults: tuple[Fault, ...]) -> str:
    """The cause in sentences; empty without faults."""
    if not faults:
        return ""
    if len(faults) == 1:
        return f"your output is exactly what comes out {faults[0].what}. {faults[0].think}"
    lines = (
        f"{number}. {fault.what[0].upper()}{fault.what[1:]}. {fault.think}"
        for number, fault in enumerate(faults, 1)
    )
    return "\n".join(
        ["your output is exactly what comes out with these mistakes together:", *lines]
    )


def _explains(chosen: tuple[Fault, ...], evidence: Sequence[tuple[Any, Suspects]]) -> bool:
    """Whether these faults give what was seen in every case."""
    num_defined: Counter[int] = Counter()  # by the index of the leaf
    num_values: Counter[int] = Counter()
    for seen, suspects in evidence:
        try:
            with np.errstate(all="ignore"):
                computed = suspects.output(*ids(chosen))
        except (ValueError, IndexError, KeyError):
            return False
        computed_leaves, seen_leaves = _leaves(computed), _leaves(seen)
        if [np.shape(leaf) for leaf in computed_leaves] != [np.shape(leaf) for leaf in seen_leaves]:
            return False
        pairs = zip(map(np.asarray, computed_leaves), map(np.asarray, seen_leaves), strict=True)
        for index, (computed, seen) in enumerate(pairs):
            defined = np.isfinite(computed)
            if differs(seen[defined], computed[defined]).any():
                return False
            if computed.size > 1:
                num_defined[index] += defined.sum()
                num_values[index] += defined.size
    return all(num_defined[index] >= MIN_DEFINED * num_values[index] for index in num_values)


def _leaves(tree: Any) -> list[Any]:
    return jax.tree.leaves(tree, is_leaf=lambda node: node is None)
