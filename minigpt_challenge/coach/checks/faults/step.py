"""Mistakes in the loss and in the training step (task 5)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
import optax
from flax.training.train_state import TrainState

from minigpt_challenge.coach.checks.diagnosis import Suspects, ids
from minigpt_challenge.coach.checks.faults.catalogue.step import (
    COUNT,
    COUNTED,
    GRADIENT,
    LABELS,
    LOSS,
    MEASURE,
    RATES,
    REDUCTION,
    RETURNED,
    STEP,
    UPDATE,
)
from minigpt_challenge.coach.checks.faults.loss import LossModel

ALTERNATIVES = (
    *ids(LABELS, MEASURE, COUNTED, REDUCTION, GRADIENT[1:], UPDATE),
    *(frozenset({"state_unchanged", fault.id}) for fault in GRADIENT + COUNT + RETURNED),
    frozenset({"step_not_counted", "state_created_anew", *RATES}),
)


def loss_suspects(params: Any, apply_fn: Callable, x: jax.Array, y: jax.Array) -> Suspects:
    """The mistakes in `loss_fn`: → a scalar."""
    model = LossModel(params, apply_fn, x, y)

    def compute(faults: frozenset[str]) -> float:
        return model.loss_and_logit_gradient(faults)[0]

    return Suspects(LOSS, compute, ALTERNATIVES)


def step_suspects(state: TrainState, x: jax.Array, y: jax.Array) -> Suspects:
    """The mistakes in `train_step`, those in its loss among them: → what `outcome` gives."""
    model = LossModel(state.params, state.apply_fn, x, y)

    def compute(faults: frozenset[str]) -> dict[str, Any]:
        in_loss = faults & {fault.id for fault in LOSS}
        loss, grads = model.loss_and_gradients(in_loss)
        new = updated(state, _modify(grads, faults), faults - in_loss)
        if "loss_after_update" in faults:
            model_after = LossModel(new["params"], state.apply_fn, x, y)
            loss, _ = model_after.loss_and_logit_gradient(in_loss)
        return new | {"loss": loss}

    return Suspects(LOSS + STEP, compute, ALTERNATIVES)


def returned_loss_suspects(state: TrainState, x: jax.Array, y: jax.Array) -> Suspects:
    """The mistakes in the loss that `train_step` returns: → a scalar.

    Mistakes in the update show in the new state: one number is too little evidence for them.
    """
    suspects = step_suspects(state, x, y)
    return Suspects(LOSS + RETURNED, lambda faults: suspects.output(faults)["loss"])


def outcome(state: TrainState, loss: Any) -> dict[str, Any]:
    """Everything that a step changes and returns."""
    step = state.step if hasattr(state.step, "shape") else np.asarray(state.step)
    return {"loss": loss, "params": state.params, "opt_state": state.opt_state, "step": step}


def _modify(grads: Any, faults: frozenset[str]) -> Any:
    """The gradients that these faults pass to the optimizer."""
    norm = np.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(grads)))
    factor = -1.0 if "gradient_ascent" in faults else 1.0
    if "gradients_normalized" in faults:
        factor = factor / norm
    elif "gradients_clipped" in faults:
        factor = factor / max(norm, 1.0)
    return jax.tree.map(lambda leaf: np.float32(factor) * leaf, grads)


def updated(state: TrainState, grads: Any, faults: frozenset[str]) -> dict[str, Any]:
    """params, opt_state and step after the update."""
    old = {"params": state.params, "opt_state": state.opt_state, "step": state.step}
    if "state_unchanged" in faults:
        return old
    if by_hand := faults & RATES.keys():
        rate = np.float32(RATES[min(by_hand)])
        params = jax.tree.map(lambda p, g: np.asarray(p) - rate * g, state.params, grads)
        # NaN, since an update by hand may count the step or not.
        return old | {"params": params, "step": np.nan}
    params, opt_state, step = state.params, state.opt_state, int(state.step)
    if "opt_state_fresh" in faults:
        opt_state = state.tx.init(params)
    for _ in range(2 if "update_twice" in faults else 1):
        params, opt_state = _update_once(state.tx, grads, opt_state, params)
        step = step + 1
    new = {"params": params, "opt_state": opt_state, "step": step}
    if "state_created_anew" in faults:
        new |= {"opt_state": state.tx.init(params), "step": 0}
    unchanged = {
        "params_unchanged": "params",
        "opt_state_lost": "opt_state",
        "step_not_counted": "step",
    }
    return new | {part: old[part] for fault, part in unchanged.items() if fault in faults}


@partial(jax.jit, static_argnums=0)
def _update_once(
    tx: optax.GradientTransformation, grads: Any, opt_state: Any, params: Any
) -> tuple[Any, Any]:
    """The new params and opt_state."""
    updates, opt_state = tx.update(grads, opt_state, params)
    return optax.apply_updates(params, updates), opt_state
