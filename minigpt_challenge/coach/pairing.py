"""Meaning, not names: which of the learner's parameters is which of the reference's?

Where learners write `setup`, they choose names and order. The two trees of parameters are paired
by shape; where several pairings fit (two LayerNorms, several blocks), they are tried one after
the other until one makes the two functions equal. The order in which a module first uses its
parameters is nearly always the right one, so it is tried first.
"""

from collections.abc import Iterator
from itertools import chain, islice, permutations, product
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from minigpt_challenge.coach.expect import TOLERANCE, Wrong

MOST_PAIRINGS = 400

Path = tuple[str, ...]


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


def weights_for(answer: nn.Module, reference: nn.Module, reference_params: dict, *inputs: Any):
    """The reference's weights, arranged as the learner's module wants them.

    If a pairing makes the two modules agree on the inputs, it is that one; if none does, the one
    in order of use, so that what differs can be shown.

    Raises:
        Wrong: the parameters of the two differ in number or shape.
    """
    expected = np.asarray(jax.jit(reference.apply)(reference_params, *inputs))
    scale = max(float(np.abs(expected).max()), 1e-6)
    apply = jax.jit(answer.apply)
    first = None
    for params in candidates(answer, reference, reference_params, *inputs):
        first = params if first is None else first
        seen = apply(params, *inputs)
        if np.shape(seen) != expected.shape:
            return first
        if np.allclose(seen, expected, rtol=0, atol=TOLERANCE * scale):
            return params
    return first


def candidates(
    answer: nn.Module, reference: nn.Module, reference_params: dict, *inputs: Any
) -> Iterator[dict]:
    """The reference's weights in every arrangement that fits the learner's shapes, likely first."""
    wanted = shapes_in_order(answer, *inputs)
    given = shapes_in_order(reference, *inputs)
    _same_shapes(wanted, given)
    values = dict(_flatten(reference_params))
    shapes = dict(_flatten(wanted))
    tried = set()
    # Names mean something more often than not, so they are trusted first, and then not at all.
    likely_first = chain(_pairings(wanted, given, True), _pairings(wanted, given, False))
    for pairs in islice(likely_first, MOST_PAIRINGS):
        if frozenset(pairs) not in tried:
            tried.add(frozenset(pairs))
            yield _unflatten({mine: values[theirs].reshape(shapes[mine]) for mine, theirs in pairs})


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
    groups = _groups(wanted, given)
    if groups is None:
        yield from _flat_pairings(wanted, given)
        return
    choices = []
    for mine, theirs in groups:
        orders = islice(permutations(theirs), MOST_PAIRINGS)
        choices.append([tuple(zip(mine, order, strict=True)) for order in orders])
    for choice in product(*choices):
        matched = [pair for group in choice for pair in group]
        inner = [
            list(islice(_pairings(wanted[a], given[b], by_name), MOST_PAIRINGS)) for a, b in matched
        ]
        for combination in product(*inner):
            yield [
                ((a, *left), (b, *right))
                for (a, b), pairs in zip(matched, combination, strict=True)
                for left, right in pairs
            ]


def _groups(wanted: Any, given: Any) -> list[tuple[list[str], list[str]]] | None:
    """The children of both, grouped by the shapes they hold; None where they do not nest alike."""
    if _is_leaf(wanted) or _is_leaf(given):
        return None
    mine, theirs = {}, {}
    for tree, groups in ((wanted, mine), (given, theirs)):
        for name, child in tree.items():
            signature = (_is_leaf(child), tuple(sorted(shape for _, shape in _bare(child))))
            groups.setdefault(signature, []).append(name)
    if {k: len(v) for k, v in mine.items()} != {k: len(v) for k, v in theirs.items()}:
        return None
    return [(names, theirs[signature]) for signature, names in mine.items()]


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


def _same_shapes(wanted: dict, given: dict) -> None:
    mine = sorted(shape for _, shape in _bare(wanted))
    theirs = sorted(shape for _, shape in _bare(given))
    if mine == theirs:
        return
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
    raise Wrong(f"The parameters are not those asked for: {'; '.join(said)}.")


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
