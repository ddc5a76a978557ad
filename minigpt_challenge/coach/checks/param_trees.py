"""Trees of parameters as in Flax: nested dictionaries whose leaves are arrays."""

from typing import Any, Protocol

import flax.linen as nn
import jax

from minigpt_challenge.coach.runtime.reference_cache import cached

Path = tuple[str, ...]


class Model(Protocol):
    """A Linen module, or anything with its `init` and `apply`."""

    def init(self, *args: Any, **kwargs: Any) -> Any: ...

    def apply(self, *args: Any, **kwargs: Any) -> Any: ...


def is_leaf(tree: Any) -> bool:
    """Whether this is a leaf: an array, or its shape."""
    return not isinstance(tree, dict)


def depth(tree: Any) -> int:
    """How deep the dictionaries are nested, 0 for a leaf."""
    return 0 if is_leaf(tree) else 1 + max(map(depth, tree.values()), default=0)


def shapes(tree: Any) -> Any:
    """The same tree with shapes instead of arrays, which Flax may have boxed."""
    if hasattr(tree, "items"):
        return {name: shapes(child) for name, child in tree.items()}
    return nn.meta.unbox(tree).shape


def flatten(tree: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """The leaves and their paths, in the tree's own order."""
    if is_leaf(tree):
        return [(path, tree)]
    return [item for name, child in tree.items() for item in flatten(child, (*path, name))]


def unflatten(leaves: dict[Path, Any]) -> dict:
    """The tree with these leaves."""
    tree: dict = {}
    for path, leaf in leaves.items():
        node = tree
        for name in path[:-1]:
            node = node.setdefault(name, {})
        node[path[-1]] = leaf
    return tree


def bare(tree: Any) -> list[tuple[Path, tuple[int, ...]]]:
    """The shapes without axes of size 1: a table of shape (1, T, C) counts as (T, C)."""
    return [(path, tuple(n for n in shape if n != 1)) for path, shape in flatten(tree)]


def parameters(module: Model, *inputs: Any) -> Any:
    """The tree that `init` would give, with a `jax.ShapeDtypeStruct` instead of each array."""
    return _traced(module, inputs)[0]


def shapes_in_order(module: Model, *inputs: Any) -> dict:
    """The tree of the module's parameter shapes, in the order in which they are first used.

    JAX sorts the keys of each dictionary that it returns. Inside the trace they are in Flax's
    order.
    """
    return _traced(module, inputs)[1]


def _traced(module: Model, inputs: tuple) -> tuple[Any, dict]:
    leaves, structure = jax.tree.flatten(inputs)
    types = map(jax.typeof, leaves)
    try:
        hash(module)
    except TypeError:  # a learner's own attribute may be a list
        return _init(module, structure, *types)
    return _cached_init(module, structure, *types)


def _init(module: Model, structure: Any, *types: Any) -> tuple[Any, dict]:
    found: dict = {}

    def init(key: jax.Array, *inputs: Any) -> Any:
        variables = module.init(key, *inputs)
        found.update(shapes(variables))
        return variables

    inputs = jax.tree.unflatten(structure, types)
    return jax.eval_shape(init, jax.random.key(0), *inputs), found


_cached_init = cached(_init)
