"""Where things lie on many devices: the mesh, every device's rows of a batch, the whole state."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

import jax
from flax.training.train_state import TrainState
from jax.sharding import AxisType, Mesh

from minigpt_challenge.coach.checks import device_shards, expect
from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.faults.catalogue.parallel import ROWS
from minigpt_challenge.coach.checks.faults.parallel import layout_suspects
from minigpt_challenge.coach.checks.properties.training_step import parts


def mesh_has_one_axis(
    make_data_mesh: Callable, arguments: tuple, devices: Sequence[jax.Device], label: str
) -> None:
    """The mesh is made of these devices, and has one axis, "data", of the type Auto.

    Args:
        make_data_mesh: the learner's.
        arguments: what it is called with.
        devices: those asked for.
        label: the call, for the message.
    """
    with patch.object(jax, "make_mesh", wraps=jax.make_mesh) as make_mesh:
        mesh = expect.not_none(make_data_mesh(*arguments), label)
    if any(len(c.args) < 3 and "axis_types" not in c.kwargs for c in make_mesh.mock_calls):
        raise Wrong(
            "It passes none.",
            asked=f"{label} should pass axis_types to `jax.make_mesh`.",
            advice="Their default differs between versions of JAX.",
            about="the axis_types of the mesh",
        )
    if not isinstance(mesh, Mesh):
        raise Wrong(
            f"It returned a {type(mesh).__name__}.",
            asked=f"{label} should return a jax.sharding.Mesh.",
            about="what make_data_mesh returns",
        )
    if mesh.axis_names != ("data",):
        raise Wrong(
            f"It has {mesh.axis_names}.",
            asked=f'{label} should have one axis, "data".',
            about="the axes of the mesh",
        )
    if set(mesh.devices.flat) != set(devices):
        raise Wrong(
            f"It is made of {mesh.size}: {', '.join(map(str, mesh.devices.flat))}.",
            asked=f"{label} should be made of {len(devices)} devices.",
            about="the devices of the mesh",
        )
    if mesh.axis_types != (AxisType.Auto,):
        raise Wrong(
            f"It has {mesh.axis_types}.",
            asked=f"{label} should have an axis of the type Auto.",
            advice="Pass axis_types: their default differs between versions of JAX.",
            about="the axis_types of the mesh",
        )


def place_equals(
    place: Callable,
    reference_place: Callable,
    settings: Iterable[tuple[str, Mesh, TrainState, jax.Array, jax.Array]],
) -> None:
    """Each device holds its rows of x and y and the whole state, as the reference places them.

    Args:
        place: the learner's.
        reference_place: the reference's.
        settings: the name of the devices, their mesh, a state, x and y.
    """

    def compared() -> Iterator[tuple]:
        for name, mesh, state, x, y in settings:
            label = f"On {name}, place(mesh, state, x, y)"
            placed = expect.not_none(place(mesh, state, x, y), label)
            if (
                not isinstance(placed, tuple)
                or len(placed) != 3
                or not isinstance(placed[0], TrainState)
            ):
                raise Wrong(
                    f"It returned {_kinds(placed)}.",
                    asked=f"{label} should return three things: the state, x and y.",
                    about="what place returns",
                )
            seen, expected = (
                device_shards.held(_named(*parts_of), mesh)
                for parts_of in (placed, reference_place(mesh, state, x, y))
            )
            yield expected, seen, label, layout_suspects(mesh, _named(state, x, y))

    device_shards.all_hold(compared())


def place_refuses(
    place: Callable, mesh: Mesh, state: TrainState, x: jax.Array, y: jax.Array
) -> None:
    """Rows that cannot be shared out evenly are refused with a ValueError."""
    label = f"place on {mesh.size} devices with {len(x)} rows"
    returned = []

    def call() -> Any:
        returned.append(place(mesh, state, x, y))
        return returned[0]

    try:
        expect.raises(ValueError, call, label, f"{len(x)} is not a multiple of {mesh.size}")
    except Wrong:
        if returned:
            _refuse_other_rows(returned[0], x, label)
        raise


def _refuse_other_rows(returned: Any, x: jax.Array, label: str) -> None:
    """`place` did not drop or add rows where it should have raised an error."""
    try:
        num_rows = len(returned[1])
    except (TypeError, IndexError):
        return
    if num_rows != len(x):
        fault = ROWS[num_rows > len(x)]
        raise Wrong(
            f"It returned x with {num_rows} rows, which is what comes out {fault.what}.",
            asked=f"{label} should raise a ValueError.",
            advice=fault.think,
            diagnosis=(fault.id,),
            about="place with rows that cannot be shared out evenly",
        )


def _named(state: TrainState, x: Any, y: Any) -> dict[str, Any]:
    return {"x": x, "y": y} | parts(state)


def _kinds(returned: Any) -> str:
    if not isinstance(returned, tuple):
        return f"a {type(returned).__name__}"
    return f"({', '.join(type(value).__name__ for value in returned)})"
