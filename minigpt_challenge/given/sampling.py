"""Generate text with a trained model, one token at a time."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from minigpt_challenge.given.vocabulary import Vocabulary


def generate(
    random_key: jax.Array,
    apply_fn: Callable,
    params: Any,
    prompt: Any,
    num_tokens: int,
    block_size: int,
) -> np.ndarray:
    """Continue a prompt: sample the next token from the model's prediction, append it, repeat.

    The model sees the last block_size tokens. A shorter text is padded at its end to that length,
    so that JAX compiles the model once. No position sees what comes after it, so the padding
    changes nothing.

    Args:
        random_key: a JAX random key; the same key gives the same text.
        apply_fn: `model.apply`.
        params: what `model.init` or training returned.
        prompt: integers (T,), at least one.
        num_tokens: how many tokens to generate.
        block_size: the longest context, in tokens.

    Returns:
        int32 (T + num_tokens,): the prompt and the generated tokens.

    Raises:
        ValueError: the prompt is empty.
    """
    text = [int(token) for token in prompt]
    if not text:
        raise ValueError("The prompt is empty: the model needs at least one token to start from.")
    for key in jax.random.split(random_key, num_tokens):
        context = text[-block_size:]
        window = np.zeros((1, block_size), np.int32)
        window[0, : len(context)] = context
        text.append(int(_sample_next(apply_fn, params, key, window, len(context) - 1)))
    return np.array(text, np.int32)


def continue_text(
    random_key: jax.Array,
    apply_fn: Callable,
    params: Any,
    vocabulary: Vocabulary,
    num_characters: int,
    block_size: int,
    prompt: str = "",
) -> str:
    """Like `generate`, with characters for tokens.

    Without a prompt it starts from the first character of the vocabulary, a line break.

    Raises:
        ValueError: a character of the prompt is not in the vocabulary.
    """
    start = vocabulary.encode(prompt or vocabulary.characters[0])
    tokens = generate(random_key, apply_fn, params, start, num_characters, block_size)
    return vocabulary.decode(tokens)


@partial(jax.jit, static_argnums=0)
def _sample_next(
    apply_fn: Callable, params: Any, key: jax.Array, window: jax.Array, last: int
) -> jax.Array:
    """Sample a token after position `last` of the window, integers (1, T) → integer ()."""
    logits = apply_fn(params, window)[0, last]  # (1, T, V) → (V,)
    return jax.random.categorical(key, logits)
