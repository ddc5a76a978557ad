"""Meaning, not names: which of the learner's parameters is which of the reference's?

Where learners write `setup`, they choose names and order. The two trees of parameters are paired
by shape; where several pairings fit (two LayerNorms, several blocks), they are tried one after
the other until one makes the two functions equal. The order in which a module first uses its
parameters is nearly always the right one, so it is tried first.

A wrong function never equals the reference's, so the pairing under which a mistake explains it is
looked for. A mistake that leaves parameters out makes the learner's tree the smaller one: it is
paired with those of the reference's weights that the mistaken computation reads.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import chain, combinations, islice, permutations, product
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from minigpt_challenge.coach import draw
from minigpt_challenge.coach.diagnosis import LARGEST_SET, Fault, Suspects, in_words
from minigpt_challenge.coach.expect import TOLERANCE, Wrong

MOST_PAIRINGS = 400
MOST_PAIRINGS_OF_MISTAKES = 24

Path = tuple[str, ...]


class Twins:
    """The learner's module and the reference's, and one set of weights arranged for each.

    Attributes:
        mine, theirs: the two as functions of weights and inputs, compiled.
        my_params, their_params: the weights.
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
        self.mine, self.theirs = jax.jit(answer.apply), jax.jit(reference.apply)
        self.their_params = draw.params(reference, *inputs, seed=seed)
        expected = self.theirs(self.their_params, *inputs)
        wanted, given = shapes_in_order(answer, *inputs), shapes_in_order(reference, *inputs)
        difference, first = _difference(wanted, given), None
        self._suspects = suspects
        if not difference:
            first, equal = _search(wanted, given, self.their_params, self.mine, inputs, expected)
            if equal is not None:
                self.my_params = equal
                return
        faults, explained = _explanation(
            wanted, given, self.their_params, self.mine, inputs, suspects
        )
        if difference:
            message = f"{difference}\n{in_words(faults)}".rstrip()
            raise Wrong(message, tuple(fault.id for fault in faults))
        self.my_params = explained if faults else first
        if not faults:
            self._suspects = lambda *_: Suspects((), lambda _: None)

    def case(self, *inputs: Any, scale: float = 1.0) -> tuple[Any, Any, Suspects]:
        """What both return, and the mistakes that may explain a difference: for `all_equal`.

        Args:
            inputs: what both are called with.
            scale: what all weights are multiplied by.
        """
        mine, theirs = (
            jax.tree.map(lambda leaf: np.float32(scale) * leaf, params)
            for params in (self.my_params, self.their_params)
        )
        seen, expected = self.mine(mine, *inputs), self.theirs(theirs, *inputs)
        return seen, expected, self._suspects(theirs, *inputs)


def weights_for(answer: nn.Module, reference: nn.Module, reference_params: dict, *inputs: Any):
    """The reference's weights, arranged as the learner's module wants them.

    If a pairing makes the two modules agree on the inputs, it is that one; if none does, the one
    in order of use, so that what differs can be shown.

    Raises:
        Wrong: the parameters of the two differ in number or shape.
    """
    wanted, given = shapes_in_order(answer, *inputs), shapes_in_order(reference, *inputs)
    if difference := _difference(wanted, given):
        raise Wrong(difference)
    expected = jax.jit(reference.apply)(reference_params, *inputs)
    apply = jax.jit(answer.apply)
    first, equal = _search(wanted, given, reference_params, apply, inputs, expected)
    return first if equal is None else equal


def shapes_in_order(module: nn.Module, *inputs: Any) -> dict:
    """The tree of the module's parameter shapes, in the order in which they are first used.

    JAX sorts the keys of any dictionary that it returns; inside the trace they are still in
    Flax's order.
    """
    found = {}

    def init(key, *inputs):
        variables = module.init(key, *inputs)
        found.update(_shapes(variables))
        return variables

    jax.eval_shape(init, jax.random.key(0), *inputs)
    return found


