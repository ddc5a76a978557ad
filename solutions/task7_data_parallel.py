"""Task 7: data parallel. Split one training step across many devices, and get the same result."""

from collections.abc import Callable, Sequence

import jax
from flax.training.train_state import TrainState
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from minigpt_challenge.tasks.task5_training_step import loss_fn

# A training step like `train_step` of task 5: step(state, x, y) -> (state, loss).
Step = Callable[[TrainState, jax.Array, jax.Array], tuple[TrainState, jax.Array]]


def make_data_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
    """Create a mesh of devices with a single axis named "data".

    Args:
        devices: n devices; all of `jax.devices()` if None.

    Returns:
        a mesh of shape (n,) whose axis has the type Auto: the compiler chooses the shardings
        inside a compiled function. (JAX's default for `axis_types` changed between versions.)
    """
    # TODO: `jax.make_mesh` with the mesh's shape, its axis name, axis_types and the devices.
    ### BEGIN SOLUTION
    devices = jax.devices() if devices is None else devices
    return jax.make_mesh(
        (len(devices),), ("data",), axis_types=(AxisType.Auto,), devices=tuple(devices)
    )
    ### END SOLUTION


def place(
    mesh: Mesh, state: TrainState, x: jax.Array, y: jax.Array
) -> tuple[TrainState, jax.Array, jax.Array]:
    """Replicate the state on every device, and split the batch across them.

    Args:
        mesh: n devices, from `make_data_mesh`.
        state: a pytree of arrays (params, opt_state, step); `apply_fn` and `tx` are not in it.
        x: integers (B, T).
        y: integers (B, T).

    Returns:
        (state, x, y). Each device holds the whole state, and B / n rows of x and of y.

    Raises:
        ValueError: B is not a multiple of n. (Dropping or padding rows would change the loss.)
    """
    # TODO: create two shardings, `NamedSharding(mesh, P(…))`: one that splits nothing, one that
    # splits the first axis. Then `jax.device_put`, which takes whole pytrees.
    ### BEGIN SOLUTION
    if len(x) % mesh.size:
        raise ValueError(f"{len(x)} rows cannot be shared out evenly among {mesh.size} devices.")
    everywhere, in_shares = NamedSharding(mesh, P()), NamedSharding(mesh, P("data"))
    x, y = jax.device_put((x, y), in_shares)  # on each device (B / n, T)
    return jax.device_put(state, everywhere), x, y
    ### END SOLUTION


def jit_train_step(mesh: Mesh) -> Step:
    """Compile the single-device step with shardings for its arguments and results.

    XLA splits the computation accordingly, and inserts an all-reduce wherever the whole batch is
    needed: for the mean of the loss, and for the gradient.

    Args:
        mesh: n devices, from `make_data_mesh`.

    Returns:
        the compiled step; its arguments are laid out as by `place`. The new state and the loss,
        the mean over the whole batch, are replicated on every device.
    """
    # TODO: write the step of task 5 again, and `jax.jit` it with in_shardings (one for each
    # argument) and out_shardings. (What counts is the layout: `with_sharding_constraint` inside is
    # right, too. The step may donate the old state.)
    ### BEGIN SOLUTION
    everywhere, in_shares = NamedSharding(mesh, P()), NamedSharding(mesh, P("data"))

    def step(state, x, y):  # this code sees the whole batch: (B, T)
        loss, grads = jax.value_and_grad(loss_fn)(state.params, state.apply_fn, x, y)
        return state.apply_gradients(grads=grads), loss

    return jax.jit(step, in_shardings=(everywhere, in_shares, in_shares), out_shardings=everywhere)
    ### END SOLUTION


def shard_map_train_step(mesh: Mesh) -> Step:
    """Compile the same step, written for the rows of one device, with explicit averaging.

    Inside `jax.shard_map` each device runs the same code on its own rows. The mean of the n
    gradients is the gradient of the whole batch, since all devices have equally many rows.

    With `check_vma=True`, the default, `jax.grad` inside sums the gradients of all devices,
    because the params are replicated: a `pmean` after it changes nothing, and the gradient is
    n times too large. With `check_vma=False` each device gets its own gradient, and you do the
    averaging.

    Args:
        mesh: n devices, from `make_data_mesh`.

    Returns:
        the compiled step, as from `jit_train_step`.
    """

    # TODO: write a step for the rows of one device, with `jax.lax.pmean` over "data" of the
    # gradient and of the loss before the update; `jax.shard_map` it, then `jax.jit` the result.
    ### BEGIN SOLUTION
    def step(state, x, y):  # the rows of this device: (B / n, T)
        loss, grads = jax.value_and_grad(loss_fn)(state.params, state.apply_fn, x, y)
        loss, grads = jax.lax.pmean((loss, grads), "data")  # now the same on every device
        return state.apply_gradients(grads=grads), loss

    return jax.jit(
        jax.shard_map(
            step, mesh=mesh, in_specs=(P(), P("data"), P("data")), out_specs=P(), check_vma=False
        )
    )
    ### END SOLUTION
