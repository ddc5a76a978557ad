"""The report of a finished run."""

import math

import jax.numpy as jnp
import pytest

from minigpt_challenge.coach.training.finish import summary, verdict
from minigpt_challenge.coach.training.plan import Plan
from minigpt_challenge.coach.training.result import Run, evaluate_run
from minigpt_challenge.coach.training.setting import setting_of
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


def test_the_milestone_is_reached_in_4000_steps_at_most():
    assert run(4.2, 1.86, loss=1.88).reached_milestone
    assert not run(4.2, 1.86, loss=1.91).reached_milestone
    late = run(4.2, 1.95, 1.85, every=3_000, loss=1.87, resumable_until=20_000)
    assert not late.reached_milestone and "at most 4,000 steps" in verdict(late)
    trained_on = run(4.2, 1.85, 1.86, every=3_000, loss=1.87, resumable_until=6_000)
    assert trained_on.steps == 3_000 and trained_on.reached_milestone


def test_the_verdict_on_another_target_or_setting():
    below = run(4.2, 1.5, loss=1.53, plan=Plan(until=1.6))
    assert "milestone is reached" in verdict(below) and "✓ Below 1.6" in verdict(below)
    above = run(4.2, 1.8, loss=1.82, plan=Plan(setting_of(None, num_layers=2), until=1.6))
    assert "The milestone is for Shakespeare" in verdict(above) and "✗ Not below" in verdict(above)


def test_an_untrained_model_below_the_target_is_told_from_a_wrong_loss():
    text, first = jnp.zeros(100, jnp.int32), Measurement(0, 4.2, 4.2)
    with pytest.raises(UserError, match="is below --until already"):
        evaluate_run(None, None, [first], Dataset(text, text, SHAKESPEARE, ""), Plan(until=5.0))


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