def arrangements(wanted: dict, given: dict, values: dict) -> Iterator[dict]:
    """The reference's weights in every arrangement that fits the learner's shapes, likely first.

    Args:
        wanted: the learner's tree of shapes, in order of use.
        given: the reference's, of the same shapes.
        values: the weights, a tree like `given` or larger.
    """
    values, shapes = dict(_flatten(values)), dict(_flatten(wanted))
    tried = set()
    # Names mean something more often than not, so they are trusted first, and then not at all.
    likely_first = chain(_pairings(wanted, given, True), _pairings(wanted, given, False))
    for pairs in islice(likely_first, MOST_PAIRINGS):
        if frozenset(pairs) not in tried:
            tried.add(frozenset(pairs))
            yield _unflatten({mine: values[theirs].reshape(shapes[mine]) for mine, theirs in pairs})


def _search(wanted, given, values, apply, inputs, expected) -> tuple[dict, dict | None]:
    """The first arrangement, and the one that makes the learner's function give `expected`."""
    first = None
    for params in arrangements(wanted, given, values):
        first = params if first is None else first
        seen = apply(params, *inputs)
        if _close(seen, expected):
            return first, params
        if np.shape(seen) != np.shape(expected):
            break
    return first, None


def _explanation(
    wanted, given, values, apply, inputs, suspects
) -> tuple[tuple[Fault, ...], dict | None]:
    """The smallest set of mistakes that explains the learner's function, and the arrangement.

    Nothing where no set does, or several equally small ones do.
    """

    @cache
    def outputs(read: frozenset[Path]) -> list[tuple[dict, Any]]:
        """What the learner's function gives with these weights, in the likely arrangements."""
        kept = _unflatten({path: shape for path, shape in _flatten(given) if path in read})
        if _difference(wanted, kept):
            return []
        likely = islice(arrangements(wanted, kept, values), MOST_PAIRINGS_OF_MISTAKES)
        return [(params, apply(params, *inputs)) for params in likely]

    for size in range(1, LARGEST_SET + 1):
        found = []
        for chosen in combinations(suspects(values, *inputs).faults, size):
            read: set[Path] = set()
            watched = suspects(_Watched(values, read), *inputs)
            try:
                computed = watched.compute(frozenset(fault.id for fault in chosen))
            except (ValueError, IndexError, KeyError):
                continue
            fitting = (
                params for params, seen in outputs(frozenset(read)) if _close(seen, computed)
            )
            if (params := next(fitting, None)) is not None:
                found.append((chosen, params))
        if found:
            return found[0] if len(found) == 1 else ((), None)
    return (), None


class _Watched(Mapping):
    """A tree of weights that notes the paths of those that are read."""

    def __init__(self, tree: Mapping, read: set[Path], path: Path = ()):
        self._tree, self._read, self._path = tree, read, path

    def __getitem__(self, name: str) -> Any:
        child, path = self._tree[name], (*self._path, name)
        if _is_leaf(child):
            self._read.add(path)
            return child
        return _Watched(child, self._read, path)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tree)

    def __len__(self) -> int:
        return len(self._tree)


def _close(seen: Any, expected: Any) -> bool:
    if not hasattr(seen, "shape") or seen.shape != np.shape(expected):
        return False
    scale = max(float(np.abs(expected).max(initial=0)), 1e-6)
    return np.allclose(seen, expected, rtol=0, atol=TOLERANCE * scale)


def _pairings(wanted: Any, given: Any, by_name: bool) -> Iterator[list[tuple[Path, Path]]]:
    """Pairs of paths, subtree by subtree where both nest alike, leaf by leaf where they do not.

    With `by_name`, a layer whose parts are named just as the reference's is paired by its names.
    """
    if by_name and wanted == given and _depth(wanted) <= 2:
        yield [(path, path) for path, _ in _flatten(wanted)]
        return
    if _is_leaf(wanted) and _is_leaf(given):
        yield [((), ())]
        return
    if _is_leaf(wanted) or _is_leaf(given):
        yield from _flat_pairings(wanted, given)
        return
    if len(wanted) == 1 != len(given):  # a box around it all, such as nn.Sequential
        ((box, inside),) = wanted.items()
        for pairs in _pairings(inside, given, by_name):
            yield [((box, *mine), theirs) for mine, theirs in pairs]
        return
    groups, my_rest, their_rest = _groups(wanted, given)
    choices = []
    for mine, theirs in groups:
        orders = islice(permutations(theirs), MOST_PAIRINGS)
        choices.append([tuple(zip(mine, order, strict=True)) for order in orders])
    rest = list(islice(_flat_pairings(my_rest, their_rest), MOST_PAIRINGS))
    for choice in product(*choices):
        matched = [pair for group in choice for pair in group]
        inner = [
            list(islice(_pairings(wanted[a], given[b], by_name), MOST_PAIRINGS)) for a, b in matched
        ]
        for *combination, loose in product(*inner, rest):
            yield loose + [
                ((a, *left), (b, *right))
                for (a, b), pairs in zip(matched, combination, strict=True)
                for left, right in pairs
            ]
    if groups and my_rest:
        yield from _flat_pairings(wanted, given)


