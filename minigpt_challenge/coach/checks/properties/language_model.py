"""What every language model must do, in Linen and in NNX."""

from collections.abc import Callable

import jax
import numpy as np

from minigpt_challenge.coach.checks import expect

MAX_LEAK = 1e-5


def sees_nothing_of_the_future(
    run: Callable[[jax.Array], jax.Array], tokens: jax.Array, vocab_size: int, label: str
) -> None:
    """Another token at any position changes no logits before it.

    Args:
        run: the learner's model, compiled: integers (B, T) → logits (B, T, V).
        tokens: integers (B, T).
        vocab_size: V.
        label: the call, for the message.
    """
    B, T = tokens.shape
    before = expect.array(run(tokens), (B, T, vocab_size), "BTV", label)
    for s in range(1, T):
        changed = tokens.at[:, s].set((tokens[:, s] + 1 + s) % vocab_size)
        moved = np.abs(np.asarray(run(changed)) - before)[:, :s].max(axis=(0, 2))  # (s,)
        if moved.max() > MAX_LEAK:
            t = int(moved.argmax())
            raise expect.Wrong(
                f"Another token at position {s} changed the logits at position {t} by "
                f"{moved[t]:.3g}.",
                asked=f"{label} should not look into the future.",
                about=f"the future in {label}",
            )
