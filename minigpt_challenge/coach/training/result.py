"""A run that has ended: what can be said of it, and what is saved."""

import math
from dataclasses import dataclass

import flax.linen as nn
import jax
from flax import serialization
from flax.training.train_state import TrainState

from minigpt_challenge.coach.course.curriculum import ROOT
from minigpt_challenge.coach.records import saved_run
from minigpt_challenge.coach.records.history import overwrite
from minigpt_challenge.coach.reports.charts import draw_loss_curve
from minigpt_challenge.errors import UserError
from minigpt_challenge.given import milestone
from minigpt_challenge.given.dataset import Dataset
from minigpt_challenge.given.sampling import continue_text
from minigpt_challenge.given.training import Measurement, evaluate
from minigpt_challenge.given.vocabulary import Vocabulary

SAMPLE_LENGTH = 500

# A sample of the evaluation text has about the loss of the whole; nats per character.
SAME_LOSS = 0.2


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        target: the evaluation loss to reach; None where the text is not Shakespeare.
        loss: on the whole evaluation text, by the given step, in nats per character: a loss of
            the learner's own that flatters itself does not help.
        peeks: whether the model looks into the future, so that its loss says nothing.
        text: what it writes.
        kept_until: the last step that it should have, where it is kept on its way; else None.
    """

    model: nn.Module
    state: TrainState
    history: list[Measurement]
    target: float | None
    loss: float
    peeks: bool
    text: str
    kept_until: int | None

    @property
    def reached(self) -> bool:
        """Whether it is honest, and at its target. (Without a target: honest.)"""
        return not self.peeks and (self.target is None or self.loss < self.target)

    @property
    def own_loss(self) -> float:
        """The best evaluation loss by the learner's own step, on a sample of the text.

        NaN where it ever was.
        """
        losses = [measured.eval_loss for measured in self.history]
        return math.nan if any(map(math.isnan, losses)) else min(losses)

    @property
    def was_stopped(self) -> bool:
        """Whether somebody stopped it who can go on with it."""
        at_goal = self.target is not None and self.own_loss <= self.target - milestone.MARGIN
        return self.history[-1].step < (self.kept_until or 0) and not at_goal


def judged(
    model: nn.Module,
    state: TrainState,
    history: list[Measurement],
    data: Dataset,
    seed: int,
    kept_until: int | None = None,
) -> Run:
    """What can be said of a run that has ended; and let it write.

    Raises:
        UserError: it ended before its first step was kept, because it was stopped, or because the
            learner's loss was at the target from the start.
    """
    target = milestone.target_loss(data.vocabulary)
    if not history[-1].step:
        if target is not None and history[0].eval_loss < target:
            raise UserError(
                f"Before the first step your eval_step measures a loss of "
                f"{history[0].eval_loss:.3f}, and no untrained model is that good. The check of "
                "task 5 looks for the reason."
            )
        raise UserError(
            "Stopped before the run was kept for the first time, so there is nothing to go on "
            "with. Weights that were saved before are as they were."
        )
    return Run(
        model,
        state,
        history,
        target,
        loss=evaluate(state, data.evaluation, milestone.BATCH_SIZE, milestone.BLOCK_SIZE),
        peeks=milestone.sees_the_future(
            model, state.params, data.evaluation[: milestone.BLOCK_SIZE]
        ),
        text=continue_text(
            jax.random.key(seed),
            model.apply,
            state.params,
            data.vocabulary,
            SAMPLE_LENGTH,
            milestone.BLOCK_SIZE,
        ),
        kept_until=kept_until,
    )


def in_words(run: Run) -> str:
    """A few sentences: how far it came, and what is odd about it."""
    said = (
        f"After {run.history[-1].step:,} steps the loss on the whole evaluation text is "
        f"{run.loss:.3f}."
    )
    if not abs(run.own_loss - run.loss) <= SAME_LOSS:  # one may be no number
        said += (
            f" That is the given eval_step's word; yours said {run.own_loss:.3f}. The check of "
            "task 5 looks for the reason."
        )
    if run.was_stopped:
        said += (
            " The run was stopped, and is kept as it was there: the same again, without --fresh, "
            "goes on."
        )
    return said


def save(run: Run, vocabulary: Vocabulary, solutions: bool) -> str:
    """Save the curve, the sample and what `minigpt sample` needs.

    Returns:
        where the former weights are, in a sentence; empty where there were none.

    The weights are msgpack, not pickle, so that loading them runs no code.
    """
    packed = {
        "params": jax.device_get(run.state.params),
        "characters": vocabulary.characters,
        "solutions": solutions,
        "loss": run.loss,
    }
    kept = overwrite(saved_run.WEIGHTS, serialization.msgpack_serialize(packed))
    overwrite(saved_run.CURVE, draw_loss_curve(run.history, run.target))
    overwrite(saved_run.SAMPLE, run.text)
    if kept is None:
        return ""
    loss = saved_run.saved(kept).get("loss")
    had_loss = f" (loss {loss:.3f})" if isinstance(loss, float) else ""
    return (
        f"The former weights{had_loss} are kept in {kept}; `minigpt sample` takes those in "
        f"{saved_run.WEIGHTS.relative_to(ROOT)}."
    )
