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
    ### BEGIN SOLUTION
    if top_k is not None:
        best = jax.lax.top_k(logits, min(top_k, logits.shape[-1]))[0]  # (..., k), descending
        logits = jnp.where(logits < best[..., -1:], -jnp.inf, logits)  # (..., V)
    if temperature == 0:
        return jnp.argmax(logits, axis=-1)  # (...)
    return jax.random.categorical(random_key, logits / temperature, axis=-1)  # (...)
    ### END SOLUTION


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
        ### BEGIN SOLUTION
        B, T, _ = x.shape
        heads = (B, T, self.num_heads, self.head_dim)
        q = self.query(x).reshape(heads)  # (B, T, N, H)
        k = self.key(x).reshape(heads)  # (B, T, N, H)
        v = self.value(x).reshape(heads)  # (B, T, N, H)
        keys = jax.lax.dynamic_update_slice_in_dim(cache.key, k, position, axis=1)  # (B, S, N, H)
        values = jax.lax.dynamic_update_slice_in_dim(cache.value, v, position, axis=1)
        scores = jnp.einsum("BTNH,BSNH->BNTS", q, keys) / self.head_dim**0.5  # (B, N, T, S)
        mine = position + jnp.arange(T)  # (T,), the positions of the new tokens
        visible = jnp.arange(keys.shape[1]) <= mine[:, None]  # (T, S)
        weights = nn.softmax(jnp.where(visible, scores, -jnp.inf), axis=-1)  # (B, N, T, S)
        mixed = jnp.einsum("BNTS,BSNH->BTNH", weights, values)  # (B, T, N, H)
        return self.dense(mixed.reshape(B, T, -1)), KeyValueCache(keys, values)  # (B, T, N·H)
        ### END SOLUTION


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
    ### BEGIN SOLUTION
    seen = prompt[-model.block_size :]  # (T,), T at most S
    window = np.zeros(model.block_size, np.int32)  # (S,)
    window[: len(seen)] = seen
    written = write_on(
        random_key, model, params, window, len(seen), num_tokens, temperature, top_k
    )  # (num_tokens,)
    return np.concatenate([prompt, np.asarray(written, np.int32)])  # (T + num_tokens,)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    S = model.block_size

    def step(carry, now):
        window, length, caches = carry
        key, is_first = now
        last = jnp.minimum(length, S) - 1  # the position of the newest token

        def read_all():
            logits, read = model.apply(params, window[None], caches, 0)  # (1, S, V)
            return logits[0, last], read

        def read_one():
            logits, read = model.apply(params, window[last][None, None], caches, last)  # (1, 1, V)
            return logits[0, 0], read

        logits, caches = jax.lax.cond(is_first | (length > S), read_all, read_one)  # (V,)
        token = sample_token(key, logits, temperature, top_k).astype(window.dtype)
        longer, slid = window.at[length].set(token), jnp.roll(window, -1).at[-1].set(token)
        return (jnp.where(length < S, longer, slid), length + 1, caches), token

    steps = jax.random.split(random_key, num_tokens), jnp.arange(num_tokens) == 0
    return jax.lax.scan(step, (window, length, model.empty_caches()), steps)[1]
    ### END SOLUTION
