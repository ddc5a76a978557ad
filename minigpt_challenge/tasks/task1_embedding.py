"""Task 1: embedding. Tokens become vectors that know what they are and where they stand."""

import flax.linen as nn
import jax
import jax.numpy as jnp


class TokenAndPositionEmbedding(nn.Module):
    """The sum of two learned tables: one row for each token, one row for each position.

    Row `tokens[b, t]` of the token table says *what* stands at position `t`, row `t` of the
    position table says *where*. Learned absolute positions are those of GPT-2 (Radford et al.,
    2019, section 2.3); the sum of the two is from "Attention Is All You Need" (Vaswani et al.,
    2017, section 3.5).

    Attributes:
        vocab_size: V, how many different tokens there are.
        block_size: the longest context, in tokens; how many positions have a row.
        hidden_dim: C, the length of a token's vector.
    """

    vocab_size: int
    block_size: int
    hidden_dim: int

    def setup(self):
        """Make the two tables: (V, C) for the tokens and (block_size, C) for the positions."""
        # TODO: two `nn.Embed` tables, one for the tokens and one for the positions.
        # (If you would rather use `@nn.compact` on `__call__`, delete `setup`: both are right.)
        raise NotImplementedError("Task 1: write TokenAndPositionEmbedding.setup")

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Embed a batch of token sequences.

        Args:
            tokens: integers (B, T) from 0 to V - 1, of any integer dtype, T at most block_size.

        Returns:
            float32 (B, T, C).

        Raises:
            ValueError: T is larger than block_size. (JAX does not raise for an index beyond a
                table: it clamps the index or fills in NaN, and says nothing. So we have to.)
        """
        # TODO: refuse a T larger than block_size with a ValueError; look up the tokens' rows and
        # the rows of the positions 0 … T - 1; return their sum.
        raise NotImplementedError("Task 1: write TokenAndPositionEmbedding.__call__")
