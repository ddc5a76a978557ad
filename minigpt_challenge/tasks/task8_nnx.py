"""Task 8: the same model in NNX. Port your GPT to the API that Flax recommends to newcomers.

Flax's guide "Flax Linen to Flax NNX" explains how to port a model.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx


class NNXEmbedding(nnx.Module):
    """Task 1's TokenAndPositionEmbedding: one row for each token plus one for each position.

    Args:
        vocab_size: V, the number of different tokens.
        block_size: the maximum context length, in tokens; the number of rows for positions.
        hidden_dim: C, the length of each token's vector.
        rngs: the random number source for the initial weights.
    """

    def __init__(self, vocab_size: int, block_size: int, hidden_dim: int, *, rngs: nnx.Rngs):
        # TODO: two `nnx.Embed` tables, each with `rngs=rngs`; store on self what `__call__` needs.
        raise NotImplementedError("Task 8: write NNXEmbedding.__init__")

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """integers (B, T), T at most block_size → float32 (B, T, C).

        Raises:
            ValueError: T is larger than block_size.
        """
        # TODO: as in task 1: raise a ValueError if T is too large; return the sum of the rows.
        raise NotImplementedError("Task 8: write NNXEmbedding.__call__")


class NNXAttention(nnx.Module):
    """Task 3's EinsumMultiHeadAttention. (Given, as an example of a port.)

    An NNX layer creates its weights at once, so it needs to know the width of its input.

    Args:
        num_heads: N, the number of heads.
        head_dim: H, the length of each head's queries, keys and values.
        in_features: C, the length of the input vectors.
        rngs: the random number source for the initial weights.
    """

    def __init__(self, num_heads: int, head_dim: int, in_features: int, *, rngs: nnx.Rngs):
        self.num_heads = num_heads
        self.head_dim = head_dim
        width = num_heads * head_dim
        self.query = nnx.Linear(in_features, width, use_bias=False, rngs=rngs)
        self.key = nnx.Linear(in_features, width, use_bias=False, rngs=rngs)
        self.value = nnx.Linear(in_features, width, use_bias=False, rngs=rngs)
        self.dense = nnx.Linear(width, width, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """float (B, T, C) → float (B, T, N·H)."""
        B, T, _ = x.shape
        heads = (B, T, self.num_heads, self.head_dim)
        q = self.query(x).reshape(heads)  # (B, T, N, H)
        k = self.key(x).reshape(heads)  # (B, S, N, H)
        v = self.value(x).reshape(heads)  # (B, S, N, H)
        scores = jnp.einsum("BTNH,BSNH->BNTS", q, k) / self.head_dim**0.5  # (B, N, T, S)
        visible = jnp.tril(jnp.ones((T, T), dtype=bool))  # (T, S)
        weights = nnx.softmax(jnp.where(visible, scores, -jnp.inf), axis=-1)  # (B, N, T, S)
        mixed = jnp.einsum("BNTS,BSNH->BTNH", weights, v)  # (B, T, N, H)
        return self.dense(mixed.reshape(B, T, -1))  # (B, T, N·H)


class NNXFeedForward(nnx.Module):
    """Task 4's FeedForward: up to 4·C, ReLU, back down to C. (Given.)

    Args:
        hidden_dim: C, the length of each token's vector.
        rngs: the random number source for the initial weights.
    """

    def __init__(self, hidden_dim: int, *, rngs: nnx.Rngs):
        self.up = nnx.Linear(hidden_dim, 4 * hidden_dim, rngs=rngs)
        self.down = nnx.Linear(4 * hidden_dim, hidden_dim, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """float (B, T, C) → float (B, T, C)."""
        return self.down(nnx.relu(self.up(x)))  # (B, T, 4·C) inside


class NNXDecoderBlock(nnx.Module):
    """Task 4's DecoderBlock.

        x = x + attention(norm(x))
        x = x + feed_forward(norm(x))

    Args:
        hidden_dim: C, the length of each token's vector.
        num_heads: N; each head gets head_dim H = C / N.
        rngs: the random number source for the initial weights.

    Raises:
        ValueError: hidden_dim is not a multiple of num_heads. (In NNX the error is raised when
            the block is created, not when it is first used.)
    """

    def __init__(self, hidden_dim: int, num_heads: int, *, rngs: nnx.Rngs):
        # TODO: raise a ValueError if hidden_dim is not a multiple of num_heads; create
        # NNXAttention, NNXFeedForward and two `nnx.LayerNorm`s (which need their width; leave the
        # other arguments, such as epsilon, at their defaults).
        raise NotImplementedError("Task 8: write NNXDecoderBlock.__init__")

    def __call__(self, x: jax.Array) -> jax.Array:
        """float (B, T, C) → float (B, T, C)."""
        # TODO: as in task 4, the two lines of the docstring above.
        raise NotImplementedError("Task 8: write NNXDecoderBlock.__call__")


class NNXMiniGPT(nnx.Module):
    """Task 4's MiniGPT: embedding, blocks, a final LayerNorm, a final Linear with bias.

    Args:
        vocab_size: V, the number of different tokens.
        hidden_dim: C, the length of each token's vector.
        block_size: the maximum context length, in tokens.
        num_layers: the number of blocks, each with its own weights.
        num_heads: N, the number of attention heads in each block.
        rngs: the random number source for the initial weights.

    Raises:
        ValueError: hidden_dim is not a multiple of num_heads.
    """

    def __init__(
        self,
        vocab_size: int,
        hidden_dim: int,
        block_size: int,
        num_layers: int,
        num_heads: int,
        *,
        rngs: nnx.Rngs,
    ):
        # TODO: NNXEmbedding, num_layers NNXDecoderBlocks, `nnx.LayerNorm`, `nnx.Linear`.
        # (`nnx.Sequential(*blocks)` takes any number of modules and stores them in `.layers`.)
        raise NotImplementedError("Task 8: write NNXMiniGPT.__init__")

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """integers (B, T), T at most block_size → logits, float32 (B, T, V).

        Raises:
            ValueError: T is larger than block_size.
        """
        # TODO: as in task 4: the embedding, every block in turn, norm, dense.
        raise NotImplementedError("Task 8: write NNXMiniGPT.__call__")


def load_linen_params(model: NNXMiniGPT, params: Any) -> None:
    """Copy the weights of a Linen MiniGPT into an NNX model of the same sizes, in place.

    Args:
        model: receives the weights. Only its `nnx.Param`s are weights; its other state stays.
        params: as returned by `MiniGPT(…).init` of task 4's solution, trained or not. They are
            not changed. Nested dictionaries with these arrays as leaves:

            {"params": {
                "embedding": {
                    "token_embedding": {"embedding": (V, C)},
                    "position_embedding": {"embedding": (block_size, C)},
                },
                "blocks_0": {
                    "attention_norm": {"scale": (C,), "bias": (C,)},
                    "attention": {
                        "query": {"kernel": (C, C)},
                        "key": {"kernel": (C, C)},
                        "value": {"kernel": (C, C)},
                        "dense": {"kernel": (C, C), "bias": (C,)},
                    },
                    "feed_forward_norm": {"scale": (C,), "bias": (C,)},
                    "feed_forward": {
                        "up": {"kernel": (C, 4·C), "bias": (4·C,)},
                        "down": {"kernel": (4·C, C), "bias": (C,)},
                    },
                },
                "blocks_1": …, and so on for every layer,
                "norm": {"scale": (C,), "bias": (C,)},
                "dense": {"kernel": (C, V), "bias": (V,)},
            }}

            NNX layers name their weights as Linen layers do: an `nnx.Embed` has an `embedding`,
            an `nnx.Linear` a `kernel` and a `bias`, an `nnx.LayerNorm` a `scale` and a `bias`.
            Their shapes are the same as in Linen.
    """
    # TODO: write each array into its Param, as in `model.norm.scale[...] = array`. (To avoid
    # writing out every line, use a recursive function or a loop over the layers.)
    raise NotImplementedError("Task 8: write load_linen_params")


def nnx_loss_fn(model: nnx.Module, x: jax.Array, y: jax.Array) -> jax.Array:
    """Task 5's loss_fn: the mean cross-entropy of the model's predictions, a float scalar.

    Args:
        model: holds its own weights; `model(x)` returns the logits, float (B, T, V).
        x: integers (B, T), the tokens that the model sees.
        y: integers (B, T), the token that follows each of them.
    """
    # TODO: as in task 5, but without apply_fn and params.
    raise NotImplementedError("Task 8: write nnx_loss_fn")


@nnx.jit
def nnx_train_step(
    model: nnx.Module, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array
) -> jax.Array:
    """One step of gradient descent. It updates the model and the optimizer in place.

    Args:
        model: holds the weights.
        optimizer: `nnx.Optimizer(model, tx, wrt=nnx.Param)`: the Optax optimizer `tx`, its state,
            and the number of steps; `optimizer.update(model, grads)` updates the weights.
        x: integers (B, T).
        y: integers (B, T).

    Returns:
        the loss before the step: a float scalar.
    """
    # TODO: compute the loss and its gradient (`nnx.value_and_grad`), then update.
    raise NotImplementedError("Task 8: write nnx_train_step")


@nnx.jit
def nnx_eval_step(model: nnx.Module, x: jax.Array, y: jax.Array) -> jax.Array:
    """The loss of the model on a batch, a float scalar, without any update.

    Args:
        model: holds the weights.
        x: integers (B, T).
        y: integers (B, T).
    """
    # TODO: one line.
    raise NotImplementedError("Task 8: write nnx_eval_step")
