"""Mistakes in the loss and in the training step (task 5).

The loss and its gradient with respect to the logits are written once more in NumPy: JAX would
compile every operation of every mistake, and the learner would wait for it.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import numpy as np
import optax
from flax.training.train_state import TrainState

from minigpt_challenge.coach.diagnosis import Fault, Suspects

LABELS = (
    Fault(
        "labels_are_inputs",
        "with x for the labels in place of y",
        "The model sees x already; what it should foretell is the token after it, which is y.",
    ),
    Fault(
        "inputs_labels_swapped",
        "with x and y swapped: y goes into the model, and x is what it should foretell",
        "The model reads x; y is what came after.",
    ),
    Fault(
        "labels_shifted",
        "with the labels shifted once more: the last logits and the first of y are cut off",
        "y is shifted already: y[:, t] is the token that came after x[:, t].",
    ),
    Fault(
        "labels_rolled",
        "with y rolled by one position",
        "y is shifted already: y[:, t] is the token that came after x[:, t].",
    ),
    Fault(
        "labels_from_x",
        "with x, shifted by one, for the labels in place of y",
        "That leaves out the last position; y holds what came after every one of them.",
    ),
)

MEASURE = (
    Fault(
        "softmax_twice",
        "with the softmax applied twice: probabilities are taken for logits",
        "The cross-entropy of optax, and log_softmax too, start from raw logits.",
    ),
    Fault(
        "softmax_missing",
        "without the softmax: the true token's logit is taken for its log-probability",
        "Logits are any real numbers; log_softmax turns them into log-probabilities.",
    ),
    Fault(
        "log_missing",
        "without the logarithm: the probability of the true token, negated, is the loss",
        "Surprise is -log p, which grows without bound as p goes to 0.",
    ),
    Fault(
        "log_base_2",
        "with the logarithm to base 2",
        "That measures in bits; asked for are nats, the natural logarithm.",
    ),
    Fault(
        "squared_error_of_logits",
        "with the mean squared error between logits and one-hot labels",
        "Tokens are classes, not quantities: the cross-entropy compares a distribution with one.",
    ),
    Fault(
        "squared_error",
        "with the mean squared error between probabilities and one-hot labels",
        "Asked for is the cross-entropy, -log of the true token's probability.",
    ),
    Fault(
        "sigmoid",
        "with a sigmoid for every token of the vocabulary in place of one softmax over them",
        "Exactly one token comes next, so the probabilities share out 1 among them.",
    ),
    Fault(
        "softmax_over_time",
        "with the softmax over the time axis T in place of the vocabulary V",
        "Each position has a distribution of its own over the vocabulary, the last axis.",
    ),
    Fault(
        "softmax_over_batch",
        "with the softmax over the batch axis in place of the vocabulary V",
        "Rows of a batch should not meet: the softmax runs over the vocabulary, the last axis.",
    ),
)

COUNTED = (
    Fault(
        "last_position_only",
        "counting the last position only",
        "All T positions foretell their next token; each is something to learn from.",
    ),
    Fault(
        "first_row_only",
        "counting the first row of the batch only",
        "The loss is the mean over all B·T predictions.",
    ),
    Fault(
        "token_0_ignored",
        "leaving out the places where y is 0",
        "Nothing is padded here: token 0 is a character like any other.",
    ),
)

REDUCTION = (
    Fault(
        "loss_summed",
        "with the loss summed in place of averaged",
        "A sum grows with B·T, and the gradient with it; a mean does not.",
    ),
    Fault(
        "summed_over_time",
        "with the loss summed over time, and averaged over the batch alone",
        "A sum over T grows with the length of the text: average over both axes.",
    ),
    Fault(
        "summed_over_batch",
        "with the loss summed over the batch, and averaged over time alone",
        "A sum over B grows with the size of the batch: average over both axes.",
    ),
    Fault(
        "averaged_over_vocabulary",
        "with the loss averaged over the vocabulary too, so that it is V times too small",
        "Of the V products with a one-hot label only one counts: sum them, then average over B "
        "and T.",
    ),
)

RESULT = (
    Fault(
        "sign_turned",
        "with the sign of the loss turned",
        "log p is negative, and surprise is -log p: the better the model, the smaller the loss.",
    ),
    Fault(
        "exponentiated",
        "with exp of the loss, the perplexity",
        "Asked for is the mean cross-entropy itself.",
    ),
)

LOSS = LABELS + MEASURE + COUNTED + REDUCTION + RESULT

GRADIENT = (
    Fault(
        "gradient_ascent",
        "with the gradients' sign turned, so that every step goes uphill",
        "The optimiser subtracts by itself; give it the gradients as they are.",
    ),
    Fault(
        "gradients_normalised",
        "with the gradients scaled to length 1",
        "Their length belongs to them: how far to go is the optimiser's business.",
    ),
    Fault(
        "gradients_clipped",
        "with the gradients clipped to a global norm of 1",
        "Clipping, where it is wanted, is part of the optimiser that the state carries.",
    ),
)

RATES = {f"by_hand_{rate:g}": rate for rate in (1.0, 0.1, 0.01, 0.001, 0.0003)}

BY_HAND = tuple(
    Fault(
        id,
        f"with {rate:g} · gradient subtracted by hand, whatever the state's optimiser is",
        "The state carries its optimiser, and knows how to apply it to gradients.",
    )
    for id, rate in RATES.items()
)

UPDATE = (
    Fault(
        "state_unchanged",
        "with the state unchanged: the update is lost",
        "A TrainState is immutable: the method that applies gradients returns a new one.",
    ),
    Fault(
        "params_unchanged",
        "with the old params in the new state",
        "What the optimiser returns is a change of the params; it has to be added to them.",
    ),
    Fault(
        "update_twice",
        "with the update applied twice",
        "One batch, one gradient, one update.",
    ),
    Fault(
        "opt_state_lost",
        "with the optimiser's new state thrown away",
        "Momentum lives in opt_state: the new one belongs into the new state.",
    ),
    Fault(
        "opt_state_fresh",
        "with an optimiser that starts anew at every step",
        "Momentum lives in opt_state: go on from the one that the state carries.",
    ),
    Fault(
        "state_created_anew",
        "with a TrainState created anew at every step, its opt_state empty and its step 0",
        "Go on from the state that you were given: all but what changes stays as it was.",
    ),
    *BY_HAND,
)

COUNT = (
    Fault(
        "step_not_counted",
        "without counting the step",
        "state.step says how many updates there have been; applying gradients counts it too.",
    ),
)

RETURNED = (
    Fault(
        "loss_after_update",
        "with the loss from after the update",
        "Return the loss that the gradient came from; a second forward pass is wasted.",
    ),
)

STEP = GRADIENT + UPDATE + COUNT + RETURNED

ALTERNATIVES = [
    {fault.id for fault in group}
    for group in (LABELS, MEASURE, COUNTED, REDUCTION, GRADIENT[1:], UPDATE)
]


def loss_suspects(params: Any, apply_fn: Callable, x: jax.Array, y: jax.Array) -> Suspects:
    """The mistakes in `loss_fn`: → a scalar."""
    model = _Model(params, apply_fn, x, y)

    def compute(faults: frozenset[str]) -> float:
        _exclude(faults)
        return model.loss_and_slope(faults)[0]

    return Suspects(LOSS, compute)


def step_suspects(state: TrainState, x: jax.Array, y: jax.Array) -> Suspects:
    """The mistakes in `train_step`, those in its loss among them: → what `outcome` gives."""
    model = _Model(state.params, state.apply_fn, x, y)

    def compute(faults: frozenset[str]) -> dict:
        _exclude(faults)
        in_loss = faults & {fault.id for fault in LOSS}
        loss, grads = model.loss_and_gradients(in_loss)
        new = _updated(state, _spoilt(grads, faults), faults - in_loss)
        if "loss_after_update" in faults:
            loss, _ = _Model(new["params"], state.apply_fn, x, y).loss_and_slope(in_loss)
        return new | {"loss": loss}

    return Suspects(LOSS + STEP, compute)


def returned_loss_suspects(state: TrainState, x: jax.Array, y: jax.Array) -> Suspects:
    """The mistakes in `train_step` as far as they show in the loss that it returns: → a scalar."""
    suspects = step_suspects(state, x, y)
    return Suspects(suspects.faults, lambda faults: suspects.compute(faults)["loss"])


def outcome(state: TrainState, loss: Any) -> dict:
    """All that a step changes and returns."""
    step = state.step if hasattr(state.step, "shape") else np.asarray(state.step)
    return {"loss": loss, "params": state.params, "opt_state": state.opt_state, "step": step}


def _exclude(faults: frozenset[str]) -> None:
    if (
        any(len(faults & group) > 1 for group in ALTERNATIVES)
        or ("state_unchanged" in faults and len(faults & {fault.id for fault in STEP}) > 1)
        or ("step_not_counted" in faults and faults & {"state_created_anew", *RATES})
    ):
        raise ValueError("Faults that exclude each other.")


class _Model:
    """Losses of one set of params on one batch, and their gradients."""

    def __init__(self, params: Any, apply_fn: Callable, x: jax.Array, y: jax.Array):
        self.x, self.y = np.asarray(x), np.asarray(y)
        self.run = cache(
            lambda reads_y: jax.vjp(lambda p: apply_fn(p, y if reads_y else x), params)
        )
        self.loss_and_gradients = cache(self._loss_and_gradients)

    def loss_and_slope(self, faults: frozenset[str]) -> tuple[float, np.ndarray]:
        """The loss, and its gradient with respect to the logits (B, T, V)."""
        x, y = self.x, self.y
        if "inputs_labels_swapped" in faults:
            x, y = y, x
        logits, _ = self.run("inputs_labels_swapped" in faults)  # (B, T, V)
        logits = np.asarray(logits, np.float64)
        y, counts = _labels(x, y, faults)  # (B, T) each
        weights = _weights(counts, logits.shape[-1], faults)  # (B, T)
        with np.errstate(all="ignore"):
            loss, slope = _measured(logits, y, weights, faults)
            if "sign_turned" in faults:
                loss, slope = -loss, -slope
            if "exponentiated" in faults:
                loss, slope = np.exp(loss), np.exp(loss) * slope
        return loss, slope

    def _loss_and_gradients(self, faults: frozenset[str]) -> tuple[float, Any]:
        loss, slope = self.loss_and_slope(faults)
        logits, pull = self.run("inputs_labels_swapped" in faults)
        (grads,) = pull(jax.numpy.asarray(slope, logits.dtype))
        return loss, jax.tree.map(np.asarray, grads)


def _labels(x, y, faults: frozenset[str]) -> tuple[np.ndarray, np.ndarray]:
    """The labels (B, T), and 1 where they count, 0 where not (B, T)."""
    counts = np.ones(y.shape)
    if "labels_are_inputs" in faults:
        y = x
    if "labels_rolled" in faults or "labels_shifted" in faults:
        y = np.roll(y, -1, axis=1)
    if "labels_from_x" in faults:
        y = np.roll(x, -1, axis=1)
    last = -1
    if faults & {"labels_shifted", "labels_from_x"}:
        counts[:, -1] = 0
        last = -2
    if "last_position_only" in faults:
        counts[:, :last] = 0
    if "first_row_only" in faults:
        counts[1:] = 0
    if "token_0_ignored" in faults:
        counts = counts * (y != 0)
    return y, counts


def _weights(counts: np.ndarray, vocab_size: int, faults: frozenset[str]) -> np.ndarray:
    """What each loss is multiplied by before all are summed: (B, T)."""
    total = counts.sum()
    numbers = {
        "loss_summed": 1.0,
        "summed_over_time": counts.any(1).sum(),
        "summed_over_batch": counts.any(0).sum(),
        "averaged_over_vocabulary": total * vocab_size,
    }
    with np.errstate(all="ignore"):
        return counts / next((numbers[fault] for fault in numbers if fault in faults), total)


def _measured(logits, y, weights, faults: frozenset[str]) -> tuple[float, np.ndarray]:
    """The weighted sum of the losses of logits (B, T, V), and its gradient (B, T, V)."""
    V = logits.shape[-1]
    one_hot = np.eye(V)[y]  # (B, T, V)
    weights = weights[..., None]  # (B, T, 1)
    probs = _softmax(logits)
    if "squared_error_of_logits" in faults:
        off = logits - one_hot
        return (weights * off**2).sum() / V, weights * 2 * off / V
    if "squared_error" in faults:
        off = probs - one_hot
        return (weights * off**2).sum() / V, _through_softmax(probs, weights * 2 * off / V)
    if "sigmoid" in faults:
        losses = np.logaddexp(0, logits) - one_hot * logits
        slope = 1 / (1 + np.exp(-logits)) - one_hot
        return (weights * losses).sum() / V, weights * slope / V
    counted = weights * one_hot  # (B, T, V)
    if "softmax_missing" in faults:
        return -(counted * logits).sum(), -counted
    if "log_missing" in faults:
        return -(counted * probs).sum(), _through_softmax(probs, -counted)
    if "softmax_twice" in faults:
        loss, slope = _cross_entropy(probs, counted)
        return loss, _through_softmax(probs, slope)
    axes = {"softmax_over_time": 1, "softmax_over_batch": 0}
    axis = next((axes[fault] for fault in axes if fault in faults), -1)
    loss, slope = _cross_entropy(logits, counted, axis)
    unit = np.log(2) if "log_base_2" in faults else 1.0
    return loss / unit, slope / unit


def _cross_entropy(logits, counted: np.ndarray, axis: int = -1) -> tuple[float, np.ndarray]:
    logits = logits - logits.max(axis, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(axis, keepdims=True))
    slope = np.exp(log_probs) * counted.sum(axis, keepdims=True) - counted
    return -(counted * log_probs).sum(), slope


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def _through_softmax(probs: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """From the gradient with respect to the probabilities to that of the logits."""
    return probs * (slope - (probs * slope).sum(-1, keepdims=True))


def _spoilt(grads: Any, faults: frozenset[str]) -> Any:
    length = np.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(grads)))
    factor = -1.0 if "gradient_ascent" in faults else 1.0
    if "gradients_normalised" in faults:
        factor = factor / length
    elif "gradients_clipped" in faults:
        factor = factor / max(length, 1.0)
    return jax.tree.map(lambda leaf: np.float32(factor) * leaf, grads)


def _updated(state: TrainState, grads: Any, faults: frozenset[str]) -> dict:
    """params, opt_state and step after the update."""
    old = {"params": state.params, "opt_state": state.opt_state, "step": state.step}
    if "state_unchanged" in faults:
        return old
    if by_hand := faults & RATES.keys():
        rate = np.float32(RATES[min(by_hand)])
        params = jax.tree.map(lambda p, g: np.asarray(p) - rate * g, state.params, grads)
        # Whoever writes the update by hand may have counted the step, or not.
        return old | {"params": params, "step": np.nan}
    params, opt_state, step = state.params, state.opt_state, int(state.step)
    if "opt_state_fresh" in faults:
        opt_state = state.tx.init(params)
    for _ in range(2 if "update_twice" in faults else 1):
        params, opt_state = _one_update(state.tx, grads, opt_state, params)
        step = step + 1
    new = {"params": params, "opt_state": opt_state, "step": step}
    if "state_created_anew" in faults:
        new |= {"opt_state": state.tx.init(params), "step": 0}
    kept = {
        "params_unchanged": "params",
        "opt_state_lost": "opt_state",
        "step_not_counted": "step",
    }
    return new | {part: old[part] for fault, part in kept.items() if fault in faults}


@partial(jax.jit, static_argnums=0)
def _one_update(tx: optax.GradientTransformation, grads, opt_state, params) -> tuple[Any, Any]:
    updates, opt_state = tx.update(grads, opt_state, params)
    return optax.apply_updates(params, updates), opt_state
