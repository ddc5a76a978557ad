"""Cutting batches out of a long text."""

import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.given.sources import DataError


def get_batch(
    random_key: jax.Array, data: jax.Array, batch_size: int, block_size: int
) -> tuple[jax.Array, jax.Array]:
    """A batch of random pieces of the text, and what came after each of their tokens.

    Args:
        random_key: a JAX random key; the same key gives the same batch.
        data: integers (L,), the text.
        batch_size: B, how many pieces.
        block_size: T, how long each is.

    Returns:
        x and y, integers (B, T): y[b, t] is the token that follows x[b, t] in the text.

    Raises:
        DataError: the text is too short for a single piece.
    """
    _refuse_short(data, block_size)
    starts = jax.random.randint(random_key, (batch_size, 1), 0, len(data) - block_size)  # (B, 1)
    places = starts + jnp.arange(block_size)  # (B, T)
    return data[places], data[places + 1]


def evenly_spaced_batches(
    data: jax.Array, batch_size: int, block_size: int, most: int | None = None
) -> tuple[jax.Array, jax.Array]:
    """The whole text, cut into pieces that do not overlap, or a fixed, even sample of it.

    Evaluating always on the same pieces makes two losses comparable: neither is lucky.

    Args:
        data: integers (L,), the text.
        batch_size: B, how many pieces in a batch; fewer, if the text has fewer.
        block_size: T, how long each piece is.
        most: the largest number of batches; None for the whole text, less what does not fill a
            last batch.

    Returns:
        x and y, integers (number of batches, B, T).

    Raises:
        DataError: the text is too short for a single piece.
    """
    _refuse_short(data, block_size)
    num_pieces = (len(data) - 1) // block_size
    batch_size = min(batch_size, num_pieces)
    num_batches = num_pieces // batch_size
    if most is not None:
        num_batches = min(num_batches, most)
    num_chosen = num_batches * batch_size
    chosen = np.arange(num_chosen) * num_pieces // num_chosen  # the numbers of the pieces
    places = chosen[:, None] * block_size + np.arange(block_size)  # (num_chosen, T)
    places = places.reshape(num_batches, batch_size, block_size)
    return data[places], data[places + 1]


def _refuse_short(data: jax.Array, block_size: int) -> None:
    if len(data) <= block_size:
        raise DataError(
            f"The text has {len(data)} tokens: too short for a block of {block_size} and the "
            "token after it. Take a longer text, or a smaller block_size."
        )
