"""Batches are pieces of the text, each with the token that follows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.given.batches import evenly_spaced_batches, get_batch
from minigpt_challenge.given.sources import DataError

TEXT = jnp.arange(100) * 7  # every token encodes its position


def test_y_is_the_token_after_x():
    x, y = get_batch(jax.random.key(0), TEXT, batch_size=5, block_size=8)
    assert x.shape == y.shape == (5, 8)
    np.testing.assert_array_equal(y, x + 7)
    np.testing.assert_array_equal(np.diff(x, axis=1), 7)


def test_batches_reach_the_first_and_the_last_token():
    x, y = get_batch(jax.random.key(1), TEXT[:10], batch_size=500, block_size=8)
    assert set(np.unique(x[:, 0])) == {0, 7}  # two pieces fit, and both are drawn
    assert y.max() == TEXT[9]


def test_the_key_determines_the_batch():
    def batch(seed):
        return np.asarray(get_batch(jax.random.key(seed), TEXT, 4, 8)[0])

    np.testing.assert_array_equal(batch(0), batch(0))
    assert (batch(0) != batch(1)).any()


def test_a_text_no_longer_than_a_block_raises():
    with pytest.raises(DataError, match="8 tokens.*block of 8"):
        get_batch(jax.random.key(0), TEXT[:8], batch_size=2, block_size=8)
    get_batch(jax.random.key(0), TEXT[:9], batch_size=2, block_size=8)


def test_every_piece_of_the_text_occurs_once():
    x, y = evenly_spaced_batches(TEXT, batch_size=4, block_size=8)
    assert x.shape == (3, 4, 8)  # 12 pieces of 8, and 3 tokens left over
    np.testing.assert_array_equal(x.reshape(-1), TEXT[:96])
    np.testing.assert_array_equal(y.reshape(-1), TEXT[1:97])


def test_a_sample_of_the_pieces_is_evenly_spaced():
    x, _ = evenly_spaced_batches(TEXT, batch_size=2, block_size=8, max_batches=2)
    np.testing.assert_array_equal(x[:, :, 0].reshape(-1), TEXT[jnp.array([0, 24, 48, 72])])


def test_a_short_text_gives_a_small_batch():
    x, _ = evenly_spaced_batches(TEXT[:20], batch_size=16, block_size=8)
    assert x.shape == (1, 2, 8)
