"""What is said of a run that has ended."""

import math

import jax.numpy as jnp
import pytest

from minigpt_challenge.coach.training import result
from minigpt_challenge.coach.training.result import Run
from minigpt_challenge.errors import UserError
from minigpt_challenge.given.dataset import Dataset
from minigpt_challenge.given.training import Measurement
from minigpt_challenge.given.vocabulary import SHAKESPEARE


def run(*eval_losses, loss=1.95, every=250, kept_until=4000):
    history = [Measurement(every * n, 2.0, eval_loss) for n, eval_loss in enumerate(eval_losses)]
    return Run(None, None, history, 1.9, loss, False, "", kept_until)


@pytest.mark.parametrize(
    "ended, goes_on",
    [
        (run(4.2, 1.96), True),
        (run(4.2, 1.86), False),  # at its goal
        (run(4.2, 1.96, kept_until=250), False),  # all steps done
        (run(4.2, 1.96, kept_until=None), False),  # kept nowhere
    ],
)
def test_who_stopped_it_is_told_that_it_goes_on(ended, goes_on):
    assert ("the same again" in result.in_words(ended)) == goes_on


@pytest.mark.parametrize(
    "own, odd", [(1.91, False), (1.99, False), (0.3, True), (3.98, True), (math.nan, True)]
)
def test_a_loss_of_ones_own_that_differs_from_the_given_one_is_named(own, odd):
    said = result.in_words(run(4.2, own))
    assert "evaluation text is 1.950" in said
    assert (f"yours said {own:.3f}" in said and "task 5" in said) == odd


@pytest.mark.parametrize(
    "first, words", [(-4.69, "no untrained model is that good"), (4.69, "Stopped before the run")]
)
def test_a_run_that_ended_before_it_began_says_why(first, words):
    text = jnp.zeros(100, jnp.int32)
    with pytest.raises(UserError, match=words):
        result.judged(
            None, None, [Measurement(0, first, first)], Dataset(text, text, SHAKESPEARE, ""), seed=0
        )
