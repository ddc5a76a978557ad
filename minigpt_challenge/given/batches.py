"""Cut batches out of a long text."""

import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.given.sources import DataError


def get_batch(
    random_key: jax.Array, data: jax.Array, batch_size: int, block_size: int
) -> tuple[jax.Array, jax.Array]:
    """A batch of random pieces of the text, and the token after each of their tokens.

    Args:
        random_key: a JAX random key; the same key gives the same batch.
        data: integers (L,), the text.
        batch_size: B, the number of pieces.
        block_size: T, the length of a piece.

    Returns:
        x and y, integers (B, T): y[b, t] is the token that follows x[b, t] in the text.

    Raises:
        DataError: the text is too short for a single piece.
    """
    _require_one_piece(data, block_size)
    starts = jax.random.randint(random_key, (batch_size, 1), 0, len(data) - block_size)  # (B, 1)
    positions = starts + jnp.arange(block_size)  # (B, T)
    return data[positions], data[positions + 1]


def evenly_spaced_batches(
    data: jax.Array, batch_size: int, block_size: int, max_batches: int | None = None
) -> tuple[jax.Array, jax.Array]:
    """The whole text in pieces that do not overlap, or a fixed, evenly spaced sample of them.

    Two losses are comparable only if they are measured on the same pieces.

    Args:
        data: integers (L,), the text.
        batch_size: B, the number of pieces in a batch; fewer if the text has fewer.
        block_size: T, the length of a piece.
        max_batches: the largest number of batches; None for the whole text, without an
            incomplete last batch.

    Returns:
        x and y, integers (number of batches, B, T).

    Raises:
        DataError: the text is too short for a single piece.
    """
    _require_one_piece(data, block_size)
    num_pieces = (len(data) - 1) // block_size
    batch_size = min(batch_size, num_pieces)
    num_batches = num_pieces // batch_size
    if max_batches is not None:
        num_batches = min(num_batches, max_batches)
    num_chosen = num_batches * batch_size
    chosen = np.arange(num_chosen) * num_pieces // num_chosen  # indices of pieces
    positions = chosen[:, None] * block_size + np.arange(block_size)  # (num_chosen, T)
    positions = positions.reshape(num_batches, batch_size, block_size)
    return data[positions], data[positions + 1]


def _require_one_piece(data: jax.Array, block_size: int) -> None:
    if len(data) <= block_size:
        raise DataError(
            f"The text has {len(data)} tokens: too short for a block of {block_size} and the "
            "token after it. Use a longer text, or a smaller block_size (the option --context)."
        )
