"""What a finished run has reached."""

import math
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.training.train_state import TrainState

from minigpt_challenge.coach.training.plan import Plan, stop_at
from minigpt_challenge.errors import UserError
from minigpt_challenge.given import milestone
from minigpt_challenge.given.dataset import Dataset
from minigpt_challenge.given.sampling import continue_text
from minigpt_challenge.given.training import evaluate, initial_params
from minigpt_challenge.given.training_run import Measurement

SAMPLE_LENGTH = 500  # characters


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        plan: what was asked for.
        counts: whether it can reach the milestone, see `Plan.counts`.
        target: the evaluation loss to get below; None if all steps were to be trained.
        loss: on the whole evaluation text, in nats per character. Measured by the given
            `eval_step`, so that an error in the learner's own cannot improve it.
        sees_future: whether the model looks into the future; then its loss means nothing.
        text: a sample of what it generates.
        untrained: what it generated before training.
        resumable_until: the number of steps of the full run; None if it has no checkpoints.
    """

    model: nn.Module
    state: TrainState
    history: list[Measurement]
    plan: Plan
    counts: bool
    target: float | None
    loss: float
    sees_future: bool
    text: str
    untrained: str
    resumable_until: int | None

    @property
    def reached(self) -> bool:
        """Whether the loss is below the target, if there is one, and means something."""
        return not self.sees_future and (self.target is None or self.loss < self.target)

    @property
    def steps(self) -> int:
        """How many steps the returned weights have: those with the best evaluation loss."""
        return min(self.history, key=lambda measured: measured.eval_loss).step

    @property
    def reached_milestone(self) -> bool:
        below = not self.sees_future and self.loss < milestone.TARGET_LOSS
        return self.counts and below and self.steps <= milestone.MAX_STEPS

    @property
    def own_loss(self) -> float:
        """The best evaluation loss by the learner's own `eval_step`, on a sample of the text.

        NaN if any of them is NaN.
        """
        return _own_loss(self.history)

    @property
    def can_be_resumed(self) -> bool:
        """Whether it was stopped before its end and has checkpoints."""
        return was_stopped(self.history, self.resumable_until or 0, self.target)


def was_stopped(history: list[Measurement], max_steps: int, target: float | None) -> bool:
    """Whether a run ended before its last step, and not because it was at its target."""
    goal = stop_at(target)
    at_goal = goal is not None and _own_loss(history) <= goal
    return history[-1].step < max_steps and not at_goal


def _own_loss(history: list[Measurement]) -> float:
    losses = [measurement.eval_loss for measurement in history]
    return math.nan if any(map(math.isnan, losses)) else min(losses)


def evaluate_run(
    model: nn.Module,
    state: TrainState,
    history: list[Measurement],
    data: Dataset,
    plan: Plan,
    resumable_until: int | None = None,
) -> Run:
    """Evaluate a finished run and generate a sample.

    Raises:
        UserError: it ended before its first measurement, because it was stopped, or because the
            learner's loss was at the target from the start.
    """
    setting, target = plan.setting, plan.target(data.vocabulary)
    if not history[-1].step:
        if plan.until is not None and history[0].eval_loss < plan.until:
            raise UserError(
                f"The untrained model's loss, {history[0].eval_loss:.3f}, is below --until already."
            )
        if target is not None and history[0].eval_loss < target:
            raise UserError(
                f"Before the first step your eval_step measures a loss of "
                f"{history[0].eval_loss:.3f}, but no untrained model is that good. The check of "
                "task 5 looks for the reason."
            )
        raise UserError(
            "Stopped before the first step, so there is nothing to resume. Weights that were saved "
            "earlier are unchanged."
        )
    block_size = setting.block_size

    def text(params: Any) -> str:
        key = jax.random.key(plan.seed)
        return continue_text(key, model.apply, params, data.vocabulary, SAMPLE_LENGTH, block_size)

    return Run(
        model,
        state,
        history,
        plan,
        plan.counts(data.vocabulary),
        target,
        loss=evaluate(state, data.evaluation, setting.batch_size, block_size),
        sees_future=milestone.sees_the_future(model, state.params, data.evaluation[:block_size]),
        text=text(state.params),
        untrained=text(initial_params(model, jnp.zeros(setting.tokens.shape, int), plan.seed)),
        resumable_until=resumable_until,
    )
