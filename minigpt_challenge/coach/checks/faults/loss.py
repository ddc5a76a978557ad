"""What each mistake makes of the loss (task 5): its value, and its gradient, in plain NumPy.

JAX would compile every operation of every mistake, and the learner would wait for it.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np


class Model:
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
