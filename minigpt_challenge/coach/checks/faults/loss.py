"""Mistakes in the loss (task 5): its value and its gradient, in plain NumPy.

JAX would compile every operation of every mistake, and the learner would wait for it.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Suspects, ids
from minigpt_challenge.coach.checks.faults.catalogue.loss import UNSTABLE


class LossModel:
    """The loss of one set of params on one batch, and its gradient, with any faults."""

    def __init__(self, params: Any, apply_fn: Callable, x: jax.Array, y: jax.Array):
        self.x, self.y = np.asarray(x), np.asarray(y)
        self._forward = cache(
            lambda reads_y: jax.vjp(lambda p: apply_fn(p, y if reads_y else x), params)
        )
        self.loss_and_gradients = cache(self._loss_and_gradients)

    def loss_and_logit_gradient(self, faults: frozenset[str]) -> tuple[float, np.ndarray]:
        """The loss, and its gradient with respect to the logits (B, T, V)."""
        x, y = self.x, self.y
        if "inputs_labels_swapped" in faults:
            x, y = y, x
        logits, _ = self._forward("inputs_labels_swapped" in faults)  # (B, T, V)
        logits = np.asarray(logits, np.float64)
        y, counts = _labels(x, y, faults)  # (B, T) each
        weights = _weights(counts, logits.shape[-1], faults)  # (B, T)
        with np.errstate(all="ignore"):
            loss, gradient = _weighted_loss(logits, y, weights, faults)
            if "sign_turned" in faults:
                loss, gradient = -loss, -gradient
            if "exponentiated" in faults:
                loss, gradient = np.exp(loss), np.exp(loss) * gradient
        return loss, gradient

    def _loss_and_gradients(self, faults: frozenset[str]) -> tuple[float, Any]:
        loss, gradient = self.loss_and_logit_gradient(faults)
        logits, backward = self._forward("inputs_labels_swapped" in faults)
        (grads,) = backward(jnp.asarray(gradient, logits.dtype))
        return loss, jax.tree.map(np.asarray, grads)


def unstable_suspects(logits: jax.Array, y: jax.Array) -> Suspects:
    """Losses that overflow in float32: logits (B, T, V), labels (B, T) → a `finite_outcome`."""
    values, labels = np.asarray(logits, np.float32), np.asarray(y)[..., None]  # (B, T, V or 1)

    @np.errstate(all="ignore")  # overflow is what is simulated
    def compute(faults: frozenset[str]) -> np.ndarray | None:
        largest = 0 if "exp_overflows" in faults else values.max(-1, keepdims=True)
        exps = np.exp(values - largest)  # (B, T, V)
        total = exps.sum(-1, keepdims=True)  # (B, T, 1)
        if not faults:
            true_logits = np.take_along_axis(values, labels, -1)  # (B, T, 1)
            return finite_outcome((largest + np.log(total) - true_logits).mean())
        return finite_outcome(-np.log(np.take_along_axis(exps / total, labels, -1)).mean())

    return Suspects(UNSTABLE, compute, ids(UNSTABLE))


def finite_outcome(loss: Any) -> np.ndarray | None:
    """[1, loss] for a finite loss, [0, 0] for another scalar, float32; None if not a scalar."""
    if getattr(loss, "shape", None) != ():
        return None
    loss = np.float32(loss)
    return np.array([1, loss] if np.isfinite(loss) else [0, 0], np.float32)


def _labels(x: np.ndarray, y: np.ndarray, faults: frozenset[str]) -> tuple[np.ndarray, np.ndarray]:
    """The labels (B, T), and 1 where a label counts, 0 elsewhere (B, T)."""
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
    """The factor of each position's loss before all are summed: (B, T)."""
    total = counts.sum()
    divisors = {
        "loss_summed": 1.0,
        "summed_over_time": counts.any(1).sum(),
        "summed_over_batch": counts.any(0).sum(),
        "averaged_over_vocabulary": total * vocab_size,
    }
    with np.errstate(all="ignore"):
        return counts / next((divisors[fault] for fault in divisors if fault in faults), total)


def _weighted_loss(
    logits: np.ndarray, y: np.ndarray, weights: np.ndarray, faults: frozenset[str]
) -> tuple[float, np.ndarray]:
    """The weighted sum of the losses of logits (B, T, V), and its gradient (B, T, V)."""
    V = logits.shape[-1]
    one_hot = np.eye(V)[y]  # (B, T, V)
    if "every_label_everywhere" in faults:
        one_hot = np.broadcast_to(one_hot.mean((0, 1)), one_hot.shape)
    weights = weights[..., None]  # (B, T, 1)
    probs = _softmax(logits)
    if "squared_error_of_logits" in faults:
        error = logits - one_hot
        return (weights * error**2).sum() / V, weights * 2 * error / V
    if "squared_error" in faults:
        error = probs - one_hot
        loss = (weights * error**2).sum() / V
        return loss, _through_softmax(probs, weights * 2 * error / V)
    if "sigmoid" in faults:
        losses = np.logaddexp(0, logits) - one_hot * logits
        gradient = 1 / (1 + np.exp(-logits)) - one_hot
        return (weights * losses).sum() / V, weights * gradient / V
    weighted = weights * one_hot  # (B, T, V)
    if "softmax_missing" in faults:
        return -(weighted * logits).sum(), -weighted
    if "log_missing" in faults:
        return -(weighted * probs).sum(), _through_softmax(probs, -weighted)
    if "softmax_twice" in faults:
        loss, gradient = _cross_entropy(probs, weighted)
        return loss, _through_softmax(probs, gradient)
    axes = {"softmax_over_time": 1, "softmax_over_batch": 0}
    axis = next((axes[fault] for fault in axes if fault in faults), -1)
    loss, gradient = _cross_entropy(logits, weighted, axis)
    unit = np.log(2) if "log_base_2" in faults else 1.0
    return loss / unit, gradient / unit


def _cross_entropy(
    logits: np.ndarray, weighted: np.ndarray, axis: int = -1
) -> tuple[float, np.ndarray]:
    """The cross-entropy with weighted one-hot labels, and its gradient: (B, T, V) each."""
    logits = logits - logits.max(axis, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(axis, keepdims=True))
    gradient = np.exp(log_probs) * weighted.sum(axis, keepdims=True) - weighted
    return -(weighted * log_probs).sum(), gradient


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def _through_softmax(probs: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The gradient with respect to the logits, from that with respect to the probabilities."""
    return probs * (gradient - (probs * gradient).sum(-1, keepdims=True))
