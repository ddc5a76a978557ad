"""A step on the devices of several processes, each of which has the whole batch and state.

Every process cuts the same batches from the same text and makes the same first params, so nothing
needs to be sent around but what the step itself adds up.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flax.training.train_state import TrainState
from jax.sharding import Mesh, NamedSharding, Sharding
from jax.sharding import PartitionSpec as P


def spread(step: Callable, mesh: Mesh) -> Callable:
    """The step, given its state on every device of the mesh and its batch in shares.

    Args:
        step: (state, x, y) → anything, for arrays that lie on the mesh's devices.
        mesh: the devices of all processes, along one axis, "data".

    Returns:
        the same for a batch, and for a state, that each process holds by itself. A state that
        came out of the step stays where it is.
    """
    whole, rows = NamedSharding(mesh, P()), NamedSharding(mesh, P("data"))

    def spread_step(state: TrainState, x: jax.Array, y: jax.Array) -> Any:
        state = jax.tree.map(lambda leaf: _laid_out(leaf, whole), state)
        return step(state, _laid_out(x, rows), _laid_out(y, rows))

    return spread_step


def _laid_out(array: Any, sharding: Sharding) -> jax.Array:
    """The array on the devices of all processes, each of which gives its own devices their part.

    Which rows these are, the sharding knows: a mesh need not be in the order of the processes.
    """
    if isinstance(array, jax.Array) and array.sharding.is_equivalent_to(sharding, array.ndim):
        return array
    array = np.asarray(array)
    return jax.make_array_from_callback(array.shape, sharding, lambda place: array[place])
