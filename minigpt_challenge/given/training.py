"""A training loop for any model."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import isnan
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training.train_state import TrainState
from tqdm import tqdm

from minigpt_challenge.given import steps
from minigpt_challenge.given.batches import evenly_spaced_batches, get_batch
from minigpt_challenge.given.checkpoints import Checkpoints
from minigpt_challenge.given.copies import copies
from minigpt_challenge.given.many_steps import RunSteps, compiled_loop, python_loop

EVALUATION_BATCHES = 40
STEPS_PER_CALL = 50  # about a second on a CPU: with more, the progress bar would seem to hang


class Measurement(NamedTuple):
    """The losses after `step` steps, in nats per token."""

    step: int
    train_loss: float  # mean over the steps since the last measurement
    eval_loss: float


def init_train_state(model: nn.Module, params: Any, learning_rate: float) -> TrainState:
    """The model, its params and a newly initialized Adam optimiser, in one immutable object.

    Args:
        model: the module.
        params: what `model.init` returned.
        learning_rate: of Adam.
    """
    return TrainState.create(apply_fn=model.apply, params=params, tx=optax.adam(learning_rate))


def evaluate(
    state: TrainState,
    data: jax.Array,
    batch_size: int,
    block_size: int,
    max_batches: int | None = None,
    eval_step: Callable = steps.eval_step,
) -> float:
    """Mean loss over the whole text, or over `max_batches` fixed, evenly spaced batches of it."""
    x, y = evenly_spaced_batches(data, batch_size, block_size, max_batches)
    return float(
        jnp.mean(jnp.stack([eval_step(state, *batch) for batch in zip(x, y, strict=True)]))
    )


def run_training_loop(
    num_iterations: int,
    batch_size: int,
    block_size: int,
    learning_rate: float,
    eval_data: jax.Array,
    train_data: jax.Array,
    model: nn.Module,
    *,
    train_step: Callable = steps.train_step,
    eval_step: Callable = steps.eval_step,
    make_state: Callable[[nn.Module, Any], TrainState] | None = None,
    steps_per_call: int = STEPS_PER_CALL,
    eval_every: int = 250,
    target_loss: float | None = None,
    seed: int = 0,
    show_progress: bool = True,
    checkpoints: Checkpoints | None = None,
    on_measure: Callable[[TrainState, list[Measurement]], None] | None = None,
) -> tuple[TrainState, list[Measurement]]:
    """Train a model from scratch, or resume an interrupted run.

    Args:
        num_iterations: the maximum number of steps.
        batch_size: B, pieces of text in a step.
        block_size: T, tokens in a piece.
        learning_rate: of Adam.
        eval_data: integers, the text for evaluation.
        train_data: integers, the text for training.
        model: integers (B, T) → logits (B, T, V).
        train_step: (state, x, y) → (state, loss).
        eval_step: (state, x, y) → loss.
        make_state: (model, what `model.init` returned) → the initial state; by default
            `init_train_state`.
        steps_per_call: how many steps one call of a compiled program runs. With 1, Python calls
            `train_step`, which then need not be traceable.
        eval_every: steps between two measurements.
        target_loss: stop as soon as the evaluation loss is at most this.
        seed: of the initial params and the batches.
        show_progress: show a bar with the step and both losses.
        checkpoints: where the run is saved at each measurement, and resumed from. A resumed run
            sees the same batches as an uninterrupted one and ends with the same numbers.
        on_measure: called with the state and the history at the start and after each measurement.

    Returns:
        the state with the best evaluation loss, and all measurements, including the one before
        the first step. Every evaluation uses the same, evenly spaced pieces of `eval_data`. If
        interrupted by Ctrl-C or the notebook's stop button, it returns the results up to then.

    Raises:
        DataError: a text is shorter than a block.
    """

    def make_batch(step: int, text: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        # Depends on the step alone, so a resumed run continues with the right batch.
        return get_batch(jax.random.fold_in(key, step), text, batch_size, block_size)

    if steps_per_call > 1:
        run_steps = compiled_loop(train_step, make_batch)
    else:
        run_steps = python_loop(train_step, jax.jit(make_batch))
    measure = partial(
        evaluate,
        data=eval_data,
        batch_size=batch_size,
        block_size=block_size,
        max_batches=EVALUATION_BATCHES,
        eval_step=eval_step,
    )
    init_key, batches_key = jax.random.split(jax.random.key(seed))
    x, y = get_batch(batches_key, train_data, batch_size, block_size)
    make_state = make_state or partial(init_train_state, learning_rate=learning_rate)
    state = make_state(model, jax.jit(model.init)(init_key, x))
    run = _resume(state, checkpoints)
    if run is None:
        first = Measurement(0, float(eval_step(state, x, y)), measure(state))
        run = _Run(state, copies(state), first.eval_loss, [first])
    if run.is_at(target_loss):
        num_iterations = run.step
    total = max(run.step, num_iterations)
    bar = tqdm(initial=run.step, total=total, unit="step", disable=not show_progress)
    with bar, suppress(KeyboardInterrupt):  # an interrupted run returns its best state
        _show(bar, run.history[-1])
        if on_measure:
            on_measure(run.state, run.history)
        while run.step < num_iterations:
            end = min(run.step - run.step % eval_every + eval_every, num_iterations)
            source = train_data, batches_key
            train_loss = _train_until(end, run, run_steps, steps_per_call, source, bar)
            measured = Measurement(end, train_loss, measure(run.state))
            _show(bar, measured)
            run.add(measured, checkpoints)
            if on_measure:
                on_measure(run.state, run.history)
            if run.is_at(target_loss):
                break
    return run.best_state, run.history


@dataclass
class _Run:
    """A run in progress.

    Attributes:
        state: after the last step.
        best_state: the state with the lowest evaluation loss.
        best_loss: its evaluation loss.
        history: all measurements.
    """

    state: TrainState
    best_state: TrainState
    best_loss: float
    history: list[Measurement]

    @property
    def step(self) -> int:
        """The step of the last measurement."""
        return self.history[-1].step

    def is_at(self, target_loss: float | None) -> bool:
        """Whether the best loss is at most the target."""
        return target_loss is not None and self.best_loss <= target_loss

    def add(self, measured: Measurement, checkpoints: Checkpoints | None) -> None:
        """Add a measurement of the state, and save the run."""
        if measured.eval_loss < self.best_loss or isnan(self.best_loss):
            self.best_state, self.best_loss = copies(self.state), measured.eval_loss
        # Saved first, so that the history of an interrupted run has no unsaved measurement.
        if checkpoints:
            checkpoints.save(self.state, self.best_state, [*self.history, measured])
        self.history.append(measured)


def _resume(fresh: TrainState, checkpoints: Checkpoints | None) -> _Run | None:
    saved = checkpoints.resume(fresh) if checkpoints else None
    if saved is None:
        return None
    history = [Measurement(int(step), *losses) for step, *losses in saved.history]
    best_loss = min(measured.eval_loss for measured in history)
    return _Run(saved.state, saved.best_state, best_loss, history)


def _train_until(
    end: int,
    run: _Run,
    run_steps: RunSteps,
    steps_per_call: int,
    source: tuple[jax.Array, jax.Array],
    bar: tqdm,
) -> float:
    """Train until step `end`, and return the mean loss."""
    done, total_loss = run.step, 0.0
    while done < end:
        until = min(done + steps_per_call, end)
        run.state, loss_array = run_steps(run.state, done + 1, until + 1, *source)
        loss = float(loss_array)  # waits for the result, so that the bar shows finished steps
        total_loss += loss
        bar.update(until - done)
        _show(bar, run.history[-1]._replace(train_loss=loss / (until - done)))
        done = until
    return total_loss / (end - run.step)


def _show(bar: tqdm, measured: Measurement) -> None:
    bar.set_postfix_str(f"loss {measured.train_loss:.3f}, evaluation {measured.eval_loss:.3f}")
