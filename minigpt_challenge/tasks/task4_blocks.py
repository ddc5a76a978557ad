"""Task 4: blocks. Stack attention and feed-forward networks into a GPT."""

import flax.linen as nn
import jax

from minigpt_challenge.tasks.task1_embedding import TokenAndPositionEmbedding
from minigpt_challenge.tasks.task3_einsum_attention import EinsumMultiHeadAttention


class FeedForward(nn.Module):
    """Two dense layers on each position alone: up to 4·C, ReLU, back down to C. (Given.)

    "Attention Is All You Need" (Vaswani et al., 2017, section 3.3).

    Attributes:
        hidden_dim: C, the length of each token's vector.
    """

    hidden_dim: int

    def setup(self):
        self.up = nn.Dense(4 * self.hidden_dim)
        self.down = nn.Dense(self.hidden_dim)

    def __call__(self, x: jax.Array) -> jax.Array:
        """float (B, T, C) → float (B, T, C)."""
        return self.down(nn.relu(self.up(x)))  # (B, T, 4·C) inside


class DecoderBlock(nn.Module):
    """Attention between the positions, then a feed-forward network on each position.

        x = x + attention(norm(x))
        x = x + feed_forward(norm(x))

    The two LayerNorms have separate weights. Each comes *before* its sublayer and is not applied
    to the residual stream, as in GPT-2 (Radford et al., 2019, section 2.3). "On Layer
    Normalization in the Transformer Architecture" (Xiong et al., 2020) shows why this trains more
    easily.

    Attributes:
        hidden_dim: C, the length of each token's vector.
        num_heads: N; each head gets head_dim H = C / N.
    """

    hidden_dim: int
    num_heads: int

    def setup(self):
        """Create the attention, the feed-forward network and a LayerNorm for each.

        Raises:
            ValueError: hidden_dim is not a multiple of num_heads. (Flax calls `setup` when the
                module is first used, not when it is created, so the error is raised then.)
        """
        # TODO: raise a ValueError if hidden_dim is not a multiple of num_heads; create
        # EinsumMultiHeadAttention, FeedForward and two `nn.LayerNorm`s, with their default
        # arguments.
        # (You can also delete `setup` and use `@nn.compact` on `__call__`. Both are right.)
        raise NotImplementedError("Task 4: write DecoderBlock.setup")

    def __call__(self, x: jax.Array) -> jax.Array:
        """float (B, T, C) → float (B, T, C)."""
        # TODO: the two lines of the docstring above.
        raise NotImplementedError("Task 4: write DecoderBlock.__call__")


class MiniGPT(nn.Module):
    """The whole model of Diagram 1: embedding, blocks, a final LayerNorm, a final Dense.

    A small GPT-2 (Radford et al., 2019, section 2.3) without dropout, and with a separate output
    layer instead of the transposed token table.

    Attributes:
        vocab_size: V, the number of different tokens.
        hidden_dim: C, the length of each token's vector.
        block_size: the maximum context length, in tokens.
        num_layers: the number of blocks, each with its own weights.
        num_heads: N, the number of attention heads in each block.
    """

    vocab_size: int
    hidden_dim: int
    block_size: int
    num_layers: int
    num_heads: int

    def setup(self):
        """Create the embedding, num_layers blocks, the final LayerNorm and the final Dense.

        Raises:
            ValueError: hidden_dim is not a multiple of num_heads.
        """
        # TODO: TokenAndPositionEmbedding, a list of DecoderBlocks, `nn.LayerNorm` and `nn.Dense`
        # (with bias), the last two with their default arguments.
        raise NotImplementedError("Task 4: write MiniGPT.setup")

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Predict the next token at every position.

        Args:
            tokens: integers (B, T) from 0 to V - 1, T at most block_size.

        Returns:
            float32 (B, T, V), the logits: any real numbers, not probabilities; the softmax is
            part of the loss. The logits at position t predict token t + 1.

        Raises:
            ValueError: T is larger than block_size.
        """
        # TODO: embed the tokens, pass them through every block in turn, then norm, then dense.
        raise NotImplementedError("Task 4: write MiniGPT.__call__")
