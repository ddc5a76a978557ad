"""Task 8: the same model in NNX. Your GPT in the API that Flax recommends to newcomers today.

How to get from one to the other is told in Flax's own guide, "Flax Linen to Flax NNX".
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
        vocab_size: V, how many different tokens there are.
        block_size: the longest context, in tokens; how many positions have a row.
        hidden_dim: C, the length of a token's vector.
        rngs: where the tables take their first random numbers from.
    """

    def __init__(self, vocab_size: int, block_size: int, hidden_dim: int, *, rngs: nnx.Rngs):
        # TODO: two `nnx.Embed` tables, each made with `rngs=rngs`; keep what `__call__` will need.
        raise NotImplementedError("Task 8: write NNXEmbedding.__init__")

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """integers (B, T), T at most block_size → float32 (B, T, C).

        Raises:
            ValueError: T is larger than block_size.
        """
        # TODO: as in task 1: refuse a T that is too large; the sum of two looked-up rows.
        raise NotImplementedError("Task 8: write NNXEmbedding.__call__")


class NNXAttention(nnx.Module):
    """Task 3's EinsumMultiHeadAttention. (Given, to show what a port looks like.)

    An NNX layer has its weights as soon as it is made, so it must be told its input's width.

    Args:
        num_heads: N, how many heads.
        head_dim: H, the length of each head's queries, keys and values.
        in_features: C, the length of the vectors that come in.
        rngs: where the layers take their first random numbers from.
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
    """Task 4's FeedForward: up to 4·C, ReLU, down to C again. (Given.)

    Args:
        hidden_dim: C, the length of a token's vector.
        rngs: where the layers take their first random numbers from.
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
        hidden_dim: C, the length of a token's vector.
        num_heads: N; each head gets head_dim H = C / N.
        rngs: where the layers take their first random numbers from.

    Raises:
        ValueError: hidden_dim is not a multiple of num_heads. (In NNX the error comes when the
            block is made, not when it is first used.)
    """

    def __init__(self, hidden_dim: int, num_heads: int, *, rngs: nnx.Rngs):
        # TODO: refuse a hidden_dim that num_heads does not divide; make NNXAttention,
        # NNXFeedForward and two `nnx.LayerNorm`s (they want to be told their width).
        raise NotImplementedError("Task 8: write NNXDecoderBlock.__init__")

    def __call__(self, x: jax.Array) -> jax.Array:
        """float (B, T, C) → float (B, T, C)."""
        # TODO: as in task 4, the two lines of the docstring above.
        raise NotImplementedError("Task 8: write NNXDecoderBlock.__call__")


class NNXMiniGPT(nnx.Module):
    """Task 4's MiniGPT: embedding, blocks, a last LayerNorm, a last Linear with bias.

    Args:
        vocab_size: V, how many different tokens there are.
        hidden_dim: C, the length of a token's vector.
        block_size: the longest context, in tokens.
        num_layers: how many blocks stand one on another, each with weights of its own.
        num_heads: N, how many attention heads each block has.
        rngs: where the layers take their first random numbers from.

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
        # (`nnx.Sequential(*blocks)` holds any number of modules, and keeps them in `.layers`.)
        raise NotImplementedError("Task 8: write NNXMiniGPT.__init__")

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """integers (B, T), T at most block_size → logits, float32 (B, T, V).

        Raises:
            ValueError: T is larger than block_size.
        """
        # TODO: as in task 4: embed the tokens, every block in turn, norm, dense.
        raise NotImplementedError("Task 8: write NNXMiniGPT.__call__")


def load_linen_params(model: NNXMiniGPT, params: Any) -> None:
    """Put the weights of a Linen MiniGPT into an NNX one of the same sizes, in place.

    Args:
        model: gets the weights. What it holds besides (`nnx.Param`s alone are weights) stays.
        params: what `MiniGPT(…).init` of task 4's solution returns, or a training of it. It stays
            as it is. Dictionaries in dictionaries, with these arrays at their ends:

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

            The layers of NNX call their weights as those of Linen do: an `nnx.Embed` has an
            `embedding`, an `nnx.Linear` a `kernel` and a `bias`, an `nnx.LayerNorm` a `scale` and
            a `bias`. All of them have the same shapes in both.
    """
    # TODO: give each Param of the model its array, as in `model.norm.scale[...] = array`. (A
    # function that calls itself saves you writing them all; so does a loop over the layers.)
    raise NotImplementedError("Task 8: write load_linen_params")


def nnx_loss_fn(model: nnx.Module, x: jax.Array, y: jax.Array) -> jax.Array:
    """Task 5's loss_fn: the mean cross-entropy of the model's predictions, a float scalar.

    Args:
        model: holds its weights itself; `model(x)` gives the logits, float (B, T, V).
        x: integers (B, T), the tokens that the model sees.
        y: integers (B, T), the token that came after each of them.
    """
    # TODO: as in task 5, but there is no apply_fn, and there are no params.
    raise NotImplementedError("Task 8: write nnx_loss_fn")


@nnx.jit
def nnx_train_step(
    model: nnx.Module, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array
) -> jax.Array:
    """One step of gradient descent. It changes the model and the optimizer in place.

    Args:
        model: holds the weights.
        optimizer: `nnx.Optimizer(model, tx, wrt=nnx.Param)`: the optimiser `tx` of Optax, its
            memory, and the number of steps; `optimizer.update(model, grads)` moves the weights.
        x: integers (B, T).
        y: integers (B, T).

    Returns:
        the loss from before the step: a float scalar.
    """
    # TODO: the loss and its gradient (`nnx.value_and_grad`), then the update.
    raise NotImplementedError("Task 8: write nnx_train_step")


@nnx.jit
def nnx_eval_step(model: nnx.Module, x: jax.Array, y: jax.Array) -> jax.Array:
    """The loss of the model on a batch, a float scalar; nothing is learned, nothing changes.

    Args:
        model: holds the weights.
        x: integers (B, T).
        y: integers (B, T).
    """
    # TODO: one line.
    raise NotImplementedError("Task 8: write nnx_eval_step")
