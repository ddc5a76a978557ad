"""Run a training step on the devices of several processes.

Every process cuts the same batches from the same text and initializes the same params, so the
processes exchange only what the step itself reduces.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flax.training.train_state import TrainState
from jax.sharding import Mesh, NamedSharding, Sharding
from jax.sharding import PartitionSpec as P


def with_sharded_inputs(step: Callable, mesh: Mesh) -> Callable:
    """Wrap a step: replicate its state on all devices of the mesh, and shard its batch.

    Args:
        step: (state, x, y) → anything, for arrays on the mesh's devices.
        mesh: the devices of all processes, along one axis, "data".

    Returns:
        the step for arrays of which each process has a full copy. A state that the step returned
        is not moved again.
    """
    replicated, by_rows = NamedSharding(mesh, P()), NamedSharding(mesh, P("data"))

    def sharded_step(state: TrainState, x: jax.Array, y: jax.Array) -> Any:
        state = jax.tree.map(lambda leaf: _put(leaf, replicated), state)
        return step(state, _put(x, by_rows), _put(y, by_rows))

    return sharded_step


def _put(array: Any, sharding: Sharding) -> jax.Array:
    """Put an array on the devices of all processes; each process fills its own devices.

    The sharding decides which rows these are: a mesh need not be in the order of the processes.
    """
    if isinstance(array, jax.Array) and array.sharding.is_equivalent_to(sharding, array.ndim):
        return array
    array = np.asarray(array)
    return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])