def _groups(wanted: dict, given: dict) -> tuple[list[tuple[list[str], list[str]]], dict, dict]:
    """The children of both, grouped by the shapes they hold; and those that have no counterpart."""
    mine, theirs = {}, {}
    for tree, groups in ((wanted, mine), (given, theirs)):
        for name, child in tree.items():
            signature = (_is_leaf(child), tuple(sorted(shape for _, shape in _bare(child))))
            groups.setdefault(signature, []).append(name)
    alike = [s for s in mine if len(mine[s]) == len(theirs.get(s, ()))]
    groups = [(mine[s], theirs[s]) for s in alike]
    my_names = {name for s in alike for name in mine[s]}
    their_names = {name for s in alike for name in theirs[s]}
    my_rest = {name: child for name, child in wanted.items() if name not in my_names}
    their_rest = {name: child for name, child in given.items() if name not in their_names}
    return groups, my_rest, their_rest


def _flat_pairings(wanted: Any, given: Any) -> Iterator[list[tuple[Path, Path]]]:
    mine, theirs = {}, {}
    for tree, groups in ((wanted, mine), (given, theirs)):
        for path, shape in _bare(tree):
            groups.setdefault(shape, []).append(path)
    choices = []
    for shape, paths in mine.items():
        orders = islice(permutations(theirs[shape]), MOST_PAIRINGS)
        choices.append([tuple(zip(paths, order, strict=True)) for order in orders])
    for choice in product(*choices):
        yield [pair for group in choice for pair in group]


def _difference(wanted: dict, given: dict) -> str:
    """How the learner's parameters differ from those given, in words; empty if they do not."""
    mine = sorted(shape for _, shape in _bare(wanted))
    theirs = sorted(shape for _, shape in _bare(given))
    if mine == theirs:
        return ""
    surplus, missing = list(mine), []
    for shape in theirs:
        if shape in surplus:
            surplus.remove(shape)
        else:
            missing.append(shape)
    said = []
    if missing:
        said.append(f"missing are parameters of shape {', '.join(map(str, missing))}")
    if surplus:
        said.append(f"not asked for are parameters of shape {', '.join(map(str, surplus))}")
    return f"The parameters are not those asked for: {'; '.join(said)}."


def _bare(tree: Any) -> list[tuple[Path, tuple[int, ...]]]:
    """The leaves with axes of size 1 left out: a table of (1, T, C) is one of (T, C)."""
    return [(path, tuple(n for n in shape if n != 1)) for path, shape in _flatten(tree)]


def _shapes(tree: Any) -> Any:
    return {k: _shapes(v) for k, v in tree.items()} if hasattr(tree, "items") else tree.shape


def _is_leaf(tree: Any) -> bool:
    return not isinstance(tree, dict)


def _depth(tree: Any) -> int:
    return 0 if _is_leaf(tree) else 1 + max(map(_depth, tree.values()), default=0)


def _flatten(tree: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    if _is_leaf(tree):
        return [(path, tree)]
    return [item for name, child in tree.items() for item in _flatten(child, (*path, name))]


def _unflatten(leaves: dict[Path, Any]) -> dict:
    tree: dict = {}
    for path, leaf in leaves.items():
        node = tree
        for name in path[:-1]:
            node = node.setdefault(name, {})
        node[path[-1]] = leaf
    return tree
