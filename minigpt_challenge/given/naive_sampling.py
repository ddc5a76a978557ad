"""Writing text in the plainest way: what the generation of task 6 is held against.

It is as "Let's build GPT" has it: append, crop, run the whole model again. Nothing is wrong with
what it writes. But an array has another shape at every step, so JAX compiles over and over, and
all that the model computed for the former token is computed again for the next.
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
        num_tokens: how many to write.
        block_size: the longest context, in tokens.
        sample: (key, logits (1, V)) → integers (1,); from the model's probabilities if left out,
            `greedy` for the most probable.

    Returns:
        int32 (T + num_tokens,): the prompt and what was written.
    """
    text = jnp.asarray(prompt, jnp.int32)[None]  # (1, T)
    for key in jax.random.split(random_key, num_tokens):
        seen = text[:, -block_size:]  # (1, T), T at most block_size
        logits = apply_fn(params, seen)[:, -1]  # (1, V)
        token = sample(key, logits).astype(jnp.int32)  # (1,)
        text = jnp.concatenate([text, token[:, None]], axis=1)  # (1, T + 1)
    return np.asarray(text[0])
