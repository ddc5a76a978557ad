"""Task 6: key-value cache. Read each token only once, and generate text many times faster."""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.given.cached_gpt import CachedMiniGPT, KeyValueCache


def sample_token(
    random_key: jax.Array,
    logits: jax.Array,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> jax.Array:
    """Sample the next token.

    The probabilities are softmax(logits / temperature): a temperature below 1 makes likely tokens
    likelier, above 1 it makes the distribution more uniform. With `top_k`, only the k most
    probable tokens can be drawn, with the same relative probabilities (Fan et al., 2018,
    "Hierarchical Neural Story Generation", section 5.4).

    Args:
        random_key: a JAX random key; the same key draws the same tokens.
        logits: float (..., V).
        temperature: a Python number, 0 or more; 0 takes the most probable token.
        top_k: a Python integer, 1 or more; None, or V or more, allows every token. Of several
            logits equal to the k-th largest, it is up to you which are kept.

    Returns:
        integers (...): a token for each row of logits, drawn independently.

    Raises:
        ValueError: temperature is negative, or top_k is not positive. (Given.)
    """
    if temperature < 0:
        raise ValueError(f"temperature={temperature}: it is 0, for the most probable, or more")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k={top_k}: at least one token must be left to draw")
    # TODO: set the logit of every token outside the top_k to -∞; take the most probable token if
    # the temperature is 0, else draw one.
    raise NotImplementedError("Task 6: write sample_token")


class CachedAttention(nn.Module):
    """Task 3's attention with a cache of keys and values, so that no token is read twice.

    The key and value of a token depend only on that token and on those before it. So they are
    computed once and cached (Pope et al., 2022, "Efficiently Scaling Transformer Inference",
    section 2.1). The query of a new token attends to all cached keys.

    Attributes:
        num_heads: N, the number of heads.
        head_dim: H, the length of each head's queries, keys and values.
    """

    num_heads: int
    head_dim: int

    def setup(self):
        """Create the same four layers as in task 3, so that the same weights fit. (Given.)"""
        width = self.num_heads * self.head_dim
        self.query = nn.Dense(width, use_bias=False)
        self.key = nn.Dense(width, use_bias=False)
        self.value = nn.Dense(width, use_bias=False)
        self.dense = nn.Dense(width)

    def __call__(
        self, x: jax.Array, cache: KeyValueCache, position: int | jax.Array
    ) -> tuple[jax.Array, KeyValueCache]:
        """Write the keys and values of the new tokens into the cache, then attend to the cache.

        Args:
            x: float (B, T, C), the tokens at the positions `position` to `position + T - 1`.
            cache: `cache.key` and `cache.value`, float (B, S, N, H). Below `position` they hold
                the tokens before x; from `position` on, their values are arbitrary.
            position: the position of the first token of x. Under `jax.jit` its value is unknown.

        Returns:
            float (B, T, N·H), what task 3's attention gives at these positions; and the new cache,
            which holds x's keys and values as well. Behind them its values are arbitrary.
        """
        # TODO: project and reshape as in task 3, write k and v into the cache at `position`, let
        # each token attend to the cache up to its own position.
        raise NotImplementedError("Task 6: write CachedAttention.__call__")


def generate_fast(
    random_key: jax.Array,
    model: CachedMiniGPT,
    params: Any,
    prompt: Any,
    num_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> np.ndarray:
    """Continue a prompt, token by token, in one compiled program.

    Up to block_size tokens, each step reads one token and uses the cache. After that the window
    slides: every token in it moves one position to the front. Position embeddings are added
    before the first block, so all cached keys and values now belong to wrong positions. From then
    on each step reads the whole window, always of shape (1, block_size).

    Args:
        random_key: a JAX random key; the same key generates the same text.
        model: `model.apply(params, tokens, caches, position)` returns logits and caches, see
            CachedMiniGPT; `model.empty_caches()` returns empty caches.
        params: the params of the model.
        prompt: integers (T,), at least one. If T is above block_size, only the last block_size
            tokens are read.
        num_tokens: the number of tokens to generate, at least one.
        temperature, top_k: as for `sample_token`.

    Returns:
        a NumPy array, int32 (T + num_tokens,): the prompt and the generated tokens.

    Raises:
        ValueError: the prompt is empty. (Given.)
    """
    prompt = np.asarray(prompt, np.int32)
    if not len(prompt):
        raise ValueError("The prompt is empty: there is no token to go on from.")
    # TODO: put the last tokens of the prompt, at most block_size, at the front of a window of
    # zeros, (block_size,); call `write_on` with it; concatenate the prompt and its result.
    # (Use NumPy: it compiles nothing, whatever the length of the prompt.)
    raise NotImplementedError("Task 6: write generate_fast")


@partial(jax.jit, static_argnames=("model", "num_tokens", "temperature", "top_k"))
def write_on(
    random_key: jax.Array,
    model: CachedMiniGPT,
    params: Any,
    window: jax.Array,
    length: jax.Array,
    num_tokens: int,
    temperature: float,
    top_k: int | None,
) -> jax.Array:
    """Generate the tokens after the first `length` tokens of the window. (Decorator given.)

    Static arguments are known when JAX compiles, and each new value compiles again. Of `window`
    and `length` only shapes and dtypes are known, so one program serves all prompts.

    Args:
        window: integers (S,), S = block_size; the values after the first `length` are 0.
        length: integer (), from 1 to S.

    Returns:
        integers (num_tokens,), the generated tokens.
    """
    # TODO: `jax.lax.scan` over num_tokens keys. Each step reads tokens, draws one from the last
    # logits, and puts it into the window: after the others while there is room; after that, the
    # window slides. What a step reads (`jax.lax.cond`):
    #     step 0: the whole window;
    #     while there is room: only the newest token, since the caches hold all others;
    #     once the window slides: the whole window again.
    # (A step may also draw first and then read, if the whole window is read before the scan.)
    raise NotImplementedError("Task 6: write write_on")
