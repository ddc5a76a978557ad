"""Task 1: embedding. Turn each token into a vector that encodes the token and its position."""

import flax.linen as nn
import jax
import jax.numpy as jnp


class TokenAndPositionEmbedding(nn.Module):
    """The sum of two learned embeddings, of the token and of its position.

    Row `tokens[b, t]` of the token table says *which* token is at position `t`; row `t` of the
    position table says *where* it is. Learned absolute positions are from GPT-2 (Radford et al.,
    2019, section 2.3), the sum of the two embeddings from "Attention Is All You Need" (Vaswani et
    al., 2017, section 3.5).

    Attributes:
        vocab_size: V, the number of different tokens.
        block_size: the maximum context length, in tokens; the number of rows for positions.
        hidden_dim: C, the length of each token's vector.
    """

    vocab_size: int
    block_size: int
    hidden_dim: int

    def setup(self):
        """Create the two tables: (V, C) for the tokens, (block_size, C) for the positions."""
        # TODO: two `nn.Embed` tables, one for the tokens and one for the positions.
        # (You can also delete `setup` and use `@nn.compact` on `__call__`. Both are right.)
        ### BEGIN SOLUTION
        self.token_embedding = nn.Embed(self.vocab_size, self.hidden_dim)
        self.position_embedding = nn.Embed(self.block_size, self.hidden_dim)
        ### END SOLUTION

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Embed a batch of token sequences.

        Args:
            tokens: integers (B, T) from 0 to V - 1, of any integer dtype, T at most block_size.

        Returns:
            float32 (B, T, C).

        Raises:
            ValueError: T is larger than block_size. (JAX does not raise for an index out of
                bounds: it silently clamps the index or returns NaN. So we must check.)
        """
        # TODO: raise a ValueError if T is larger than block_size; look up the rows of the tokens
        # and the rows of the positions 0 … T - 1; return their sum.
        ### BEGIN SOLUTION
        T = tokens.shape[-1]
        if T > self.block_size:
            raise ValueError(f"{T} tokens do not fit into block_size={self.block_size}")
        what = self.token_embedding(tokens)  # (B, T, C)
        where = self.position_embedding(jnp.arange(T))  # (T, C), the same for every row of B
        return what + where  # (B, T, C)
        ### END SOLUTION
