"""What `without` takes away from a block, compared with the same sums by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.runtime.loading import solution
from minigpt_challenge.given.ablation import without

C = 8


@pytest.fixture(scope="module")
def block():
    """A block with its params, and x (1, 5, C)."""
    block = solution(4).DecoderBlock(hidden_dim=C, num_heads=2)
    x = jnp.asarray(np.random.default_rng(0).normal(size=(1, 5, C)), jnp.float32)
    return block.bind(jax.jit(block.init)(jax.random.key(0), x)), x


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("residual", [False, True])
def test_it_takes_away_what_is_named_and_nothing_else(block, norm, residual):
    block, x = block
    with without(norm=norm, residual=residual):
        seen = block(x)
    expected = x
    for layer_norm, sublayer in (
        (block.attention_norm, block.attention),
        (block.feed_forward_norm, block.feed_forward),
    ):
        inside = sublayer(expected if norm else layer_norm(expected))
        expected = inside if residual else expected + inside
    np.testing.assert_allclose(seen, expected, atol=1e-5)


def test_afterwards_the_model_computes_as_before(block):
    block, x = block
    before = block(x)
    with without(norm=True, residual=True):
        assert jnp.abs(block(x) - before).max() > 0.1
    np.testing.assert_array_equal(block(x), before)
