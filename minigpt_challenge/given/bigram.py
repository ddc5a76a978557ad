"""The model of the warm-up: predict the next character from the last one alone."""

import flax.linen as nn
import jax


class SimpleDecoder(nn.Module):
    """A bigram model: a table with a row of logits for each token.

    Row `i` scores every token of the vocabulary as the successor of token `i`. The model sees
    nothing before that token.

    Attributes:
        vocab_size: V, the number of different tokens.
    """

    vocab_size: int

    def setup(self) -> None:
        self.next_token_logits = nn.Embed(self.vocab_size, self.vocab_size)  # (V, V)

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """integers (B, T) → logits, float32 (B, T, V)."""
        return self.next_token_logits(tokens)
