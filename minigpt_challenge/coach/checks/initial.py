"""A module's parameters as its `init` would make them: shapes and dtypes, and nothing computed."""

from typing import Any

import flax.linen as nn
import jax

from minigpt_challenge.coach.checks import param_trees
from minigpt_challenge.coach.runtime.reference_cache import kept


def parameters(module: nn.Module, *inputs: Any) -> Any:
    """The tree that `init` would give, a `jax.ShapeDtypeStruct` in each array's place."""
    return _traced(module, inputs)[0]


def shapes_in_order(module: nn.Module, *inputs: Any) -> dict:
    """The tree of the module's parameter shapes, in the order in which they are first used.

    JAX sorts the keys of any dictionary that it returns; inside the trace they are still in
    Flax's order.
    """
    return _traced(module, inputs)[1]


def _traced(module: nn.Module, inputs: tuple) -> tuple[Any, dict]:
    leaves, structure = jax.tree.flatten(inputs)
    types = map(jax.typeof, leaves)
    try:
        hash(module)
    except TypeError:  # a learner's own attribute may be a list
        return _init.__wrapped__(module, structure, *types)
    return _init(module, structure, *types)


@kept
def _init(module: nn.Module, structure: Any, *types: Any) -> tuple[Any, dict]:
    found = {}

    def init(key, *inputs):
        variables = module.init(key, *inputs)
        found.update(param_trees.shapes(variables))
        return variables

    inputs = jax.tree.unflatten(structure, types)
    return jax.eval_shape(init, jax.random.key(0), *inputs), found
