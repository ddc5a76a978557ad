"""Mistakes in attention (tasks 2 and 3), in plain NumPy."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Suspects
from minigpt_challenge.coach.checks.faults.catalogue.attention import HEAD, JOINING, SPLITTING

SPLIT_FAULTS = {f"{name}split_without_transpose" for name in ("", "query_", "key_", "value_")}
# Groups of task 3's mistakes: two of a group together give nothing new, or nothing defined.
ALTERNATIVES = (
    frozenset({"heads_interleaved", "split_interleaved", "sizes_swapped"} | SPLIT_FAULTS),
    frozenset({"heads_interleaved", "joined_interleaved", "joined_without_transpose"}),
    frozenset({"split_interleaved", "joined_interleaved"}),  # together they are heads_interleaved
    frozenset({"heads_share_scores", "softmax_over_heads"}),
    # Without a softmax over the keys most rows are undefined; joined this way, nearly all are.
    *(
        frozenset({"joined_without_transpose", undefined})
        for undefined in ("softmax_missing", "softmax_over_batch", "softmax_over_heads")
    ),
)


def head_suspects(params: Any, x: np.ndarray) -> Suspects:
    """The mistakes in one head: x (B, T, C) → (B, T, H)."""

    x = np.asarray(x)

    def compute(faults: frozenset[str]) -> np.ndarray:
        return _head(params["params"], x, faults)

    return Suspects(HEAD, compute)


def multi_head_suspects(params: Any, x: np.ndarray) -> Suspects:
    """The mistakes in task 2's heads and in joining them: x (B, T, C) → (B, T, N·H)."""
    params, x = params["params"], np.asarray(x)
    num_heads = sum(name.startswith("heads_") for name in params)

    def compute(faults: frozenset[str]) -> np.ndarray:
        order = list(range(num_heads))
        if "heads_reversed" in faults:
            order.reverse()
        if "first_head_repeated" in faults:
            order = [0] * num_heads
        outputs = [_head(params[f"heads_{n}"], x, faults) for n in order]
        axis = -1 if "heads_interleaved" in faults else -2
        joined = np.stack(outputs, axis).reshape(*x.shape[:2], -1)  # (B, T, N·H)
        return _dense(params["dense"], joined, faults)

    return Suspects(HEAD + JOINING, compute)


