"""`minigpt sample`: both ways of writing give what the options ask for."""

import jax
import numpy as np
import pytest

from minigpt_challenge.coach.runtime.loading import solution
from minigpt_challenge.coach.training.sample import (
    Options,
    _by_task_6,
    _by_the_given_loop,
    _pieces,
)
from minigpt_challenge.given import milestone

pytestmark = [pytest.mark.newest, pytest.mark.slow]

OPTIONS = Options("", 60, 1.0, None, 1, 0)
KEY, PROMPT = jax.random.key(0), np.array([3, 1, 4])


@pytest.fixture(scope="module")
def writers():
    """From options to both ways of writing, with random weights."""
    model = milestone.build(solution(4).MiniGPT, 11)
    params = model.init(jax.random.key(1), np.zeros((1, milestone.BLOCK_SIZE), int))
    return lambda options: (
        _by_task_6(solution(6), model, params, options),
        _by_the_given_loop(model, params, options),
    )


def text(write, length=60):
    return np.concatenate([piece for piece, _ in _pieces(write, KEY, PROMPT, length)])


def test_the_most_probable_text_is_the_same_however_it_is_written(writers):
    by_task_6, by_the_loop = map(text, writers(OPTIONS._replace(temperature=0.0)))
    assert len(by_task_6) == 60 and np.array_equal(by_task_6, by_the_loop)
    _, best_only = writers(OPTIONS._replace(top_k=1))
    assert np.array_equal(text(best_only), by_the_loop)


def test_a_shorter_text_is_the_beginning_of_a_longer_one(writers):
    _, write = writers(OPTIONS)
    assert np.array_equal(text(write, 20), text(write, 60)[:20])
    assert len({*text(write)}) > 2
