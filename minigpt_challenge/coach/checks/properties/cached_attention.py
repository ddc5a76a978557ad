"""What attention with a cache must do: give the same for tokens read in pieces and at once."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import accumulate
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.coach.checks import expect, param_trees, random_inputs
from minigpt_challenge.coach.checks.faults.cached_attention import (
    cached_attention_suspects,
    outcome,
)
from minigpt_challenge.coach.checks.not_a_number import with_origin_of_nan
from minigpt_challenge.coach.checks.properties.attention import survives_large_scores
from minigpt_challenge.coach.checks.settings import Settings
from minigpt_challenge.given.cached_gpt import KeyValueCache

LABEL = "CachedAttention"

# `CachedAttention(…).apply`, compiled once for all checks:
# (params, x (B, T, C), cache, position) → (B, T, N·H), cache.
Apply = Callable[[Any, jax.Array, KeyValueCache, Any], tuple[jax.Array, KeyValueCache]]

Pieces = tuple[int, ...]  # how many tokens are read at a time


def random_cache(B: int, S: int, N: int, H: int, seed: int = 0) -> KeyValueCache:
    """A cache filled with random values: (B, S, N, H) twice."""
    return KeyValueCache(
        random_inputs.floats(B, S, N, H, seed=seed), random_inputs.floats(B, S, N, H, seed=seed + 1)
    )


class Readings:
    """What the learner's attention gives for tokens that are read in pieces, once for each way."""

    def __init__(
        self,
        mine: Apply,
        theirs: Apply,
        params: Any,
        x: jax.Array,
        cache: KeyValueCache,
        ways: Iterable[Pieces],
    ) -> None:
        """Read nothing yet.

        Args:
            mine: the learner's.
            theirs: the reference's. It reads all tokens at once, which gives the same.
            params: those of both.
            x: float (B, S, C).
            cache: random values, of which nothing after the tokens read may be used.
            ways: for each way how many tokens are read at a time.
        """
        self._mine, self._theirs, self._params = mine, theirs, params
        self._x, self._cache = x, cache
        self._settings = Settings(ways, self._read)

    def equal_task_3(self, pieces: Pieces) -> None:
        """Piece by piece, outputs and caches are those of the reference."""
        cases, others = self._settings.cases(pieces), self._settings.others(pieces)
        evidence = [(seen, suspects) for seen, _, suspects in cases]
        positions = accumulate(pieces, initial=0)
        for T, position, (seen, expected, _) in zip(pieces, positions, cases, strict=False):
            label = f"{LABEL}, reading {T} token{'s' * (T > 1)} at position {position},"
            try:
                expect.trees_equal(seen, expected, label, evidence, others)
            except expect.Wrong as wrong:
                first = self._params, self._x[:, : pieces[0]], self._cache, 0
                raise with_origin_of_nan(wrong, self._mine, *first) from wrong.__cause__

    def _read(self, pieces: Pieces) -> list[expect.Case]:
        x, cache = self._x[:, : sum(pieces)], self._cache
        B, S, N, H = cache.key.shape
        out_at_once, cache_at_once = self._theirs(self._params, x, cache, 0)
        before, position, cases = cache, 0, []
        for T in pieces:
            new = x[:, position : position + T]
            out, after = _pair(self._mine(self._params, new, before, position))
            seen_out = expect.array(out, (B, T, N * H), ("B", "T", "N·H"), LABEL)
            for name, leaf in after._asdict().items():
                expect.array(leaf, (B, S, N, H), "BSNH", f"The cache's {name}")
            suspects = cached_attention_suspects(self._params, new, before, position, N)
            expected_out = out_at_once[:, position : position + T]
            position += T
            before = _first_tokens_of(cache_at_once, cache, position)
            seen = outcome(seen_out, *after, position)
            cases.append((seen, outcome(expected_out, *before, position), suspects))
        return cases


def has_the_weights_of_task_3(seen: Any, expected: Any) -> None:
    """Two trees of weights have the same names and shapes: the learner's, and the reference's."""
    if jax.tree.map(jnp.shape, seen) != jax.tree.map(jnp.shape, expected):
        raise expect.Wrong(
            f"It has {_shapes(seen)}.",
            asked=f"{LABEL} should have the weights {_shapes(expected)}, so that those of a "
            "trained model fit.",
            advice="Keep the layers of the given `setup`, and add no others.",
            about=f"the weights of {LABEL}",
        )


def large_scores_give_no_nan(
    mine: Apply, theirs: Apply, params: Any, x: jax.Array, cache: KeyValueCache
) -> None:
    """Scores of ±10⁴ give finite numbers, the reference's."""
    attention: list[Any] = [
        SimpleNamespace(apply=partial(_attend, apply, cache)) for apply in (mine, theirs)
    ]
    survives_large_scores(attention[0], attention[1], params, x.shape, LABEL)


def _attend(apply: Apply, cache: KeyValueCache, params: Any, x: jax.Array) -> jax.Array:
    return apply(params, x, cache, 0)[0]


def _shapes(tree: Any) -> str:
    leaves = param_trees.flatten(tree)
    return ", ".join(f"{'.'.join(path)} {leaf.shape}" for path, leaf in leaves) or "none"


def _first_tokens_of(after: KeyValueCache, before: KeyValueCache, length: int) -> KeyValueCache:
    """The cache when only the first `length` tokens have been read."""
    return KeyValueCache(
        *(
            jnp.asarray(np.concatenate([new[:, :length], old[:, length:]], axis=1))
            for old, new in zip(before, after, strict=True)
        )
    )


def _pair(returned: Any) -> tuple[jax.Array, KeyValueCache]:
    label = f"{LABEL}(…)(x, cache, position)"
    out, cache = expect.pair(returned, label, jax.Array)
    if not hasattr(cache, "key") or not hasattr(cache, "value"):
        raise expect.Wrong(
            f"It returned a {type(cache).__name__} second.",
            asked=f"{label} should return a KeyValueCache second.",
            about=f"what {LABEL} returns",
        )
    return out, KeyValueCache(cache.key, cache.value)
