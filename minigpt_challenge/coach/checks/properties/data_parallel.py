"""What a step on many devices must do: give one device's numbers, each device with its own rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import optax
from flax.training.train_state import TrainState
from jax.sharding import Mesh

from minigpt_challenge.coach.checks import device_shards, expect
from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.faults.parallel import layout_suspects, step_suspects
from minigpt_challenge.coach.checks.faults.step import outcome
from minigpt_challenge.coach.checks.jaxpr_counts import count_primitive
from minigpt_challenge.coach.checks.properties import toy_language_model as toy
from minigpt_challenge.coach.checks.properties.compiled_once import (
    compiled_once,
    counting,
    with_marked_updates,
)
from minigpt_challenge.coach.checks.properties.training_step import Batch
from minigpt_challenge.given.copies import copies

STEP = "step(state, x, y)"


def uses_shard_map(step: Callable, arguments: Sequence[Any], label: str) -> None:
    """There is a `shard_map` in the step."""
    if not count_primitive("shard_map", step, *arguments):
        raise Wrong(
            "It does not.",
            asked=f"{label} should use `jax.shard_map`, which this step is for.",
            about="jax.shard_map in the step",
        )


def model_sees_its_own_rows(
    shapes: Sequence[tuple[int, ...]], B: int, T: int, num_devices: int, label: str
) -> None:
    """Inside `shard_map` the model saw B / n rows at most, and all of their length.

    Args:
        shapes: those of the x that the model was given while it was traced.
        B, T: the shape of the whole batch.
        num_devices: n.
        label: the call, for the message.
    """
    if not shapes:
        raise Wrong(
            "It never was.",
            asked=f"{label}: `state.apply_fn` should be called.",
            about="state.apply_fn in the step",
        )
    for shape in shapes:
        if shape[1:] == (T,) and shape[0] <= B // num_devices:
            continue
        named = {(B, T): "batch_replicated", (B, T // num_devices): "batch_split_over_time"}
        raise Wrong(
            f"It saw {shape}.",
            asked=f"{label}: each device should run the model on its own rows, of shape "
            f"{(B // num_devices, T)}.",
            diagnosis=(named[shape],) if shape in named else (),
            about="the rows of each device",
        )


def step_takes_what_place_returns(
    step: Callable, placed: Sequence[Any], bare: Sequence[Any], mesh: Mesh, label: str
) -> None:
    """The compiled step takes the state and the batch as `place` returns them.

    Args:
        step: the learner's.
        placed: the state, x and y, as `place` returns them.
        bare: the same as they were before.
        mesh: the devices.
        label: the call, for the message.
    """
    try:
        lowered(step, *placed)
    except ValueError as error:
        try:
            shardings, _ = lowered(step, *bare).compile().input_shardings
        except Exception:
            raise error from None

        def by_name(state: Any, x: Any, y: Any) -> dict[str, Any]:
            return {"state": jax.tree.leaves(state), "x": x, "y": y}

        seen, expected = (
            {device: by_name(*arguments) for device, arguments in by_device.items()}
            for by_device in (
                device_shards.cut(shardings, tuple(bare), mesh),
                device_shards.held(tuple(placed), mesh),
            )
        )
        suspects = layout_suspects(mesh, by_name(*bare))
        device_shards.all_hold([(expected, seen, label, suspects)])
        raise


def three_steps_equal_one_device(
    make: Callable[[Mesh], Callable],
    place: Callable,
    loss_fn: Callable,
    settings: Iterable[tuple[str, Mesh, TrainState, Batch]],
    label: str,
) -> None:
    """On every device, each of three steps gives what one device gives for the whole batch.

    Args:
        make: from a mesh to the learner's step.
        place: the reference's.
        loss_fn: task 5's.
        settings: the name of the devices, their mesh, the state to begin with, and the batches.
        label: what made the step, for the message.
    """

    def compared() -> Iterator[tuple]:
        for name, mesh, alone, batch in settings:
            mine, _, _ = place(mesh, alone, *batch(0))
            step = make(mesh)
            for index in range(3):
                x, y = batch(index)
                before = mine
                _, placed_x, placed_y = place(mesh, alone, x, y)
                mine, loss = expect.pair(
                    step(*copies((mine, placed_x, placed_y))), STEP, TrainState
                )
                alone, loss_alone = _step_on_one_device(loss_fn, alone, x, y)
                yield (
                    device_shards.everywhere(outcome(alone, loss_alone), mesh),
                    device_shards.held(outcome(mine, loss), mesh),
                    f"On {name}, step {index + 1} {label}",
                    step_suspects(mesh, before, x, y),
                )

    device_shards.all_hold(compared())


def devices_exchange_results(
    step: Callable, arguments: Sequence[Any], collectives: Sequence[str], label: str
) -> None:
    """The compiled step has one of these collective operations.

    Args:
        step: the learner's.
        arguments: a state, x and y, placed.
        collectives: their names in the compiled program.
        label: the call, for the message.
    """
    program = lowered(step, *arguments).compile().as_text() or ""
    if not any(collective in program for collective in collectives):
        raise Wrong(
            "There is no all-reduce.",
            asked=f"{label}: its compiled program should average over the devices.",
            advice="Either the devices never communicate, or each of them works on the whole "
            "batch.",
            about="the all-reduce in the compiled program",
        )


def lowered(step: Callable, *arguments: Any) -> jax.stages.Lowered:
    """The step's program: of the compiled function itself, or of a Python function around it."""
    return (step if hasattr(step, "lower") else jax.jit(step)).lower(*arguments)


def is_compiled_once(
    step: Callable,
    place: Callable[[Any, jax.Array, jax.Array], tuple],
    new_state: Callable[..., TrainState],
    tx: optax.GradientTransformation,
    batch: Batch,
    label: str,
) -> None:
    """The step is compiled, all of it, and only once.

    Args:
        step: the learner's.
        place: lays a state, x and y out on the devices.
        new_state: from an optimizer and `apply_fn` to the state to begin with.
        tx: the optimizer.
        batch: what the step is called with.
        label: its name.
    """
    traces: list[Any] = []
    state = new_state(with_marked_updates(tx), apply_fn=counting(toy.apply_fn, traces))
    placed = place(state, *batch(0))

    def arguments(index: int, returned: Any) -> tuple:
        if index != 1:
            return placed
        after, _ = expect.pair(returned, STEP, TrainState)
        return place(after, *batch(1))

    compiled_once(
        step,
        arguments,
        traces,
        label,
        model="`state.apply_fn`",
        fix="Put `jax.jit` around it, once, outside the step.",
    )


@partial(jax.jit, static_argnums=0)
def _step_on_one_device(
    loss_fn: Callable, state: TrainState, x: jax.Array, y: jax.Array
) -> tuple[TrainState, jax.Array]:
    loss, grads = jax.value_and_grad(loss_fn)(state.params, state.apply_fn, x, y)
    return state.apply_gradients(grads=grads), loss
