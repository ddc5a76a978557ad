"""Layers whose weights are stacked in one array, as by `nn.scan` and `nn.vmap`.

The first axis of such an array runs over several layers of the reference. For the pairing the
array is split into one layer each; the weights found for them are stacked again.
"""

from collections import Counter
from typing import Any

import jax.numpy as jnp

from minigpt_challenge.coach.checks import param_trees

MARK = "\0"  # no name that Flax accepts contains it


def unstacked(wanted: dict, given: dict) -> dict:
    """The learner's tree with stacked layers split, if `given` has all of the resulting shapes.

    Args:
        wanted: the learner's tree of shapes, {"params": …}.
        given: the reference's.
    """
    for size in _numbers_of_layers(given):
        split = {collection: _split(tree, size) for collection, tree in wanted.items()}
        if split != wanted and not _shapes(split) - _shapes(given):
            return split
    return wanted


def restacked(tree: Any) -> Any:
    """The tree of arrays in which the layers that `unstacked` split are stacked again."""
    if param_trees.is_leaf(tree):
        return tree
    stacked: dict = {}
    for name, child in tree.items():
        stacked.setdefault(name.split(MARK)[0], []).append((name, restacked(child)))
    return {
        name: _stack([layer for _, layer in sorted(layers, key=_number)])
        if MARK in layers[0][0]
        else layers[0][1]
        for name, layers in stacked.items()
    }


def _numbers_of_layers(given: dict) -> set[int]:
    """How many children of the reference have the same shapes, wherever more than one do."""
    alike = Counter(frozenset(_shapes(child).items()) for child in given.values())
    below = (
        _numbers_of_layers(child) for child in given.values() if not param_trees.is_leaf(child)
    )
    return {number for number in alike.values() if number > 1}.union(*below)


def _split(tree: dict, size: int) -> dict:
    """The tree with each layer whose arrays all begin with an axis of this size split along it."""
    split: dict = {}
    for name, child in tree.items():
        if param_trees.is_leaf(child):
            split[name] = child
        elif all(shape[:1] == (size,) for _, shape in param_trees.flatten(child)):
            layer = param_trees.unflatten(
                {path: shape[1:] for path, shape in param_trees.flatten(child)}
            )
            split |= {f"{name}{MARK}{number}": layer for number in range(size)}
        else:
            split[name] = _split(child, size)
    return split


def _stack(layers: list[dict]) -> dict:
    flat = [dict(param_trees.flatten(layer)) for layer in layers]
    return param_trees.unflatten(
        {path: jnp.stack([layer[path] for layer in flat]) for path in flat[0]}
    )


def _number(named: tuple[str, Any]) -> int:
    return int(named[0].split(MARK)[1])


def _shapes(tree: Any) -> Counter:
    return Counter(shape for _, shape in param_trees.bare(tree))
