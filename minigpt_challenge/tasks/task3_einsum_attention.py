"""Task 3: einsum attention. Compute all heads at once, with a name for every axis."""

import flax.linen as nn
import jax
import jax.numpy as jnp


class EinsumMultiHeadAttention(nn.Module):
    """Task 2's MultiHeadAttention as a few large products, without a loop over the heads.

    One projection computes the queries of all heads: head n owns the columns n·H to
    (n + 1)·H - 1 of the result. Reshaped to (B, T, N, H), the heads are an axis like any other,
    and one `jnp.einsum` multiplies them all. A GPU or TPU runs one large product much faster than
    N small ones, and the einsum strings say which axes are multiplied and summed.

    The mathematics is from "Attention Is All You Need" (Vaswani et al., 2017, section 3.2.2).

    Attributes:
        num_heads: N, the number of heads.
        head_dim: H, the length of each head's queries, keys and values.
    """

    num_heads: int
    head_dim: int

    def setup(self):
        """Create three projections C → N·H without bias, one N·H → N·H with bias. (Given.)"""
        width = self.num_heads * self.head_dim
        self.query = nn.Dense(width, use_bias=False)
        self.key = nn.Dense(width, use_bias=False)
        self.value = nn.Dense(width, use_bias=False)
        self.dense = nn.Dense(width)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Attend with all heads from every position to itself and all earlier ones.

        Args:
            x: float (B, T, C), any T.

        Returns:
            float (B, T, N·H): what task 2's MultiHeadAttention returns for the same weights.
        """
        # TODO: project, reshape to (B, T, N, H), score with an einsum, scale, mask the future,
        # softmax over the keys, mix the values with another einsum, join the heads, self.dense.
        raise NotImplementedError("Task 3: write EinsumMultiHeadAttention.__call__")
