"""The learner's module beside the reference's, one set of weights in both.

A wrong function never equals the reference's, so the pairing under which a mistake explains it is
looked for. A mistake that leaves parameters out makes the learner's tree the smaller one: it is
paired with those of the reference's weights that the mistaken computation reads.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import combinations, islice
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from minigpt_challenge.coach.checks import param_trees, random_inputs
from minigpt_challenge.coach.checks.diagnosis import LARGEST_SET, Fault, Suspects, explain, ids
from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.numpy_interpreter import traced, traced_apply
from minigpt_challenge.coach.checks.param_pairing import (
    Arrangement,
    arrangements,
    close,
    mismatch,
    search,
    shapes_of_both,
)
from minigpt_challenge.coach.checks.param_trees import Path
from minigpt_challenge.coach.runtime.reference_cache import cached

MOST_PAIRINGS_OF_MISTAKES = 24


class Twins:
    """The learner's module and the reference's, and one set of weights arranged for each.

    Attributes:
        mine, theirs: the two as functions of weights, both as the reference has them, and inputs.
        params: the weights.
    """

    def __init__(
        self,
        answer: nn.Module,
        reference: nn.Module,
        *inputs: Any,
        suspects: Callable[..., Suspects],
        seed: int = 0,
    ):
        """Draw the weights, and pair the two modules' parameters on these inputs.

        Args:
            answer: the learner's.
            reference: the solution's.
            inputs: what both are called with.
            suspects: from weights (as the reference has them) and inputs to the mistakes that may
                explain a difference.
            seed: the weights'.

        Raises:
            Wrong: the parameters of the two differ in number or shape.
        """
        apply, self.theirs = traced(answer.apply), traced_apply(reference)
        self.mine = lambda params, *inputs: apply(self._arrange(params), *inputs)
        self.params = random_inputs.params(reference, *inputs, seed=seed)
        expected = self.theirs(self.params, *inputs)
        wanted, given = shapes_of_both(answer, reference, *inputs)
        said, first = mismatch(wanted, given), None
        self._suspects = suspects
        if not said:
            first, equal = search(wanted, given, self.params, apply, inputs, expected)
            if equal is not None:
                self._arrange = equal
                return
        values = jax.tree.map(np.asarray, self.params)
        faults, explained = _explanation(wanted, given, values, apply, inputs, suspects)
        if said:
            raise Wrong(said, cause=explain(faults), diagnosis=tuple(fault.id for fault in faults))
        self._arrange = explained or first
        if not faults:
            self._suspects = lambda *_: Suspects((), lambda _: None)

    def case(self, *inputs: Any, scale: float = 1.0) -> tuple[Any, Any, Suspects]:
        """What both return, and the mistakes that may explain a difference: for `all_equal`.

        Args:
            inputs: what both are called with.
            scale: what all weights are multiplied by.
        """
        params = jax.tree.map(lambda leaf: np.float32(scale) * np.asarray(leaf), self.params)
        seen, expected = self.mine(params, *inputs), self.theirs(params, *inputs)
        return seen, expected, self._suspects(params, *inputs)

    def gradients(self, argnum: int, weight: jax.Array, *inputs: Any) -> tuple[Any, Any]:
        """The gradients of both outputs, weighted and summed.

        Args:
            argnum: with respect to what: 0 for the weights, 1 for the first of the inputs.
            weight: of the output's shape.
            inputs: what both are called with.
        """
        theirs = _cached_gradient(self.theirs, argnum)
        return tuple(
            f(weight, self.params, *inputs) for f in (_gradient(self.mine, argnum), theirs)
        )


def _gradient(apply: Callable, argnum: int) -> Callable:
    def weighted(weight, *arguments):
        return (apply(*arguments) * weight).sum()

    return traced(jax.grad(weighted, 1 + argnum))


_cached_gradient = cached(_gradient)  # for the reference's `apply`, which is cached too


def _explanation(
    wanted, given, values, apply, inputs, suspects
) -> tuple[tuple[Fault, ...], Arrangement | None]:
    """The smallest set of mistakes that explains the learner's function, and the arrangement.

    Nothing where no set does, or several equally small ones do.
    """

    @cache
    def outputs(read: frozenset[Path]) -> list[tuple[Arrangement, Any]]:
        """What the learner's function gives with these weights, in the likely arrangements."""
        shapes = {path: shape for path, shape in param_trees.flatten(given) if path in read}
        kept = param_trees.unflatten(shapes)
        if mismatch(wanted, kept):
            return []
        likely = islice(arrangements(wanted, kept), MOST_PAIRINGS_OF_MISTAKES)
        return [(arrange, apply(arrange(values), *inputs)) for arrange in likely]

    for size in range(1, LARGEST_SET + 1):
        found = []
        for chosen in combinations(suspects(values, *inputs).faults, size):
            read: set[Path] = set()
            watched = suspects(_Watched(values, read), *inputs)
            try:
                computed = watched.output(*ids(chosen))
            except (ValueError, IndexError, KeyError):
                continue
            tried = outputs(frozenset(read))
            fitting = (arrange for arrange, seen in tried if close(seen, computed))
            if arrange := next(fitting, None):
                found.append((chosen, arrange))
        if found:
            return found[0] if len(found) == 1 else ((), None)
    return (), None


class _Watched(Mapping):
    """A tree of weights that notes the paths of those that are read."""

    def __init__(self, tree: Mapping, read: set[Path], path: Path = ()):
        self._tree, self._read, self._path = tree, read, path

    def __getitem__(self, name: str) -> Any:
        child, path = self._tree[name], (*self._path, name)
        if param_trees.is_leaf(child):
            self._read.add(path)
            return child
        return _Watched(child, self._read, path)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tree)

    def __len__(self) -> int:
        return len(self._tree)
