"""Mistakes in attention with a cache (task 6), in plain NumPy."""

from typing import Any

import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Suspects, ids
from minigpt_challenge.coach.checks.faults.catalogue.cached_attention import (
    MASK,
    READ,
    RETURNED,
    SCALE,
    SOFTMAX,
)

ALTERNATIVES = (*ids(SCALE, MASK), frozenset({"cache_not_read", "new_not_read"}))


def cached_attention_suspects(
    params: Any, x: Any, cache: Any, position: int, num_heads: int
) -> Suspects:
    """The mistakes in one call: → output (B, T, N·H), cached keys and values, (B, S', N, H) each.

    S' is position + T: cache entries from there on do not count.
    """
    layers = {name: np.asarray(layer["kernel"]) for name, layer in params["params"].items()}
    bias = np.asarray(params["params"]["dense"]["bias"])
    x, old_keys, old_values = np.asarray(x), np.asarray(cache.key), np.asarray(cache.value)
    B, T, _ = x.shape
    S = old_keys.shape[1]

    def compute(faults: frozenset[str]) -> dict[str, np.ndarray]:
        q, k, v = ((x @ layers[n]).reshape(B, T, num_heads, -1) for n in ("query", "key", "value"))
        if "keys_and_values_swapped" in faults:
            k, v = v, k
        start = 0 if "written_at_zero" in faults else position
        keys, values = old_keys.copy(), old_values.copy()
        keys[:, start : start + T], values[:, start : start + T] = k, v  # (B, S, N, H)
        read, first = (keys, values), position
        if "cache_not_read" in faults:
            read, first = (k, v), 0
        elif "new_not_read" in faults:
            read = old_keys, old_values
        scores = np.einsum("BTNH,BSNH->BNTS", q, read[0])
        if "scale_missing" not in faults:
            scores = scores / _scale(q, x, faults)
        hidden = 0.0 if "hidden_scores_zero" in faults else -np.inf
        scores = np.where(_visible(T, scores.shape[-1], first, faults), scores, hidden)
        axis = -2 if "softmax_over_queries" in faults else -1
        scores = scores - scores.max(axis, keepdims=True)
        weights = np.exp(scores) / np.exp(scores).sum(axis, keepdims=True)  # (B, N, T, S)
        mixed = np.einsum("BNTS,BSNH->BTNH", weights, read[1]).reshape(B, T, -1)
        if "old_cache_returned" in faults:
            keys, values = old_keys, old_values
        return outcome(mixed @ layers["dense"] + bias, keys, values, min(position + T, S))

    return Suspects(SCALE + MASK + SOFTMAX + READ + RETURNED, compute, ALTERNATIVES)


def outcome(out: Any, keys: Any, values: Any, length: int) -> dict[str, Any]:
    """The parts of a call's result that count."""
    return {"out": out, "cache.key": keys[:, :length], "cache.value": values[:, :length]}


def _scale(q: np.ndarray, x: np.ndarray, faults: frozenset[str]) -> float:
    """The divisor of the scores: q (B, T, N, H), x (B, T, C)."""
    if "scaled_by_input_width" in faults:
        return x.shape[-1] ** 0.5
    width = q.shape[-2] if "scaled_by_whole_width" in faults else 1
    return (width * q.shape[-1]) ** 0.5


def _visible(T: int, S: int, position: int, faults: frozenset[str]) -> np.ndarray:
    """(T, S): whether each new token sees each key."""
    first = 0 if "mask_without_position" in faults else position
    t, s = first + np.arange(T)[:, None], np.arange(S)
    if "mask_missing" in faults:
        return np.ones((T, S), bool)
    if "mask_of_the_first" in faults:
        return np.broadcast_to(s <= first, (T, S))
    if "mask_up_to_the_last" in faults:
        return np.broadcast_to(s < first + T, (T, S))
    if "mask_strict" in faults:
        return s < t
    return s <= t + ("one_ahead_visible" in faults)
