"""Mistakes in drawing a token (task 6): from logits to the probabilities that they lead to."""

from typing import Any

import numpy as np

from minigpt_challenge.coach.diagnosis import Suspects
from minigpt_challenge.coach.faults.generation_catalogue import CHOICE, TEMPERATURE, TOP_K

# A share may be so many standard deviations away from its probability. By Bennett's inequality, a
# share of a probability between 0.01 and 0.99 in 40,000 draws, or between 0.05 and 0.95 in 4,000,
# is farther off with a probability below 2e-9. Task 6 compares fewer than 100 shares: a right
# answer is refused with a probability below 1e-6.
MOST_DEVIATIONS = 7
ALTERNATIVES = [{fault.id for fault in group} for group in (TEMPERATURE, TOP_K, CHOICE)]


def shares(tokens: Any, vocab_size: int) -> np.ndarray:
    """How often each token was drawn: integers (D,) → float64 (V,), their sum is 1."""
    return np.bincount(np.asarray(tokens), minlength=vocab_size) / len(tokens)


def probabilities(
    logits: Any,
    temperature: float,
    top_k: int | None,
    faults: frozenset[str] = frozenset(),
) -> np.ndarray:
    """The probability of each token, float64 (V,), with these mistakes made."""
    logits = np.asarray(logits, np.float64)
    k = logits.size if top_k is None or "top_k_ignored" in faults else min(top_k, logits.size)
    k += ("one_too_many_kept" in faults) - ("one_too_few_kept" in faults)
    order = np.argsort(-logits)
    if "least_probable_kept" in faults:
        order = order[::-1]
    out = order[max(k, 0) :] if "best_taken_out" not in faults else order[: k % logits.size]
    logits = logits.copy()
    logits[out] = 0.0 if "others_set_to_zero" in faults else -np.inf
    if "temperature_multiplied" in faults:
        logits = logits * temperature
    elif not faults & {"temperature_ignored", "temperature_after_softmax"}:
        logits = logits / temperature
    if "always_the_best" in faults:
        return np.eye(logits.size)[logits.argmax()]
    if "logits_ignored" in faults:
        return np.full(logits.size, 1 / logits.size)
    chances = _softmax(logits)
    if "temperature_after_softmax" in faults:
        return _softmax(chances / temperature)
    return _softmax(chances) if "softmax_twice" in faults else chances


def as_expected(seen: np.ndarray, expected: np.ndarray, num_draws: int) -> np.ndarray:
    """The shares seen, with the probability itself wherever they agree with it.

    Args:
        seen: float (V,).
        expected: float (V,), probabilities.
        num_draws: how many tokens were drawn.
    """
    deviation = np.sqrt(expected * (1 - expected) / num_draws)
    return np.where(np.abs(seen - expected) <= MOST_DEVIATIONS * deviation, expected, seen)


def share_suspects(
    seen: np.ndarray, num_draws: int, logits: Any, temperature: float, top_k: int | None
) -> Suspects:
    """The mistakes that may explain the shares `seen`: → float (V,), near enough snapped to it."""

    def compute(faults: frozenset[str]) -> np.ndarray:
        if any(len(faults & group) > 1 for group in ALTERNATIVES):
            raise ValueError("Faults that exclude each other.")
        expected = probabilities(logits, temperature, top_k, faults)
        agrees = as_expected(seen, expected, num_draws) == expected
        return np.where(agrees, seen, expected)

    return Suspects(TEMPERATURE + TOP_K + CHOICE, compute)


def _softmax(logits: np.ndarray) -> np.ndarray:
    exp = np.exp(logits - logits.max())
    return exp / exp.sum()
