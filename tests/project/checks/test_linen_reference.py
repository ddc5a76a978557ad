"""The reference of task 8 is cached for the next file, and no check can change it."""

import jax
import pytest

from minigpt_challenge.coach.checks import random_inputs
from minigpt_challenge.coach.checks.param_trees import flatten
from minigpt_challenge.coach.checks.properties import linen_reference
from minigpt_challenge.coach.runtime.compilation import quick_compilation
from minigpt_challenge.coach.runtime.loading import solution

SIZES = dict(vocab_size=5, hidden_dim=4, block_size=3, num_layers=11, num_heads=2)
FLAG = "jax_disable_most_optimizations"


def test_weights_are_drawn_like_those_of_the_whole_model():
    gpt = solution(4).MiniGPT(**SIZES)
    expected = random_inputs.params(gpt, random_inputs.tokens(1, 2, vocab_size=5), seed=3)
    seen = linen_reference.params(SIZES, seed=3)
    assert jax.tree.all(jax.tree.map(lambda a, b: (a == b).all(), seen, expected))
    assert linen_reference.num_weights(SIZES) == sum(
        leaf.size for leaf in jax.tree.leaves(expected)
    )


def test_the_weights_are_a_copy():
    mine = linen_reference.params(SIZES)
    mine["params"]["dense"].clear()
    assert {path for path, _ in flatten(linen_reference.params(SIZES))} > {
        ("params", "dense", "kernel"),
        ("params", "dense", "bias"),
    }


def test_settings_of_the_compiler_return_after_the_check():
    before = jax.config.read(FLAG), jax.config.jax_traceback_in_locations_limit
    with pytest.raises(ZeroDivisionError), quick_compilation():
        assert jax.config.read(FLAG) == (jax.default_backend() == "cpu")
        assert jax.config.jax_traceback_in_locations_limit == 0
        raise ZeroDivisionError
    assert (jax.config.read(FLAG), jax.config.jax_traceback_in_locations_limit) == before
