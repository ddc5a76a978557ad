"""Mistakes in splitting a training step across devices (task 7).

Every outcome lists what each device holds, as `device_shards.held` does: replicas may drift apart.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import numpy as np
import optax
from flax.training.train_state import TrainState
from jax.sharding import Mesh

from minigpt_challenge.coach.checks import device_shards
from minigpt_challenge.coach.checks.diagnosis import Suspects, ids
from minigpt_challenge.coach.checks.faults import step as one_device
from minigpt_challenge.coach.checks.faults.catalogue.parallel import (
    BATCH,
    GRADIENT,
    LOSS,
    STATE,
    STEP,
)
from minigpt_challenge.coach.checks.faults.catalogue.step import BY_HAND, COUNT, UPDATE

UPDATED = tuple(fault for fault in UPDATE if fault not in BY_HAND)  # their rates would be guesses
ALTERNATIVES = ids(BATCH, STATE, GRADIENT, LOSS, UPDATED)


def layout_suspects(mesh: Mesh, tree: dict[str, Any]) -> Suspects:
    """The mistakes in placing the batch and the state on devices.

    Args:
        mesh: the devices.
        tree: what to place: "x" and "y", and parts of the state under other names.
    """

    def compute(faults: frozenset[str]) -> dict[str, Any]:
        return {
            name: {
                part: jax.tree.map(
                    lambda leaf, part=part, k=k: _placed(leaf, part, k, mesh, faults), value
                )
                for part, value in tree.items()
            }
            for k, name in enumerate(device_shards.names(mesh))
        }

    return Suspects(BATCH + STATE, compute, ALTERNATIVES)


def step_suspects(mesh: Mesh, state: TrainState, x: jax.Array, y: jax.Array) -> Suspects:
    """The mistakes in a step: → for each device what `outcome` of `faults.step` gives.

    Args:
        mesh: the devices.
        state: the input of the learner's step; its replicas may differ already.
        x: integers (B, T), the whole batch.
        y: integers (B, T).
    """
    model = _Model(mesh, state, np.asarray(x), np.asarray(y))
    return Suspects(STEP + UPDATED + COUNT, model.outcomes, ALTERNATIVES)


class _Model:
    """One step on every device of a mesh."""

    def __init__(self, mesh: Mesh, state: TrainState, x: np.ndarray, y: np.ndarray):
        self.mesh, self.state, self.x, self.y = mesh, state, x, y
        self.losses_and_grads = cache(self._losses_and_grads)

    def outcomes(self, faults: frozenset[str]) -> dict[str, Any]:
        update_faults = faults & {fault.id for fault in UPDATED + COUNT}
        split_faults = faults & {"batch_split_over_time", "first_share_only"}
        losses, grads = self.losses_and_grads(split_faults)
        new = [
            one_device.updated(state, own, update_faults)
            for state, own in zip(self._replicas(), _combine_grads(grads, faults), strict=True)
        ]
        averaged = {
            "params_averaged": ("params",),
            "state_averaged": ("params", "opt_state"),
        }
        for fault in faults & averaged.keys():
            for part in averaged[fault]:
                mean = jax.tree.map(_mean_of_floats, *(outcome[part] for outcome in new))
                new = [outcome | {part: mean} for outcome in new]
        if "state_sharded" in faults:
            new = [_split_state(outcome, k, self.mesh.size) for k, outcome in enumerate(new)]
        losses = _combine_losses(losses, faults)
        outcomes = [outcome | {"loss": loss} for outcome, loss in zip(new, losses, strict=True)]
        return dict(zip(device_shards.names(self.mesh), outcomes, strict=True))

    def _replicas(self) -> list[TrainState]:
        """The state as each device holds it."""
        return list(device_shards.held(self.state, self.mesh).values())

    def _losses_and_grads(self, faults: frozenset[str]) -> tuple[list[np.ndarray], list[Any]]:
        """For each device the loss and the gradient of its own rows."""
        axis, n = int("batch_split_over_time" in faults), self.mesh.size
        xs, ys = (np.split(whole, n, axis) for whole in (self.x, self.y))
        if "first_share_only" in faults:
            xs, ys = ([parts[0]] * n for parts in (xs, ys))
        pairs = [
            jax.device_get(_loss_and_grads(state.params, state.apply_fn, x, y))
            for state, x, y in zip(self._replicas(), xs, ys, strict=True)
        ]
        return [loss for loss, _ in pairs], [grads for _, grads in pairs]


@partial(jax.jit, static_argnums=1)
def _loss_and_grads(
    params: Any, apply_fn: Callable, x: jax.Array, y: jax.Array
) -> tuple[jax.Array, Any]:
    def loss(params: Any) -> jax.Array:
        logits = apply_fn(params, x)  # (rows, T, V)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    return jax.value_and_grad(loss)(params)


def _combine_grads(grads: list[Any], faults: frozenset[str]) -> list[Any]:
    """The gradient that each device's optimizer gets."""
    if faults & {"gradients_not_averaged", "params_averaged", "state_averaged"}:
        return grads
    n = len(grads)
    factors = {
        "gradients_summed": n,
        "gradients_summed_twice": n**2,
        "gradients_averaged_twice": 1 / n,
    }
    factor = next((factors[fault] for fault in factors if fault in faults), 1.0)
    return [jax.tree.map(lambda *own: np.float32(factor) * np.mean(own, 0), *grads)] * n


def _combine_losses(losses: list[np.ndarray], faults: frozenset[str]) -> list[np.ndarray]:
    """The loss that each device returns."""
    if "loss_not_averaged" in faults:
        return losses
    n, mean = len(losses), np.mean(losses)
    factors = {"loss_summed_over_devices": n, "loss_averaged_twice": 1 / n}
    return [mean * next((factors[fault] for fault in factors if fault in faults), 1.0)] * n


def _mean_of_floats(*own: np.ndarray) -> np.ndarray:
    """The mean over the devices; integers, equal on all, stay as they are."""
    return np.mean(own, 0) if np.issubdtype(np.asarray(own[0]).dtype, np.floating) else own[0]


def _placed(leaf: jax.Array, part: str, k: int, mesh: Mesh, faults: frozenset[str]) -> np.ndarray:
    """What device k holds of a leaf that belongs to x, y or a part of the state."""
    values = np.asarray(leaf)
    if part in ("x", "y"):
        unplaced = "batch_on_one_device" in faults
        is_split = "batch_replicated" not in faults
        axis = int("batch_split_over_time" in faults)
    else:
        unplaced = "state_on_one_device" in faults or (
            "only_params_placed" in faults and part != "params"
        )
        is_split, axis = "state_sharded" in faults, 0
    if unplaced:
        return values if mesh.devices.flat[k] in leaf.devices() else device_shards.NOTHING
    return _part(values, k, mesh.size, axis) if is_split else values


def _split_state(outcome: dict[str, Any], k: int, n: int) -> dict[str, Any]:
    """The outcome with device k's part of the params and the optimizer's state."""
    parts = {part: outcome[part] for part in ("params", "opt_state")}
    return outcome | jax.tree.map(lambda leaf: _part(np.asarray(leaf), k, n), parts)


def _part(values: np.ndarray, k: int, n: int, axis: int = 0) -> np.ndarray:
    """Part k of n equal parts along an axis; all of it if it cannot be split evenly."""
    if values.ndim <= axis or values.shape[axis] % n:
        return values
    return np.split(values, n, axis)[k]
