"""What attention with a cache must do: read in pieces, it gives what it gives at once."""

from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults.cached_attention import (
    cached_attention_suspects,
    outcome,
)
from minigpt_challenge.coach.checks.properties.attention import survives_large_scores
from minigpt_challenge.given.cached_gpt import KeyValueCache

OF = "CachedAttention"

# (params, x (B, T, C), cache, position) → (B, T, N·H), cache: `CachedAttention(…).apply`, compiled
# once for all checks.
Apply = Callable[[Any, jax.Array, KeyValueCache, Any], tuple[jax.Array, KeyValueCache]]


def random_cache(B: int, S: int, N: int, H: int, seed: int = 0) -> KeyValueCache:
    """A cache in which rubbish stands: (B, S, N, H) twice."""
    return KeyValueCache(
        random_inputs.floats(B, S, N, H, seed=seed), random_inputs.floats(B, S, N, H, seed=seed + 1)
    )


def reading_in_pieces_equals(
    mine: Apply,
    theirs: Apply,
    params: Any,
    x: jax.Array,
    rubbish: KeyValueCache,
    pieces: Sequence[int],
) -> None:
    """Piece by piece, outputs and caches are the reference's.

    Args:
        mine: the learner's.
        theirs: the reference's. It reads everything at once, which comes to the same.
        params: the weights of both.
        x: float (B, T, C).
        rubbish: what the cache holds at first; nothing behind the tokens read may be seen.
        pieces: how many tokens are read at a time, T in all.
    """
    B, S, N, H = rubbish.key.shape
    everything, full = theirs(params, x, rubbish, 0)
    expected, position = rubbish, 0
    seen, whole, evidence = [], [], []
    for T in pieces:
        new = x[:, position : position + T]
        out, kept = _pair(mine(params, new, expected, position))
        out = expect.array(out, (B, T, N * H), ("B", "T", "N·H"), OF)
        for name, leaf in kept._asdict().items():
            expect.array(leaf, (B, S, N, H), "BSNH", f"The cache's {name}")
        suspects = cached_attention_suspects(params, new, expected, position, N)
        right = everything[:, position : position + T]
        position += T
        expected = _read_so_far(rubbish, full, position)
        seen.append(outcome(out, *kept, position))
        whole.append(outcome(right, *expected, position))
        evidence.append((seen[-1], suspects))
    position = 0
    for T, was, should in zip(pieces, seen, whole, strict=True):
        of = f"{OF}, reading {T} token{'s' * (T > 1)} at position {position},"
        expect.trees_equal(was, should, of, evidence)
        position += T


def large_scores_give_no_nan(
    mine: Apply, theirs: Apply, params: Any, x: jax.Array, cache: KeyValueCache
) -> None:
    """Scores of ±10⁴ give finite numbers, the reference's."""
    without_cache = (
        SimpleNamespace(apply=partial(_attend, apply, cache)) for apply in (mine, theirs)
    )
    survives_large_scores(*without_cache, params, x.shape, OF)


def _attend(apply: Apply, cache: KeyValueCache, params: Any, x: jax.Array) -> jax.Array:
    return apply(params, x, cache, 0)[0]


def _read_so_far(before: KeyValueCache, after: KeyValueCache, length: int) -> KeyValueCache:
    """The cache as it is when all up to `length` is read, and nothing behind."""
    return KeyValueCache(
        *(
            jax.numpy.asarray(np.concatenate([new[:, :length], old[:, length:]], axis=1))
            for old, new in zip(before, after, strict=True)
        )
    )


def _pair(returned: Any) -> tuple[jax.Array, KeyValueCache]:
    of = "CachedAttention(…)(x, cache, position)"
    out, kept = expect.pair(returned, of, jax.Array)
    if not hasattr(kept, "key") or not hasattr(kept, "value"):
        raise expect.Wrong(f"{of} should return a KeyValueCache second.")
    return out, KeyValueCache(kept.key, kept.value)
