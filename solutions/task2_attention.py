"""Task 2: attention. Let each position look back, and take what it needs."""

import flax.linen as nn
import jax
import jax.numpy as jnp


class SelfAttention(nn.Module):
    """One head of causal scaled dot-product attention.

    Every position asks a question (its query), shows what it offers (its key), and hands over its
    value where its key matches another position's query:

        attention(q, k, v) = softmax(mask(q kᵀ / √head_dim)) v

    From "Attention Is All You Need" (Vaswani et al., 2017, section 3.2.1), with the mask of its
    section 3.2.3: position t attends to the positions 0 … t, never to a later one.

    Attributes:
        head_dim: H, the length of a query, key or value.
    """

    head_dim: int

    def setup(self):
        """Create three projections C → H, without bias. (Given.)"""
        self.query = nn.Dense(self.head_dim, use_bias=False)
        self.key = nn.Dense(self.head_dim, use_bias=False)
        self.value = nn.Dense(self.head_dim, use_bias=False)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Attend from every position to itself and all earlier ones.

        Args:
            x: float (B, T, C), any T.

        Returns:
            float (B, T, H), of the dtype that the projections return.
        """
        # TODO: project x to queries, keys and values; score every query against every key, scaled
        # by 1 / √head_dim; mask the future; softmax over the keys; take the weighted sum of values.
        # T and S are the same number here: T counts the queries, S the keys.
        ### BEGIN SOLUTION
        q = self.query(x)  # (B, T, H)
        k = self.key(x)  # (B, S, H)
        v = self.value(x)  # (B, S, H)
        scores = q @ k.swapaxes(-2, -1) / self.head_dim**0.5  # (B, T, S)
        T = x.shape[-2]
        visible = jnp.tril(jnp.ones((T, T), dtype=bool))  # (T, S), True where s <= t
        scores = jnp.where(visible, scores, -jnp.inf)
        weights = nn.softmax(scores, axis=-1)  # (B, T, S), each row sums to 1
        return weights @ v  # (B, T, H)
        ### END SOLUTION


class MultiHeadAttention(nn.Module):
    """Several heads in parallel, each free to look for something different.

    The outputs of the heads are concatenated in order, head 0 first, and a final projection mixes
    them ("Attention Is All You Need", section 3.2.2).

    Attributes:
        num_heads: N, the number of heads.
        head_dim: H, the length of each head's output.
    """

    num_heads: int
    head_dim: int

    def setup(self):
        """Create N heads, and a projection N·H → N·H with bias. (Given.)"""
        self.heads = [SelfAttention(self.head_dim) for _ in range(self.num_heads)]
        self.dense = nn.Dense(self.num_heads * self.head_dim)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Run every head on x, concatenate the outputs and mix them.

        Args:
            x: float (B, T, C), any T.

        Returns:
            float (B, T, N·H).
        """
        # TODO: concatenate the outputs of self.heads along the last axis, then apply self.dense.
        ### BEGIN SOLUTION
        joined = jnp.concatenate([head(x) for head in self.heads], axis=-1)  # (B, T, N·H)
        return self.dense(joined)  # (B, T, N·H)
        ### END SOLUTION
