"""A training run in progress: its state, and what was measured so far."""

from dataclasses import dataclass
from math import isnan
from typing import NamedTuple, Self

import jax
from flax.training.train_state import TrainState

from minigpt_challenge.given.checkpoints import Checkpoint, Checkpoints
from minigpt_challenge.given.copies import copies

SMOOTHING = 0.8  # of the loss that is shown: the weight of the value before


class Measurement(NamedTuple):
    """The losses after `step` steps, in nats per token."""

    step: int
    train_loss: float  # mean over the steps since the last measurement
    eval_loss: float
    seconds: float = 0.0  # of training up to here, without the measurements


@dataclass
class TrainingRun:
    """A training run in progress.

    Attributes:
        state: after the last step.
        best_state: the state with the lowest evaluation loss.
        best_loss: its evaluation loss.
        history: all measurements.
        done: the number of steps done.
        seconds: of training, without the measurements.
        smooth_loss: the training loss without its jumps from batch to batch.
        loss_since: the sum of the losses of all steps since the last measurement.
        calls: the number of calls of the compiled program in this process.
        steps_per_second: in the last call.
    """

    state: TrainState
    best_state: TrainState
    best_loss: float
    history: list[Measurement]
    loss_since: float = 0.0
    calls: int = 0
    steps_per_second: float = 0.0

    def __post_init__(self) -> None:
        last = self.history[-1]
        self.done, self.seconds, self.smooth_loss = last.step, last.seconds, last.train_loss

    def is_at(self, target_loss: float | None) -> bool:
        """Whether the best loss is at most the target."""
        return target_loss is not None and self.best_loss <= target_loss

    def steps_in_a_second(self, at_most: int, seconds: float) -> int:
        """How many steps take about `seconds`. The first call compiles, so it tells nothing."""
        if self.calls < 2:
            return 1
        return max(1, min(at_most, int(self.steps_per_second * seconds)))

    def advance(self, state: TrainState, done: int, total_loss: float, seconds: float) -> None:
        """Note that a call has trained up to step `done`, with this sum of losses."""
        steps = done - self.done
        self.state, self.done = state, done
        self.seconds += seconds
        self.loss_since += total_loss
        self.steps_per_second, self.calls = steps / max(seconds, 1e-9), self.calls + 1
        # One step's loss says little, so it moves the average less than that of many.
        weight = SMOOTHING ** (steps / 10)
        self.smooth_loss = weight * self.smooth_loss + (1 - weight) * total_loss / steps

    def add(self, eval_loss: float) -> None:
        """Add a measurement of the state."""
        if eval_loss < self.best_loss or isnan(self.best_loss):
            self.best_state, self.best_loss = copies(self.state), eval_loss
        train_loss = self.loss_since / (self.done - self.history[-1].step)
        self.history.append(Measurement(self.done, train_loss, eval_loss, self.seconds))
        self.loss_since = 0.0

    def save(self, checkpoints: Checkpoints) -> None:
        """Save the run as it is, also between two measurements."""
        record = {
            "history": [list(measurement) for measurement in self.history],
            "seconds": self.seconds,
            "loss_since": self.loss_since,
        }
        checkpoints.save(Checkpoint(self.done, self.state, self.best_state, record))

    @classmethod
    def resume(cls, checkpoints: Checkpoints, fresh: TrainState) -> Self | None:
        """The saved run; None if there is none that fits, see `Checkpoints.resume`."""
        saved = checkpoints.resume(fresh)
        if saved is None:
            return None
        history = [Measurement(int(step), *numbers) for step, *numbers in saved.record["history"]]
        best_loss = min(measured.eval_loss for measured in history)
        run = cls(saved.state, saved.best_state, best_loss, history, saved.record["loss_since"])
        run.done, run.seconds = saved.step, saved.record["seconds"]
        return run

    def has_state(self) -> bool:
        """Whether the state is there: an interrupted step that donates it may have consumed it."""
        return not any(leaf.is_deleted() for leaf in jax.tree.leaves(self.state.params))
