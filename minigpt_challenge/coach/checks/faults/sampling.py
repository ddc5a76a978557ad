"""Mistakes in drawing a token (task 6): from logits to the probabilities they give."""

from typing import Any

import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Suspects, ids
from minigpt_challenge.coach.checks.faults.catalogue.sampling import (
    CHOICE,
    TEMPERATURE,
    TOP_K,
)

# How many standard deviations a share may be from its probability. By Bennett's inequality, for a
# probability between 0.005 and 0.995 in 40,000 draws, or between 0.05 and 0.95 in 4,000, a share is
# farther off with a probability below 2e-9. Task 6 compares about 100 shares: it refuses a
# right answer with a probability below 1e-6.
MAX_DEVIATIONS = 7


def probabilities(
    logits: Any,
    temperature: float,
    top_k: int | None,
    faults: frozenset[str] = frozenset(),
) -> np.ndarray:
    """The probability of each token, float64 (V,), with these faults."""
    logits = np.asarray(logits, np.float64)
    k = logits.size if top_k is None or "top_k_ignored" in faults else min(top_k, logits.size)
    if "top_k_of_all_rows" in faults and top_k is not None:
        k = 1  # all rows are equal, and there are more than k of them
    if top_k is not None:
        k += ("one_too_many_kept" in faults) - ("one_too_few_kept" in faults)
    order = np.argsort(-logits)
    if "least_probable_kept" in faults:
        order = order[::-1]
    removed = order[max(k, 0) :]
    if "best_taken_out" in faults and top_k is not None:
        removed = order[:k]
    if "row_for_column" in faults and top_k is not None:
        removed = np.flatnonzero(logits < np.sort(logits))
    logits = logits.copy()
    logits[removed] = 0.0 if "others_set_to_zero" in faults else -np.inf
    if np.isneginf(logits).all():  # then JAX draws the first token
        return np.eye(logits.size)[0]
    if "temperature_multiplied" in faults:
        logits = logits * temperature
    elif "temperature_ignored" not in faults:
        logits = logits / temperature
    if "always_the_best" in faults:
        return np.eye(logits.size)[logits.argmax()]
    if "logits_ignored" in faults:
        return np.full(logits.size, 1 / logits.size)
    probs = _softmax(logits)
    if "rank_for_token" in faults and top_k is not None:
        return np.sort(probs)[::-1]
    return _softmax(probs) if "softmax_twice" in faults else probs


def share_case(
    tokens: Any, logits: Any, temperature: float, top_k: int | None
) -> tuple[np.ndarray, np.ndarray, Suspects]:
    """The share of each token, its probability, and the mistakes that may explain a difference.

    A share that agrees with its probability is replaced by it, so that only the others differ.

    Args:
        tokens: integers (D,), the draws.
        logits: float (V,).
        temperature, top_k: as given to `sample_token`.

    Returns:
        a case for `expect.all_equal`: float (V,), float (V,), and suspects → float (V,).
    """
    shares = np.bincount(np.asarray(tokens), minlength=len(logits)) / len(tokens)
    expected = probabilities(logits, temperature, top_k)
    seen = np.where(_agree(shares, expected, len(tokens)), expected, shares)

    def compute(faults: frozenset[str]) -> np.ndarray:
        faulty = probabilities(logits, temperature, top_k, faults)
        return np.where(_agree(shares, faulty, len(tokens)), seen, faulty)

    known, alternatives = TEMPERATURE + TOP_K + CHOICE, ids(TEMPERATURE, TOP_K, CHOICE)
    return seen, expected, Suspects(known, compute, alternatives)


def _agree(shares: np.ndarray, expected: np.ndarray, num_draws: int) -> np.ndarray:
    """Whether each share is as close to its probability as chance allows: booleans (V,)."""
    deviation = np.sqrt(expected * (1 - expected) / num_draws)
    return np.abs(shares - expected) <= MAX_DEVIATIONS * deviation


def _softmax(logits: np.ndarray) -> np.ndarray:
    exp = np.exp(logits - logits.max())
    return exp / exp.sum()
