"""Naive text generation, the baseline for task 6.

As in "Let's build GPT": append, crop, run the whole model again. The text is right. But the array
has a new shape at every step, so JAX compiles again and again, and the model recomputes everything
that it computed for the token before.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def greedy(random_key: jax.Array, logits: jax.Array) -> jax.Array:
    """The most probable token: (..., V) → integers (...). The key is not used."""
    return jnp.argmax(logits, axis=-1)


def generate_naively(
    random_key: jax.Array,
    apply_fn: Callable,
    params: Any,
    prompt: Any,
    num_tokens: int,
    block_size: int,
    sample: Callable[[jax.Array, jax.Array], jax.Array] = jax.random.categorical,
) -> np.ndarray:
    """Continue a prompt.

    Args:
        random_key: a JAX random key.
        apply_fn: (params, integers (1, T)) → logits (1, T, V).
        params: what `model.init` or training returned.
        prompt: integers (T,), at least one.
        num_tokens: how many tokens to generate.
        block_size: the longest context, in tokens.
        sample: (key, logits (1, V)) → integers (1,). The default draws from the model's
            probabilities; `greedy` takes the most probable token.

    Returns:
        int32 (T + num_tokens,): the prompt and the generated tokens.
    """
    text = jnp.asarray(prompt, jnp.int32)[None]  # (1, T)
    for key in jax.random.split(random_key, num_tokens):
        context = text[:, -block_size:]  # (1, T), T at most block_size
        logits = apply_fn(params, context)[:, -1]  # (1, V)
        token = sample(key, logits).astype(jnp.int32)  # (1,)
        text = jnp.concatenate([text, token[:, None]], axis=1)  # (1, T + 1)
    return np.asarray(text[0])
