"""Layers whose weights lie in one array, as `nn.scan` and `nn.vmap` make them.

Such a layer holds, along a first axis, what the reference holds in several layers. For the pairing
it is taken apart into as many, and what is found for each is stacked again.
"""

from collections import Counter
from typing import Any

import jax.numpy as jnp

from minigpt_challenge.coach.checks import param_trees

MARK = "\0"  # stands in no name that Flax accepts


def unstacked(wanted: dict, given: dict) -> dict:
    """The learner's tree with stacked layers taken apart, if its shapes are then among `given`'s.

    Args:
        wanted: the learner's tree of shapes, with Flax's "params" around it all.
        given: the reference's.
    """
    for size in _numbers_of_layers(given):
        apart = {box: _apart(tree, size) for box, tree in wanted.items()}
        if apart != wanted and not _shapes(apart) - _shapes(given):
            return apart
    return wanted


def restacked(tree: Any) -> Any:
    """The tree of arrays with the layers stacked again that `unstacked` took apart."""
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
    """How many children of the reference hold the same shapes, wherever more than one do."""
    held = Counter(frozenset(_shapes(child).items()) for child in given.values())
    below = (
        _numbers_of_layers(child) for child in given.values() if not param_trees.is_leaf(child)
    )
    return {number for number in held.values() if number > 1}.union(*below)


def _apart(tree: dict, size: int) -> dict:
    apart: dict = {}
    for name, child in tree.items():
        if param_trees.is_leaf(child):
            apart[name] = child
        elif all(shape[:1] == (size,) for _, shape in param_trees.flatten(child)):
            layer = param_trees.unflatten(
                {path: shape[1:] for path, shape in param_trees.flatten(child)}
            )
            apart |= {f"{name}{MARK}{number}": layer for number in range(size)}
        else:
            apart[name] = _apart(child, size)
    return apart


def _stack(layers: list[dict]) -> dict:
    flat = [dict(param_trees.flatten(layer)) for layer in layers]
    return param_trees.unflatten(
        {path: jnp.stack([layer[path] for layer in flat]) for path in flat[0]}
    )


def _number(named: tuple[str, Any]) -> int:
    return int(named[0].split(MARK)[1])


def _shapes(tree: Any) -> Counter:
    return Counter(shape for _, shape in param_trees.bare(tree))
