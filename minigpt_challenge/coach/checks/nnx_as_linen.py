"""NNX modules with the interface of Linen, so that pairing and diagnosis work for both."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from flax.training.train_state import TrainState

from minigpt_challenge.coach.checks import param_trees


class AsLinen:
    """An NNX module with Linen's `init` and `apply`.

    Attributes:
        params: the module's weights in Linen's form; an index in a path is a string here.
    """

    def __init__(self, module: nnx.Module):
        parts: tuple[Any, ...] = nnx.split(module, nnx.Param, ...)
        self._graph, state, self._rest = parts
        flat, _ = jax.tree_util.tree_flatten_with_path(nnx.to_pure_dict(state))
        self._paths = [tuple(str(step.key) for step in path) for path, _ in flat]
        self._structure = jax.tree.structure(state)
        leaves = dict(zip(self._paths, jax.tree.leaves(state), strict=True))
        self.params = {"params": param_trees.unflatten(leaves)}

    def init(self, key: jax.Array, *inputs: Any) -> dict:
        """The module's own weights: an NNX module creates them without seeing an input."""
        return self.params

    def apply(self, params: dict, *inputs: Any) -> Any:
        """Call a copy of the module with these weights."""
        leaves = dict(param_trees.flatten(params["params"]))
        state = jax.tree.unflatten(self._structure, [leaves[path] for path in self._paths])
        return nnx.merge(self._graph, state, self._rest)(*inputs)


def weights_of(model: nnx.Module) -> dict[str, np.ndarray]:
    """All weights by name, e.g. "blocks.0.norm.scale"."""
    leaves = param_trees.flatten(AsLinen(model).params["params"])
    return {".".join(path): np.asarray(leaf) for path, leaf in leaves}


def num_weights(model: nnx.Module) -> int:
    """The number of learned values."""
    return sum(leaf.size for leaf in weights_of(model).values())


def train_state(model: nnx.Module, optimizer: nnx.Optimizer, apply_fn: Callable) -> TrainState:
    """The current state of model and optimizer as Linen's `TrainState`.

    Args:
        model: its weights become the state's params.
        optimizer: its state and its number of steps become those of the state.
        apply_fn: the state's `apply_fn`.
    """
    # Copies, since a step may donate the arrays that it updates (`donate_argnums`).
    params = jax.tree.map(jnp.copy, AsLinen(model).params)
    memory = jax.tree.structure(optimizer.tx.init(params))
    held = nnx.to_pure_dict(nnx.state(optimizer))
    return TrainState(
        step=int(held["step"]),
        apply_fn=apply_fn,
        params=params,
        tx=optimizer.tx,
        opt_state=jax.tree.unflatten(
            memory, jax.tree.leaves(jax.tree.map(jnp.copy, held["opt_state"]))
        ),
    )
