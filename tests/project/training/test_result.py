"""The report of a finished run."""

import math

import jax.numpy as jnp
import pytest

from minigpt_challenge.coach.training.finish import summary
from minigpt_challenge.coach.training.plan import Plan
from minigpt_challenge.coach.training.result import Run, evaluate_run
from minigpt_challenge.errors import UserError
from minigpt_challenge.given.dataset import Dataset
from minigpt_challenge.given.training_run import Measurement
from minigpt_challenge.given.vocabulary import SHAKESPEARE


def run(*eval_losses, loss=1.95, every=250, resumable_until=4000, plan=Plan()):  # noqa: B008
    history = [Measurement(every * n, 2.0, eval_loss) for n, eval_loss in enumerate(eval_losses)]
    counts, target = plan.counts(SHAKESPEARE), plan.target(SHAKESPEARE)
    return Run(None, None, history, plan, counts, target, loss, False, "", "", resumable_until)


@pytest.mark.parametrize(
    "finished, can_be_resumed",
    [
        (run(4.2, 1.96), True),
        (run(4.2, 1.86), False),  # at its goal
        (run(4.2, 1.96, resumable_until=250), False),  # all steps done
        (run(4.2, 1.96, resumable_until=None), False),  # no checkpoints
    ],
)
def test_a_stopped_run_is_reported_as_resumable(finished, can_be_resumed):
    assert ("resumes it" in summary(finished)) == can_be_resumed


@pytest.mark.parametrize(
    "own, differs", [(1.91, False), (1.99, False), (0.3, True), (3.98, True), (math.nan, True)]
)
def test_an_own_loss_that_differs_from_the_given_one_is_reported(own, differs):
    message = summary(run(4.2, own))
    assert "evaluation text is 1.950: as unsure as among 7.0 characters." in message
    assert (f"yours measured {own:.3f}" in message and "task 5" in message) == differs


@pytest.mark.parametrize(
    "first, message",
    [(-4.69, "no untrained model is that good"), (4.69, "Stopped before the first step")],
)
def test_a_run_without_a_checkpoint_is_an_error(first, message):
    text = jnp.zeros(100, jnp.int32)
    with pytest.raises(UserError, match=message):
        evaluate_run(
            None, None, [Measurement(0, first, first)], Dataset(text, text, SHAKESPEARE, ""), Plan()
        )
