"""Task 6: key-value cache. Read each token once, and write a play in the blink of an eye."""

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
    """Draw the next token.

    The probabilities are softmax(logits / temperature): below 1 the likely tokens become likelier,
    above 1 all become more alike. With `top_k`, only the k most probable tokens may be drawn, in
    the same proportions as before (Fan et al., 2018, "Hierarchical Neural Story Generation",
    section 5.4).

    Args:
        random_key: a JAX random key; the same key draws the same tokens.
        logits: float (..., V).
        temperature: 0 or more, a Python number; 0 takes the most probable token.
        top_k: 1 or more, a Python integer; None or V or more leaves every token in.

    Returns:
        integers (...): a token for each row of logits, each drawn independently.

    Raises:
        ValueError: temperature is negative, or top_k is not positive. (Given.)
    """
    if temperature < 0:
        raise ValueError(f"temperature={temperature}: it is 0, for the most probable, or more")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k={top_k}: at least one token must be left to draw")
    # TODO: give every token outside the top_k the logit -∞; take the most probable token if the
    # temperature is 0, else draw.
    raise NotImplementedError("Task 6: write sample_token")


class CachedAttention(nn.Module):
    """Task 3's attention that keeps keys and values, so that no token is read twice.

    A token's key and value depend on that token and on what stands before it, never on what comes
    after. So they are computed once and kept (Pope et al., 2022, "Efficiently Scaling Transformer
    Inference", section 2.1). A new token needs a query of its own, and looks back at all keys.

    Attributes:
        num_heads: N, how many heads.
        head_dim: H, the length of each head's queries, keys and values.
    """

    num_heads: int
    head_dim: int

    def setup(self):
        """The same four layers as in task 3, so that the same weights fit. (Given.)"""
        width = self.num_heads * self.head_dim
        self.query = nn.Dense(width, use_bias=False)
        self.key = nn.Dense(width, use_bias=False)
        self.value = nn.Dense(width, use_bias=False)
        self.dense = nn.Dense(width)

    def __call__(
        self, x: jax.Array, cache: KeyValueCache, position: int | jax.Array
    ) -> tuple[jax.Array, KeyValueCache]:
        """Write the new tokens' keys and values into the cache, then attend to all so far.

        Args:
            x: float (B, T, C), the tokens at the positions `position` to `position + T - 1`.
            cache: `cache.key` and `cache.value`, float (B, S, N, H). Below `position` they hold
                the tokens before x; from there on anything may stand in them.
            position: where the first token of x stands. Under `jax.jit` its value is not known.

        Returns:
            float (B, T, N·H), what task 3's attention gives at these positions; and the new cache.
        """
        # TODO: project and reshape as in task 3, write k and v into the cache at `position`, let
        # each token see the cache up to its own position and no further.
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

    Up to block_size the cache serves: each step reads one token. Then the window slides, and every
    token in it stands one position further to the front. Positions were added to the tokens
    before the first block, so all keys and values in the cache are of the wrong position now. From
    there on each step reads the whole window, whose shape is always (1, block_size).

    Args:
        random_key: a JAX random key; the same key writes the same text.
        model: `model.apply(params, tokens, caches, position)` gives logits and caches, see
            CachedMiniGPT; `model.empty_caches()` gives empty ones.
        params: the model's.
        prompt: integers (T,), at least one. If T is above block_size, the last ones are read.
        num_tokens: how many to write, at least one.
        temperature, top_k: for `sample_token`.

    Returns:
        int32 (T + num_tokens,), NumPy's: the prompt and what was written.

    Raises:
        ValueError: the prompt is empty. (Given.)
    """
    prompt = np.asarray(prompt, np.int32)
    if not len(prompt):
        raise ValueError("The prompt is empty: there is no token to go on from.")
    # TODO: put the prompt's last tokens, block_size at most, at the front of a window of zeros,
    # (block_size,); let `write_on` go on from there; join the prompt and what it wrote.
    # (Do that in NumPy: it compiles nothing, whatever the prompt's length.)
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
    """What follows the first `length` tokens of the window. (The decorator is given.)

    Static arguments are known when JAX compiles, and each new value compiles anew. Of `window` and
    `length` it knows shapes and dtypes only, so one program serves all prompts.

    Args:
        window: integers (S,), S = block_size; behind the first `length` anything may stand.
        length: integer (), from 1 to S.

    Returns:
        integers (num_tokens,).
    """
    # TODO: `jax.lax.scan` over num_tokens keys. In each step read what has to be read, draw a
    # token from the last logits, and take it into the window: behind the others while there is
    # room, else the window slides. What has to be read (`jax.lax.cond`) is all of the window at
    # the first step and once it slides; in between the caches know all but the last token.
    raise NotImplementedError("Task 6: write write_on")