def einsum_suspects(params: Any, x: np.ndarray, num_heads: int) -> Suspects:
    """The mistakes in task 3: x (B, T, C) → (B, T, N·H)."""
    params, x = params["params"], np.asarray(x)
    B, T, C = x.shape

    def split(projected: np.ndarray, faults: frozenset[str], name: str) -> np.ndarray:
        """(B, T, N·H) → (B, N, T, H)."""
        if faults & {"split_without_transpose", f"{name}_split_without_transpose"}:
            return projected.reshape(B, num_heads, T, -1)
        if faults & {"heads_interleaved", "split_interleaved"}:
            return projected.reshape(B, T, -1, num_heads).transpose(0, 3, 1, 2)
        if "sizes_swapped" in faults:
            return projected.reshape(B, T, -1, num_heads).transpose(0, 2, 1, 3)
        return projected.reshape(B, T, num_heads, -1).transpose(0, 2, 1, 3)

    def compute(faults: frozenset[str]) -> np.ndarray:
        q, k, v = (
            x @ np.asarray(params[name]["kernel"]) for name in _projections(faults)
        )  # (B, T, N·H)
        width = q.shape[-1]
        if "value_unprojected" in faults:
            v = x
        if "heads_share_scores" in faults:
            q, k = q[:, None], k[:, None]  # (B, 1, T, N·H), the same for all heads
        else:
            q, k = split(q, faults, "query"), split(k, faults, "key")  # (B, N, T, H)
        sizes = _Sizes(head_dim=width // num_heads, hidden_dim=C, width=width)
        mixed = _mix(q, k, split(v, faults, "value"), faults, sizes)  # (B, N, T, H)
        if "joined_without_transpose" in faults:
            joined = mixed.reshape(B, T, -1)
        elif faults & {"heads_interleaved", "joined_interleaved"}:
            joined = mixed.transpose(0, 2, 3, 1).reshape(B, T, -1)
        else:
            joined = mixed.transpose(0, 2, 1, 3).reshape(B, T, -1)
        return _dense(params["dense"], joined, faults)

    joining = tuple(
        fault for fault in JOINING if fault.id not in ("heads_reversed", "first_head_repeated")
    )
    return Suspects(HEAD + joining + SPLITTING, compute, ALTERNATIVES)


@dataclass(frozen=True)
class _Sizes:
    """The sizes that the scores may be scaled by; width is N·H."""

    head_dim: int
    hidden_dim: int
    width: int


def _head(params: Any, x: np.ndarray, faults: frozenset[str]) -> np.ndarray:
    q, k, v = _project(params, x, faults)  # (B, T, H)
    if "value_unprojected" in faults:
        v = x  # (B, S, C)
    H = q.shape[-1]
    return _mix(q, k, v, faults, _Sizes(head_dim=H, hidden_dim=x.shape[-1], width=H))


def _project(params: Any, x: np.ndarray, faults: frozenset[str]) -> list[np.ndarray]:
    """Queries, keys and values, (B, T, H) each."""
    return [x @ np.asarray(params[name]["kernel"]) for name in _projections(faults)]


def _projections(faults: frozenset[str]) -> tuple[str, str, str]:
    """The names of the projections that make q, k and v."""
    value = "value"
    if "value_is_key" in faults:
        value = "key"
    if "value_is_query" in faults:
        value = "query"
    query = "key" if "query_is_key" in faults else "query"
    key = "query" if "key_is_query" in faults else "key"
    if "query_key_swapped" in faults:
        query, key = key, query
    return query, key, value


def _mix(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, faults: frozenset[str], sizes: _Sizes
) -> np.ndarray:
    """q (…, T, H), k (…, S, H), v (…, S, H) → (…, T, H)."""
    scores = q @ k.swapaxes(-2, -1) * _scale(faults, sizes)  # (…, T, S)
    visible = _visible(faults, q.shape[-2])  # (T, S)
    fill = 0.0 if "mask_zero" in faults else -np.inf
    if "mask_after_softmax" not in faults:
        scores = np.where(visible, scores, fill)
    weights = scores if "softmax_missing" in faults else _softmax(scores, _axis(faults))
    if "mask_after_softmax" in faults:
        weights = np.where(visible, weights, 0.0)
    if "scale_after_softmax" in faults:
        weights = weights / sizes.head_dim**0.5
    if "weights_transposed" in faults:
        weights = weights.swapaxes(-2, -1)
    if "values_unmixed" in faults:
        return weights.sum(-1, keepdims=True) * v  # as "BNTS,BTNH->BTNH" does
    return weights @ v


def _scale(faults: frozenset[str], sizes: _Sizes) -> float:
    factors = {
        "scale_missing": 1.0,
        "scale_after_softmax": 1.0,
        "scale_by_hidden_dim": sizes.hidden_dim**-0.5,
        "scale_without_root": 1 / sizes.head_dim,
        "scale_inverted": sizes.head_dim**0.5,
        "scale_by_width": sizes.width**-0.5,
    }
    return next((factors[fault] for fault in factors if fault in faults), sizes.head_dim**-0.5)


def _visible(faults: frozenset[str], T: int) -> np.ndarray:
    """(T, T): whether query t sees key s."""
    all_true = np.ones((T, T), bool)
    if "mask_missing" in faults:
        return all_true
    if "mask_reversed" in faults:
        return np.triu(all_true)
    if "mask_inverted" in faults:
        return np.triu(all_true, 1)
    offset = {"mask_strict": -1, "mask_loose": 1}
    return np.tril(all_true, next((offset[f] for f in offset if f in faults), 0))


def _axis(faults: frozenset[str]) -> int:
    axes = {"softmax_over_queries": -2, "softmax_over_batch": 0, "softmax_over_heads": 1}
    return next((axes[fault] for fault in axes if fault in faults), -1)


def _softmax(scores: np.ndarray, axis: int) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis, keepdims=True))
    return exponentials / exponentials.sum(axis, keepdims=True)


def _dense(params: Any, joined: np.ndarray, faults: frozenset[str]) -> np.ndarray:
    """(B, T, N·H) → (B, T, N·H)."""
    times = 0 if "dense_missing" in faults else 2 if "dense_twice" in faults else 1
    for _ in range(times):
        joined = joined @ np.asarray(params["kernel"]) + np.asarray(params["bias"])
    return joined
