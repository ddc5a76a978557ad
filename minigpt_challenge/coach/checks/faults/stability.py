"""Cross-entropies that are right for small logits, and no number for large ones (task 5)."""

from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Fault, Suspects, ids

UNSTABLE = (
    Fault(
        "exp_overflows",
        "with exp of the logits as they are: in float32, exp of 89 is infinite already",
        "Subtract the largest logit first, as `jax.nn.log_softmax` and optax's functions do.",
    ),
    Fault(
        "beyond_float32",
        "with numbers on the way that float32 cannot hold: exp of 89 is infinite, and the smallest "
        "probabilities are 0",
        "`jax.nn.log_softmax` and optax's functions get from logits to log-probabilities without "
        "either.",
    ),
)


def unstable_suspects(logits: jax.Array, y: jax.Array) -> Suspects:
    """What becomes of logits (B, T, V) and labels (B, T) in float32: → what `outcome` gives."""
    logits, y = np.asarray(logits, np.float32), np.asarray(y)[..., None]

    @np.errstate(all="ignore")  # infinity is what it is about
    def compute(faults: frozenset[str]) -> np.ndarray:
        largest = 0 if "exp_overflows" in faults else logits.max(-1, keepdims=True)
        exps = np.exp(logits - largest)  # (B, T, V)
        total = exps.sum(-1, keepdims=True)  # (B, T, 1)
        if not faults:
            picked = np.take_along_axis(logits, y, -1)  # (B, T, 1)
            return outcome((largest + np.log(total) - picked).mean())
        return outcome(-np.log(np.take_along_axis(exps / total, y, -1)).mean())

    return Suspects(UNSTABLE, compute, ids(UNSTABLE))


def outcome(loss: Any) -> np.ndarray | None:
    """Whether the loss is a number, 1 or 0, and which one; None for what is no scalar."""
    if getattr(loss, "shape", None) != ():
        return None
    loss = np.float32(loss)
    return np.array([1, loss] if np.isfinite(loss) else [0, 0], np.float32)
