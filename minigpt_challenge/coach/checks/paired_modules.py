"""The learner's module and the reference's with the same weights.

With a wrong module no pairing of the parameters makes the outputs equal. Then the pairing is the
one under which a mistake explains the output. If the mistake leaves parameters out, the learner's
tree is smaller: it is paired with those of the reference's weights that the mistake's computation
reads.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, islice
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks import expect, param_trees, random_inputs
from minigpt_challenge.coach.checks.diagnosis import MAX_FAULTS, Fault, Suspects, explain, ids
from minigpt_challenge.coach.checks.numpy_interpreter import traced, traced_apply
from minigpt_challenge.coach.checks.param_arrangements import Arrangement, arrangements
from minigpt_challenge.coach.checks.param_pairing import close, mismatch, search, shapes_of_both
from minigpt_challenge.coach.checks.param_trees import Model, Path
from minigpt_challenge.coach.runtime.reference_cache import cached

MAX_PAIRINGS_PER_MISTAKE = 24


class PairedModules:
    """The learner's module and the reference's, with the same weights arranged for each.

    Attributes:
        mine, theirs: both modules as functions of weights, in the reference's tree, and inputs.
        params: the weights, in the reference's tree.
    """

    def __init__(
        self,
        answer: Model,
        reference: Model,
        *inputs: Any,
        suspects: Callable[..., Suspects],
        seed: int = 0,
    ):
        """Draw the weights, and pair the parameters of the two modules on these inputs.

        Args:
            answer: the learner's module.
            reference: the solution's.
            inputs: what both are called with.
            suspects: from weights, in the reference's tree, and inputs to the mistakes that may
                explain a difference.
            seed: for the weights.

        Raises:
            expect.Wrong: the parameters of the two differ in number or shape.
        """
        apply, self.theirs = traced(answer.apply), traced_apply(reference)
        self.mine = lambda params, *inputs: apply(self._arrange(params), *inputs)
        self.params = random_inputs.params(reference, *inputs, seed=seed)
        expected = self.theirs(self.params, *inputs)
        wanted, given = shapes_of_both(answer, reference, *inputs)
        wrong = mismatch(wanted, given)
        self._suspects = suspects
        if wrong is None:
            likely, equal = search(wanted, given, self.params, apply, inputs, expected)
            self._arrange: Arrangement = equal or likely
            if equal is not None:
                return
        values = jax.tree.map(np.asarray, self.params)
        faults, explained = _explanation(wanted, given, values, apply, inputs, suspects)
        if wrong is not None:
            diagnosis = tuple(fault.id for fault in faults)
            raise wrong.but(cause=explain(faults), diagnosis=diagnosis)
        self._arrange = explained or self._arrange
        if not faults:
            self._suspects = lambda *_: expect.NO_SUSPECTS

    def scaled(self, factor: float) -> PairedModules:
        """The same modules with all weights multiplied by this factor."""
        other = copy.copy(self)
        other.params = jax.tree.map(lambda leaf: np.float32(factor) * np.asarray(leaf), self.params)
        return other

    def case(self, *inputs: Any) -> tuple[Any, Any, Suspects]:
        """Both outputs, and the mistakes that may explain a difference: for `expect.all_equal`."""
        params = jax.tree.map(np.asarray, self.params)
        seen, expected = self.mine(params, *inputs), self.theirs(params, *inputs)
        return seen, expected, self._suspects(params, *inputs)

    def gradients(self, argnum: int, weight: jax.Array, *inputs: Any) -> tuple[Any, Any]:
        """The gradients of the weighted sums of both outputs.

        Args:
            argnum: with respect to what: 0 for the weights, 1 for the first of the inputs.
            weight: float, of the output's shape.
            inputs: what both are called with.
        """
        theirs = _cached_gradient(self.theirs, argnum)
        return tuple(
            f(weight, self.params, *inputs) for f in (_gradient(self.mine, argnum), theirs)
        )


def _gradient(apply: Callable, argnum: int) -> Callable:
    def weighted(weight: jax.Array, *arguments: Any) -> jax.Array:
        return (apply(*arguments) * weight).sum()

    return traced(jax.grad(weighted, 1 + argnum))


_cached_gradient = cached(_gradient)  # for the reference's `apply`, which is cached as well


def same_outputs(
    cases: Iterable[tuple[PairedModules, Any]],
    axes: Sequence[str],
    label: str,
    elsewhere: Iterable[tuple[PairedModules, Any]] = (),
) -> None:
    """Both modules of each pair return the same. If not, report the likely cause.

    Args:
        cases: pairs, each with an input for both of its modules.
        axes: a name for each axis of the output, e.g. "BTC".
        label: what was called, for the message.
        elsewhere: the cases of other checks, which the cause has to explain as well.
    """

    def others() -> Iterator[expect.Case]:
        return (pair.case(x) for pair, x in elsewhere)

    expect.all_equal((pair.case(x) for pair, x in cases), axes, label, [others])


def _explanation(
    wanted: dict,
    given: dict,
    values: dict,
    apply: Callable,
    inputs: Sequence[Any],
    suspects: Callable[..., Suspects],
) -> tuple[tuple[Fault, ...], Arrangement | None]:
    """The smallest set of mistakes that explains the learner's function, and the arrangement.

    Nothing if no set explains it, or several of the same size do. The arguments are those of
    `param_pairing.search`.
    """

    @cache
    def outputs(read: frozenset[Path]) -> list[tuple[Arrangement, Any]]:
        """The learner's output with these weights, in each of the likely arrangements."""
        shapes = {path: shape for path, shape in param_trees.flatten(given) if path in read}
        some = param_trees.unflatten(shapes)
        if mismatch(wanted, some):
            return []
        likely = islice(arrangements(wanted, some), MAX_PAIRINGS_PER_MISTAKE)
        return [(arrange, apply(arrange(values), *inputs)) for arrange in likely]

    for size in range(1, MAX_FAULTS + 1):
        found = []
        for chosen in combinations(suspects(values, *inputs).faults, size):
            read: set[Path] = set()
            recording = suspects(_Recording(values, read), *inputs)
            try:
                computed = recording.output(*ids(chosen))
            except (ValueError, IndexError, KeyError):
                continue
            tried = outputs(frozenset(read))
            fitting = (arrange for arrange, seen in tried if close(seen, computed))
            if arrange := next(fitting, None):
                found.append((chosen, arrange))
        if found:
            return found[0] if len(found) == 1 else ((), None)
    return (), None


class _Recording(Mapping):
    """A tree of weights that records the paths of those that are read."""

    def __init__(self, tree: Mapping, read: set[Path], path: Path = ()):
        self._tree, self._read, self._path = tree, read, path

    def __getitem__(self, name: str) -> Any:
        child, path = self._tree[name], (*self._path, name)
        if param_trees.is_leaf(child):
            self._read.add(path)
            return child
        return _Recording(child, self._read, path)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tree)

    def __len__(self) -> int:
        return len(self._tree)
