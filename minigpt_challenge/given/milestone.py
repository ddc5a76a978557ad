"""The milestone: the size of your GPT, and how well it should predict Shakespeare."""

import flax.linen as nn

BATCH_SIZE = 16
BLOCK_SIZE = 32
LEARNING_RATE = 1e-3
MOST_STEPS = 4_000

# The evaluation loss to reach, in nats per character. The bigram stalls near 2.5.
TARGET_LOSS = 1.9

# Training stops when a sample of the evaluation text is below the target by this margin, so that
# the whole of it is below too.
MARGIN = 0.03


def build(mini_gpt: type[nn.Module], vocab_size: int) -> nn.Module:
    """A MiniGPT of the milestone's size."""
    return mini_gpt(
        vocab_size=vocab_size, hidden_dim=128, block_size=BLOCK_SIZE, num_layers=4, num_heads=4
    )
