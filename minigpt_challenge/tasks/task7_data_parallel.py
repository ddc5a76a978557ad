"""Task 7: data parallel. Share one training step out among many devices, and get the same step."""

from collections.abc import Callable, Sequence

import jax
from flax.training.train_state import TrainState
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from minigpt_challenge.tasks.task5_training_step import loss_fn

# What both makers below return: step(state, x, y) -> (state, loss), as `train_step` of task 5.
Step = Callable[[TrainState, jax.Array, jax.Array], tuple[TrainState, jax.Array]]


def make_data_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
    """The devices in a row, along one axis that is called "data".

    Args:
        devices: n of them; all of `jax.devices()` if None.

    Returns:
        a mesh of shape (n,), its axis of the type Auto: the compiler sees to the shardings
        inside a compiled function. (JAX's default for `axis_types` changed between versions.)
    """
    # TODO: `jax.make_mesh`, with the mesh's shape, its axis name, axis_types and the devices.
    raise NotImplementedError("Task 7: write make_data_mesh")


def place(
    mesh: Mesh, state: TrainState, x: jax.Array, y: jax.Array
) -> tuple[TrainState, jax.Array, jax.Array]:
    """The state whole on every device, the batch shared out among them.

    Args:
        mesh: n devices, from `make_data_mesh`.
        state: a pytree of arrays (params, opt_state, step); `apply_fn` and `tx` are no part of it.
        x: integers (B, T).
        y: integers (B, T).

    Returns:
        the same three. Each device holds all of the state, and B / n rows of x and of y.

    Raises:
        ValueError: B is not a multiple of n. (Dropping or padding rows would change the loss.)
    """
    # TODO: two shardings, `NamedSharding(mesh, P(…))`: one that splits nothing, one that splits
    # the first axis. Then `jax.device_put`, which takes whole pytrees.
    raise NotImplementedError("Task 7: write place")


def jit_train_step(mesh: Mesh) -> Step:
    """The step as for one device; `jax.jit` is told where things lie, and XLA does the rest.

    XLA computes each device's part there, and puts an all-reduce in wherever the whole batch is
    needed: in the mean of the loss, and in the gradient.

    Args:
        mesh: n devices, from `make_data_mesh`.

    Returns:
        the compiled step, for what `place` returns. The new state and the loss, the mean over the
        whole batch, are whole on every device.
    """
    # TODO: write the step of task 5 once more, and `jax.jit` it with in_shardings (one for each
    # argument) and out_shardings.
    raise NotImplementedError("Task 7: write jit_train_step")


def shard_map_train_step(mesh: Mesh) -> Step:
    """The same step, written for one device and its share, with the averaging by hand.

    Inside `jax.shard_map` each device runs the same code on its own rows. The mean of n shares'
    gradients is the gradient of the whole batch, since all shares have the same size.

    With `check_vma=True`, the default, `jax.grad` inside adds the gradients of all devices up by
    itself, because the params are the same everywhere: a `pmean` after it changes nothing, and
    the gradient is n times too long. With `check_vma=False` each device gets its own gradient,
    and averaging is up to you.

    Args:
        mesh: n devices, from `make_data_mesh`.

    Returns:
        as `jit_train_step`; compiled, too.
    """

    # TODO: a step for one device's rows, `jax.lax.pmean` over "data" of the gradient and of the
    # loss before the update, `jax.shard_map` around it, `jax.jit` around that.
    raise NotImplementedError("Task 7: write shard_map_train_step")
