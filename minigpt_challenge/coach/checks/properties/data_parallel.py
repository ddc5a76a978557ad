"""What a step on many devices must do besides the right numbers: every device its own rows."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.sharding import Mesh

from minigpt_challenge.coach.checks import device_shards
from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.faults.catalogue.parallel import ROWS
from minigpt_challenge.coach.checks.faults.parallel import layout_suspects


def refuse_other_rows(seen: Any, x: jax.Array, of: str) -> None:
    """The learner's code did not drop or add rows where it should have raised.

    Args:
        seen: what `place` returned.
        x: integers (B, T), with a B that cannot be shared out evenly.
        of: what was called, in words.
    """
    try:
        rows = len(seen[1])
    except (TypeError, IndexError):
        return
    if rows != len(x):
        fault = ROWS[rows > len(x)]
        raise Wrong(
            f"{of} should raise a ValueError, and returned x with {rows} rows: that is what comes "
            f"out {fault.what}. {fault.think}",
            diagnosis=(fault.id,),
        )


def refuse_other_shares(shapes: Sequence[tuple[int, ...]], B: int, T: int, n: int, of: str) -> None:
    """Inside `shard_map` the model saw B / n rows at most, and all of their length.

    Args:
        shapes: those of the x that the model was given, while it was traced.
        B, T: the shape of the whole batch.
        n: the number of devices.
        of: what was called, in words.
    """
    if not shapes:
        raise Wrong(f"{of}: the step never calls state.apply_fn.")
    asked = f"each device should run the model on its own rows, of shape {(B // n, T)}"
    for shape in shapes:
        if shape[1:] == (T,) and shape[0] <= B // n:
            continue
        named = {(B, T): "batch_replicated", (B, T // n): "batch_split_over_time"}
        diagnosis = (named[shape],) if shape in named else ()
        raise Wrong(f"{of}: {asked}; it saw {shape}.", diagnosis=diagnosis)


def refuse_other_shardings(
    lower: Callable, placed: Sequence[Any], bare: Sequence[Any], mesh: Mesh, of: str
) -> None:
    """The compiled step takes the state and the batch as `place` returns them.

    Args:
        lower: from the arguments of a step to its program.
        placed: the state, x and y, as `place` returns them.
        bare: the same as they were before.
        mesh: the devices.
        of: what was called, in words.
    """
    try:
        lower(*placed)
    except ValueError as error:
        try:
            shardings, _ = lower(*bare).compile().input_shardings
        except Exception:
            raise error from None
        seen, expected = (
            {
                name: {"state": jax.tree.leaves(state), "x": x, "y": y}
                for name, (state, x, y) in cut.items()
            }
            for cut in (
                device_shards.cut(shardings, tuple(bare), mesh),
                device_shards.held(tuple(placed), mesh),
            )
        )
        state, x, y = bare
        suspects = layout_suspects(mesh, {"state": jax.tree.leaves(state), "x": x, "y": y})
        device_shards.all_hold([(expected, seen, of, suspects)])
        raise
