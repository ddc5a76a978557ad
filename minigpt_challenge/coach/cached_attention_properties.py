"""What attention with a cache must do: read in pieces, it gives what it gives at once."""

from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import flax.linen as nn
import jax

from minigpt_challenge.coach import draw, expect
from minigpt_challenge.coach.attention_properties import survives_large_scores
from minigpt_challenge.coach.faults.cached_attention import cached_attention_suspects, outcome
from minigpt_challenge.given.cached_gpt import KeyValueCache

OF = "CachedAttention"


def random_cache(B: int, S: int, N: int, H: int, seed: int = 0) -> KeyValueCache:
    """A cache in which rubbish stands: (B, S, N, H) twice."""
    return KeyValueCache(draw.floats(B, S, N, H, seed=seed), draw.floats(B, S, N, H, seed=seed + 1))


def reading_in_pieces_equals(
    mine: nn.Module, theirs: nn.Module, x: jax.Array, rubbish: KeyValueCache, pieces: Sequence[int]
) -> None:
    """Piece by piece, outputs and caches are the reference's.

    Args:
        mine: the learner's CachedAttention.
        theirs: the reference's.
        x: float (B, T, C).
        rubbish: what the cache holds at first; nothing behind the tokens read may be seen.
        pieces: how many tokens are read at a time, T in all.
    """
    B, S, N, H = rubbish.key.shape
    params = draw.params(theirs, x, rubbish, 0)
    apply, position = jax.jit(mine.apply), 0
    expected = rubbish
    seen, whole, evidence = [], [], []
    for T in pieces:
        new = x[:, position : position + T]
        out, kept = _pair(apply(params, new, expected, position))
        out = expect.array(out, (B, T, N * H), ("B", "T", "N·H"), OF)
        for name, leaf in kept._asdict().items():
            expect.array(leaf, (B, S, N, H), "BSNH", f"The cache's {name}")
        suspects = cached_attention_suspects(params, new, expected, position, N)
        right, expected = theirs.apply(params, new, expected, position)
        position += T
        seen.append(outcome(out, *kept, position))
        whole.append(outcome(right, *expected, position))
        evidence.append((seen[-1], suspects))
    position = 0
    for T, was, should in zip(pieces, seen, whole, strict=True):
        of = f"{OF}, reading {T} token{'s' * (T > 1)} at position {position},"
        expect.trees_equal(was, should, of, evidence)
        position += T


def large_scores_give_no_nan(
    mine: nn.Module, theirs: nn.Module, x: jax.Array, cache: KeyValueCache
) -> None:
    """Scores of ±10⁴ give finite numbers, the reference's."""
    params = draw.params(theirs, x, cache, 0)
    without_cache = (
        SimpleNamespace(apply=partial(_attend, module, cache)) for module in (mine, theirs)
    )
    survives_large_scores(*without_cache, params, x.shape, OF)


def _attend(module: nn.Module, cache: KeyValueCache, params: Any, x: jax.Array) -> jax.Array:
    return module.apply(params, x, cache, 0)[0]


def _pair(returned: Any) -> tuple[jax.Array, KeyValueCache]:
    of = "CachedAttention(…)(x, cache, position)"
    out, kept = expect.pair(returned, of, jax.Array)
    if not hasattr(kept, "key") or not hasattr(kept, "value"):
        raise expect.Wrong(f"{of} should return a KeyValueCache second.")
    return out, KeyValueCache(kept.key, kept.value)
