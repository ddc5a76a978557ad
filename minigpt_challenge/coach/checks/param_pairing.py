"""Meaning, not names: which of the learner's parameters is which of the reference's?

Where learners write `setup`, they choose names and order. The two trees of parameters are paired
by shape; where several pairings fit (two LayerNorms, several blocks), they are tried one after
the other until one makes the two functions equal. The order in which a module first uses its
parameters is nearly always the right one, so it is tried first.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice, permutations, product
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from minigpt_challenge.coach.checks import param_trees
from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.numpy_interpreter import traced, traced_apply
from minigpt_challenge.coach.checks.param_trees import Path, shapes_in_order
from minigpt_challenge.coach.checks.stacked_params import restacked, unstacked
from minigpt_challenge.coach.checks.tolerance import differs
from minigpt_challenge.coach.runtime.loading import solution

MOST_PAIRINGS = 400

# From weights as the reference has them to the same weights as the learner's module wants them.
Arrangement = Callable[[dict], dict]


def weights_for(answer: nn.Module, reference: nn.Module, reference_params: dict, *inputs: Any):
    """The reference's weights, arranged as the learner's module wants them.

    If a pairing makes the two modules agree on the inputs, it is that one; if none does, the one
    in order of use, so that what differs can be shown.

    Raises:
        Wrong: the parameters of the two differ in number or shape.
    """
    wanted, given = shapes_of_both(answer, reference, *inputs)
    if said := mismatch(wanted, given):
        raise Wrong(said)
    expected = traced_apply(reference)(reference_params, *inputs)
    apply = traced(answer.apply)
    first, equal = search(wanted, given, reference_params, apply, inputs, expected)
    return (equal or first)(reference_params)


def under_the_given_names(model: nn.Module, params: Any, tokens: jax.Array) -> Any:
    """The params of a MiniGPT of task 4, in the tree in which the reference would have them.

    Task 4 leaves the names of its layers to you; the models of later tasks cannot know them. Which
    layer is which is found by trying: the reference computes the same with these params.

    Args:
        model: a MiniGPT, the learner's or another.
        params: its params.
        tokens: integers (B, T), on which the two are compared.

    Raises:
        Wrong: the model has other parameters than the reference.
    """
    fields = ("vocab_size", "hidden_dim", "block_size", "num_layers", "num_heads")
    sizes = {name: getattr(model, name) for name in fields}
    return weights_for(solution(4).MiniGPT(**sizes), model, params, tokens)


def shapes_of_both(answer: nn.Module, reference: nn.Module, *inputs: Any) -> tuple[dict, dict]:
    """The learner's tree of shapes, stacked layers taken apart, and the reference's."""
    given = shapes_in_order(reference, *inputs)
    return unstacked(shapes_in_order(answer, *inputs), given), given


def arrangements(wanted: dict, given: dict) -> Iterator[Arrangement]:
    """Every arrangement of the reference's weights that fits the learner's shapes, likely first.

    Args:
        wanted: the learner's tree of shapes, in order of use, stacked layers taken apart.
        given: the reference's, of the same shapes.
    """
    shapes, tried = dict(param_trees.flatten(wanted)), set()

    def arrange(pairs: list[tuple[Path, Path]], values: dict) -> dict:
        values = dict(param_trees.flatten(values))
        leaves = {mine: values[theirs].reshape(shapes[mine]) for mine, theirs in pairs}
        return restacked(param_trees.unflatten(leaves))

    # Names mean something more often than not, so they are trusted first, and then not at all.
    likely_first = chain(_pairings(wanted, given, True), _pairings(wanted, given, False))
    for pairs in likely_first:
        if frozenset(pairs) not in tried:
            tried.add(frozenset(pairs))
            yield partial(arrange, pairs)
        if len(tried) == MOST_PAIRINGS:
            return


def search(
    wanted, given, values, apply, inputs, expected
) -> tuple[Arrangement, Arrangement | None]:
    """The first arrangement, and the one that makes the learner's function give `expected`."""
    first = None
    for arrange in arrangements(wanted, given):
        first = first or arrange
        seen = apply(arrange(values), *inputs)
        if close(seen, expected):
            return first, arrange
        if np.shape(seen) != np.shape(expected):
            break
    return first, None


def close(seen: Any, expected: Any) -> bool:
    """Whether two outputs are equal; what is no array, or of another shape, is not."""
    if not hasattr(seen, "shape") or seen.shape != np.shape(expected):
        return False
    return not differs(seen, expected).any()


def _pairings(wanted: Any, given: Any, by_name: bool) -> Iterator[list[tuple[Path, Path]]]:
    """Pairs of paths, subtree by subtree where both nest alike, leaf by leaf where they do not.

    With `by_name`, a layer whose parts are named just as the reference's is paired by its names.
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
        inner = [
            [list(islice(_pairings(wanted[a], given[b], by_name), MOST_PAIRINGS)) for a, b in group]
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
    """One way for all members of a group: what is true within one block is true within the next."""
    groups = [list(zip(*members, strict=False)) for members in inner]
    for *ways, loose in product(*groups, rest):
        yield *chain(*ways), loose


def _one_by_one(inner: list[list[list]], rest: list) -> Iterator[tuple]:
    """Every member of every group in a way of its own."""
    return product(*chain(*inner), rest)


def _groups(wanted: dict, given: dict) -> tuple[list[tuple[list[str], list[str]]], dict, dict]:
    """The children of both, grouped by the shapes they hold; and those that have no counterpart."""
    mine, theirs = {}, {}
    for tree, groups in ((wanted, mine), (given, theirs)):
        for name, child in tree.items():
            held = sorted(shape for _, shape in param_trees.bare(child))
            signature = (param_trees.is_leaf(child), tuple(held))
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
        for path, shape in param_trees.bare(tree):
            groups.setdefault(shape, []).append(path)
    choices = []
    for shape, paths in mine.items():
        orders = islice(permutations(theirs[shape]), MOST_PAIRINGS)
        choices.append([tuple(zip(paths, order, strict=True)) for order in orders])
    for choice in product(*choices):
        yield [pair for group in choice for pair in group]


def mismatch(wanted: dict, given: dict) -> str:
    """How the learner's parameters differ from those given, in words; empty if they do not."""
    mine = Counter(shape for _, shape in param_trees.bare(wanted))
    theirs = Counter(shape for _, shape in param_trees.bare(given))
    said = [
        f"{what} {', '.join(_counted(shape, number) for shape, number in rest.items())}"
        for what, rest in (("missing are", theirs - mine), ("not asked for are", mine - theirs))
        if rest
    ]
    return f"The parameters are not those asked for: {'; '.join(said)}." if said else ""


def _counted(shape: tuple[int, ...], number: int) -> str:
    return f"{number} of shape {shape}"
