"""MiniGPT with a key-value cache, so that it can read a few tokens at a time (task 6).

It computes the same function as the reference of task 4, with the same parameter names. The
attention class is a parameter; it caches the keys and values of the tokens read before.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp


class KeyValueCache(NamedTuple):
    """The keys and values of the tokens that one attention layer has read; S is block_size.

    Attributes:
        key: float (B, S, N, H), the key of the token at each position.
        value: float (B, S, N, H), the value of the token at each position.
    """

    key: jax.Array
    value: jax.Array


class CachedMiniGPT(nn.Module):
    """The model of Diagram 1, with cached attention.

    Attributes:
        vocab_size, hidden_dim, block_size, num_layers, num_heads: as in MiniGPT.
        attention: the attention class, such as task 6's CachedAttention. Its constructor takes
            `num_heads` and `head_dim`; it is called with x, a cache and a position.
    """

    vocab_size: int
    hidden_dim: int
    block_size: int
    num_layers: int
    num_heads: int
    attention: type[nn.Module]

    def setup(self) -> None:
        self.embedding = EmbeddingAtPosition(self.vocab_size, self.block_size, self.hidden_dim)
        self.blocks = [
            CachedBlock(self.hidden_dim, self.num_heads, self.attention)
            for _ in range(self.num_layers)
        ]
        self.norm = nn.LayerNorm()
        self.dense = nn.Dense(self.vocab_size)

    def __call__(
        self, tokens: jax.Array, caches: tuple[KeyValueCache, ...], position: int | jax.Array
    ) -> tuple[jax.Array, tuple[KeyValueCache, ...]]:
        """Read T more tokens, after those in the caches.

        Args:
            tokens: integers (B, T), at positions `position` to `position + T - 1`, all below
                block_size.
            caches: one for each block, from `empty_caches` or from the last call.
            position: of the first token; 0 for a new text.

        Returns:
            the logits, float (B, T, V), and the caches with these tokens added.
        """
        x = self.embedding(tokens, position)  # (B, T, C)
        updated = []
        for block, cache in zip(self.blocks, caches, strict=True):
            x, cache = block(x, cache, position)  # (B, T, C)
            updated.append(cache)
        return self.dense(self.norm(x)), tuple(updated)  # (B, T, V)

    def empty_caches(self, batch_size: int = 1) -> tuple[KeyValueCache, ...]:
        """Empty caches, one for each block: zeros (B, S, N, H)."""
        head_dim = self.hidden_dim // self.num_heads
        zeros = jnp.zeros((batch_size, self.block_size, self.num_heads, head_dim))
        return (KeyValueCache(zeros, zeros),) * self.num_layers


class EmbeddingAtPosition(nn.Module):
    """Task 1's embedding, for tokens that start at `position`."""

    vocab_size: int
    block_size: int
    hidden_dim: int

    def setup(self) -> None:
        self.token_embedding = nn.Embed(self.vocab_size, self.hidden_dim)
        self.position_embedding = nn.Embed(self.block_size, self.hidden_dim)

    def __call__(self, tokens: jax.Array, position: int | jax.Array) -> jax.Array:
        """integers (B, T) → float (B, T, C)."""
        positions = position + jnp.arange(tokens.shape[-1])  # (T,)
        return self.token_embedding(tokens) + self.position_embedding(positions)  # (B, T, C)


class CachedBlock(nn.Module):
    """Task 4's block, with attention that takes a cache and returns the updated one."""

    hidden_dim: int
    num_heads: int
    make_attention: type[nn.Module]

    def setup(self) -> None:
        self.attention_norm = nn.LayerNorm()
        self.attention = self.make_attention(self.num_heads, self.hidden_dim // self.num_heads)
        self.feed_forward_norm = nn.LayerNorm()
        self.feed_forward = FeedForward(self.hidden_dim)

    def __call__(
        self, x: jax.Array, cache: KeyValueCache, position: int | jax.Array
    ) -> tuple[jax.Array, KeyValueCache]:
        """float (B, T, C) → float (B, T, C), and the updated cache."""
        mixed, cache = self.attention(self.attention_norm(x), cache, position)  # (B, T, C)
        x = x + mixed
        return x + self.feed_forward(self.feed_forward_norm(x)), cache  # (B, T, C)


class FeedForward(nn.Module):
    """Task 4's feed-forward part."""

    hidden_dim: int

    def setup(self) -> None:
        self.up = nn.Dense(4 * self.hidden_dim)
        self.down = nn.Dense(self.hidden_dim)

    def __call__(self, x: jax.Array) -> jax.Array:
        """float (B, T, C) → float (B, T, C)."""
        return self.down(nn.relu(self.up(x)))  # (B, T, 4·C) inside
