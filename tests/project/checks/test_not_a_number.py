"""A value that is not a number is traced to the learner's line that made it."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks.expect import Wrong, same_function
from minigpt_challenge.coach.runtime.loading import load_file

CODE = """
import jax
import jax.numpy as jnp


def multiplied(x):
    mask = jnp.tril(jnp.ones(x.shape))
    x = x + (1 - mask) * -jnp.inf
    return jax.nn.softmax(x)


def hidden(x):
    return jax.nn.softmax(jnp.where(x > 9, x, -jnp.inf))


def divided(x):
    return 0 * x / (0 * x)


def chosen(x):
    return jnp.where(jnp.isnan(x / 0 - x / 0), x + 1, x)


compiled = jax.jit(multiplied)
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    path = tmp_path_factory.mktemp("answer") / "task2_attention.py"
    path.write_text(CODE, encoding="utf-8")
    return load_file(path, "minigpt_challenge.tasks.of_a_test")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("multiplied", "In line 8, `x = x + (1 - mask) * -jnp.inf`, a NaN arises: 0 · ∞ is NaN"),
        ("compiled", "In line 8, `x = x + (1 - mask) * -jnp.inf`, a NaN arises: 0 · ∞ is NaN"),
        ("hidden", "does a row of scores have nothing but -∞?"),
        ("divided", "In line 17, `return 0 * x / (0 * x)`, a NaN arises: 0 / 0"),
        ("chosen", ""),  # its NaN is not what is wrong with the result
    ],
)
def test_the_line_is_named(module, name, advice):
    with pytest.raises(Wrong) as caught:
        same_function(getattr(module, name), jnp.zeros_like, [(jnp.ones((3, 3)),)], "ij", "f(x)")
    seen = caught.value.parts["advice"]
    assert advice in seen and bool(advice) == bool(seen)


def test_a_nan_of_a_library_or_of_the_suite_is_not_the_learners(module):
    suite = partial(jnp.multiply, jnp.inf)
    with pytest.raises(Wrong, match="values are NaN") as caught:
        same_function(suite, jnp.ones_like, [(np.zeros((3, 3), np.float32),)], "ij", "f(x)")
    assert not caught.value.parts["advice"]
    assert not jax.config.jax_debug_nans
