"""The models between the bigram and your GPT: each rung of the ladder adds one part.

They consist of your own modules, an embedding and an attention, and a Dense layer for the logits.
"""

import flax.linen as nn
import jax


class EmbedAndGuess(nn.Module):
    """A bigram that also knows the position of each token: embedding, then logits.

    Attributes:
        embedding: integers (B, T) → float (B, T, C).
        vocab_size: V.
    """

    embedding: nn.Module
    vocab_size: int

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        """integers (B, T) → logits, float (B, T, V)."""
        x = self.embedding(tokens)  # (B, T, C)
        return nn.Dense(self.vocab_size)(x)  # (B, T, V)


class LookBackAndGuess(nn.Module):
    """The first model that looks back: embedding, attention, then logits.

    Attributes:
        embedding: integers (B, T) → float (B, T, C).
        attention: float (B, T, C) → float (B, T, any width), one head or several.
        vocab_size: V.
    """

    embedding: nn.Module
    attention: nn.Module
    vocab_size: int

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        """integers (B, T) → logits, float (B, T, V)."""
        x = self.embedding(tokens)  # (B, T, C)
        x = self.attention(x)  # (B, T, N·H)
        return nn.Dense(self.vocab_size)(x)  # (B, T, V)
