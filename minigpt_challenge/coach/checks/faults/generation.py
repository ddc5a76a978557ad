"""Mistakes in generating text (task 6), simulated with the reference's model."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Suspects, ids
from minigpt_challenge.coach.checks.faults.catalogue.generation import PAST_THE_BLOCK, PROMPT, STEP
from minigpt_challenge.given.cached_gpt import CachedMiniGPT


@dataclass(frozen=True, eq=False)
class HashableCaches:
    """Caches hashed by identity, so that calls of the model with them can be memoized."""

    caches: Any


class Reader:
    """The model with its params, compiled once for each number of tokens.

    Calls are memoized, since most mistakes share most of their steps.

    Attributes:
        empty: caches in which nothing is stored yet.
        block_size: S.
    """

    def __init__(self, model: CachedMiniGPT, params: Any, apply: Callable):
        """`apply` is `model.apply`, compiled once for all params."""
        self.empty = HashableCaches(model.empty_caches())
        self.block_size = model.block_size
        self._params, self._apply = params, apply
        self._read, self.shifted = cache(self._run), cache(self._shift)

    def __call__(
        self, tokens: Any, caches: HashableCaches, position: int
    ) -> tuple[np.ndarray, HashableCaches]:
        """(T,) → logits (T, V), and the new caches."""
        return self._read(tuple(tokens), caches, position)

    def _run(
        self, tokens: tuple[int, ...], caches: HashableCaches, position: int
    ) -> tuple[np.ndarray, HashableCaches]:
        batch = np.array([tokens], np.int32)  # (1, T)
        logits, new = self._apply(self._params, batch, caches.caches, position)
        return np.asarray(logits[0]), HashableCaches(new)

    def _shift(self, caches: HashableCaches) -> HashableCaches:
        """All cache entries one position further to the front."""
        return HashableCaches(jax.tree.map(lambda leaf: np.roll(leaf, -1, axis=1), caches.caches))


def greedy_suspects(read: Reader, prompt: Any, num_tokens: int) -> Suspects:
    """The mistakes in `generate_fast` at temperature 0: → int32 (T + num_tokens,)."""
    prompt = [int(token) for token in prompt]

    @cache
    def compute(faults: frozenset[str]) -> np.ndarray:
        new = _generate(read, prompt, num_tokens, faults)
        return np.array(prompt + new, np.int32)

    return Suspects(PAST_THE_BLOCK + PROMPT + STEP, compute, ids(PAST_THE_BLOCK, PROMPT, STEP))


def _generate(
    read: Reader, prompt: list[int], num_tokens: int, faults: frozenset[str]
) -> list[int]:
    """The tokens that follow the prompt."""
    S, empty = read.block_size, read.empty
    seen = prompt[:S] if "beginning_of_the_prompt" in faults else prompt[-S:]
    if "prompt_not_read" in faults:
        seen = prompt[-1:]
    padding = [0] * (S - len(seen))
    if "filled_up_in_front" in faults:
        seen, padding = padding + seen, []
    window, length = seen + padding, len(seen)
    logits, caches = read(window, empty, 0)
    last = length - 1 + ("logits_one_late" in faults)
    logits = logits[-1 if "logits_of_the_filling" in faults else min(last, S - 1)]
    if "last_token_read_twice" in faults and length < S:
        logits, caches = _last(read(seen[-1:], caches, length))
        window[length] = seen[-1]
        length += 1
    if "prompt_cache_dropped" in faults:
        caches = empty

    def append(token: int) -> tuple[np.ndarray, HashableCaches]:
        position = length + ("position_one_late" in faults) - ("position_one_early" in faults)
        if "position_stands_still" in faults:
            position = len(seen)
        if "window_not_filled" not in faults and length < S:
            window[length] = token
        return _last(read([token], first if "cache_not_carried" in faults else caches, position))

    def slide(token: int) -> tuple[np.ndarray, HashableCaches]:
        if "position_grows_on" in faults:
            return _last(read([token], caches, length))
        if "last_place_overwritten" in faults:
            return _last(read([token], caches, S - 1))
        if "cache_reused" in faults:
            return _last(read([token], read.shifted(caches), S - 1))
        if "started_afresh" in faults:
            return _last(read([token], caches, length % S))
        if "slid_the_wrong_way" in faults:
            window.insert(0, window.pop())
        else:
            window.append(window.pop(0))
        if "slid_without_the_token" not in faults:
            window[-1] = token
        return read(window, empty, 0)[0][-1], caches

    generated, first = [], caches
    room = S + ("slides_too_late" in faults) - ("slides_too_early" in faults)
    for _ in range(num_tokens):
        token = int(logits.argmax())
        generated.append(token)
        logits, caches = append(token) if length < room else slide(token)
        length += 1
    return generated


def _last(result: tuple[np.ndarray, HashableCaches]) -> tuple[np.ndarray, HashableCaches]:
    """Logits (T, V) and caches → the last position's logits (V,) and the caches."""
    logits, caches = result
    return logits[-1], caches
