"""Enumerate the ways to arrange the reference's weights in the learner's tree of parameters.

The two trees are paired by shape. Where several pairings fit (two LayerNorms, several blocks),
they come in order of likelihood: the order in which a module first uses its parameters is nearly
always the right one, so it is first.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice, permutations, product
from typing import Any

from minigpt_challenge.coach.checks import param_trees
from minigpt_challenge.coach.checks.param_trees import Path
from minigpt_challenge.coach.checks.stacked_params import restacked

MAX_PAIRINGS = 400

# From weights in the reference's tree to the same weights in the learner's tree.
Arrangement = Callable[[dict], dict]
Pairing = list[tuple[Path, Path]]  # a path of the learner's tree and one of the reference's


def arrangements(wanted: dict, given: dict) -> Iterator[Arrangement]:
    """Every arrangement of the reference's weights that fits the learner's shapes, likely first.

    Args:
        wanted: the learner's tree of shapes, in order of use, stacked layers split.
        given: the reference's, with the same shapes.
    """
    shapes: dict[Path, tuple[int, ...]] = dict(param_trees.flatten(wanted))
    tried: set[frozenset] = set()

    def arrange(pairs: Pairing, values: dict) -> dict:
        values = dict(param_trees.flatten(values))
        leaves = {mine: values[theirs].reshape(shapes[mine]) for mine, theirs in pairs}
        return restacked(param_trees.unflatten(leaves))

    # Equal names usually mean the same, so pair by name first, then regardless of names.
    likely_first = chain(_pairings(wanted, given, True), _pairings(wanted, given, False))
    for pairs in likely_first:
        if frozenset(pairs) not in tried:
            tried.add(frozenset(pairs))
            yield partial(arrange, pairs)
        if len(tried) == MAX_PAIRINGS:
            return


def _pairings(wanted: Any, given: Any, by_name: bool) -> Iterator[Pairing]:
    """Pairings of the two trees: by subtrees where both nest alike, otherwise leaf by leaf.

    With `by_name`, a layer whose parts have the reference's names is paired by name.
    """
    if by_name and wanted == given and param_trees.depth(wanted) <= 2:
        yield [(path, path) for path, _ in param_trees.flatten(wanted)]
        return
    if param_trees.is_leaf(wanted) and param_trees.is_leaf(given):
        yield [((), ())]
        return
    if param_trees.is_leaf(wanted) or param_trees.is_leaf(given):
        yield from _flat_pairings(wanted, given)
        return
    if len(wanted) == 1 != len(given):  # a wrapper such as nn.Sequential
        ((name, wrapped),) = wanted.items()
        for pairs in _pairings(wrapped, given, by_name):
            yield [((name, *mine), theirs) for mine, theirs in pairs]
        return
    groups, my_rest, their_rest = _groups(wanted, given)
    choices = []
    for mine, theirs in groups:
        orders = islice(permutations(theirs), MAX_PAIRINGS)
        choices.append([tuple(zip(mine, order, strict=True)) for order in orders])
    rest = list(islice(_flat_pairings(my_rest, their_rest), MAX_PAIRINGS))
    for choice in product(*choices):
        inner = [
            [list(islice(_pairings(wanted[a], given[b], by_name), MAX_PAIRINGS)) for a, b in group]
            for group in choice
        ]
        matched = [pair for group in choice for pair in group]
        for *chosen, loose in chain(_alike(inner, rest), _one_by_one(inner, rest)):
            yield loose + [
                ((a, *left), (b, *right))
                for (a, b), pairs in zip(matched, chosen, strict=True)
                for left, right in pairs
            ]
    if groups and my_rest:
        yield from _flat_pairings(wanted, given)


def _alike(inner: list[list[list]], rest: list) -> Iterator[tuple]:
    """The same pairing inside all members of a group: blocks are usually built alike."""
    groups = [list(zip(*members, strict=False)) for members in inner]
    for *chosen, loose in product(*groups, rest):
        yield *chain(*chosen), loose


def _one_by_one(inner: list[list[list]], rest: list) -> Iterator[tuple]:
    """Independent pairings inside the members of each group."""
    return product(*chain(*inner), rest)


def _groups(wanted: dict, given: dict) -> tuple[list[tuple[list[str], list[str]]], dict, dict]:
    """The children of both, grouped by their shapes; and those without a counterpart."""
    mine: dict[tuple, list[str]] = {}
    theirs: dict[tuple, list[str]] = {}
    for tree, groups in ((wanted, mine), (given, theirs)):
        for name, child in tree.items():
            shapes = sorted(shape for _, shape in param_trees.bare(child))
            signature = (param_trees.is_leaf(child), tuple(shapes))
            groups.setdefault(signature, []).append(name)
    alike = [s for s in mine if len(mine[s]) == len(theirs.get(s, ()))]
    my_names = {name for s in alike for name in mine[s]}
    their_names = {name for s in alike for name in theirs[s]}
    my_rest = {name: child for name, child in wanted.items() if name not in my_names}
    their_rest = {name: child for name, child in given.items() if name not in their_names}
    return [(mine[s], theirs[s]) for s in alike], my_rest, their_rest


def _flat_pairings(wanted: Any, given: Any) -> Iterator[Pairing]:
    """Pairings of the leaves by shape alone."""
    mine: dict[tuple[int, ...], list[Path]] = {}
    theirs: dict[tuple[int, ...], list[Path]] = {}
    for tree, groups in ((wanted, mine), (given, theirs)):
        for path, shape in param_trees.bare(tree):
            groups.setdefault(shape, []).append(path)
    choices = []
    for shape, paths in mine.items():
        orders = islice(permutations(theirs[shape]), MAX_PAIRINGS)
        choices.append([tuple(zip(paths, order, strict=True)) for order in orders])
    for choice in product(*choices):
        yield [pair for group in choice for pair in group]
