"""A training loop for any model."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training.train_state import TrainState

from minigpt_challenge.given import steps
from minigpt_challenge.given.batches import evenly_spaced_batches, get_batch
from minigpt_challenge.given.checkpoints import Checkpoints
from minigpt_challenge.given.copies import copies
from minigpt_challenge.given.many_steps import RunSteps, compiled_loop, python_loop
from minigpt_challenge.given.training_bar import TrainingBar
from minigpt_challenge.given.training_run import Measurement, TrainingRun

# On so many tokens, the loss of a trained GPT of the milestone's size is within 0.01 of that on the
# whole text, in both editions.
EVALUATION_TOKENS = 15 * 16 * 32
STEPS_PER_CALL = 50  # of a compiled program, at most
SECONDS_PER_CALL = 1.0  # about: with longer calls the bar would seem to hang
SAVE_EVERY_S = 10.0


def init_train_state(model: nn.Module, params: Any, learning_rate: float) -> TrainState:
    """The model, its params and a newly initialized Adam optimizer, in one immutable object.

    Args:
        model: the module.
        params: what `model.init` returned.
        learning_rate: of Adam.
    """
    return TrainState.create(apply_fn=model.apply, params=params, tx=optax.adam(learning_rate))


def initial_params(model: nn.Module, x: jax.Array, seed: int) -> Any:
    """The params that `run_training_loop` starts from, for tokens like `x`, integers (B, T)."""
    init_key, _ = jax.random.split(jax.random.key(seed))
    return jax.jit(model.init)(init_key, x)


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
    eval_every: int = 50,
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
        steps_per_call: how many steps one call of a compiled program runs at most; with a large
            model it is fewer. With 1, Python calls `train_step`, which then need not be traceable.
        eval_every: steps between two measurements.
        target_loss: stop as soon as the evaluation loss is at most this.
        seed: of the initial params and the batches.
        show_progress: show the step and both losses in a line that is updated.
        checkpoints: where the run is saved every ten seconds and at its end, and resumed from. A
            resumed run sees the same batches as an uninterrupted one and ends with the same
            weights.
        on_measure: called with the state and the history at the start and after each measurement.

    Returns:
        the state with the best evaluation loss, and all measurements, including the one before
        the first step. Every evaluation uses the same, evenly spaced pieces of `eval_data`. If
        interrupted by Ctrl-C or the notebook's stop button, a run with checkpoints is saved and
        measured at the step that it has reached, and the results up to then are returned.

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
        max_batches=math.ceil(EVALUATION_TOKENS / (batch_size * block_size)),
        eval_step=eval_step,
    )
    _, batches_key = jax.random.split(jax.random.key(seed))
    x, y = get_batch(batches_key, train_data, batch_size, block_size)
    make_state = make_state or partial(init_train_state, learning_rate=learning_rate)
    state = make_state(model, initial_params(model, x, seed))
    run = TrainingRun.resume(checkpoints, state) if checkpoints else None
    if run is None:
        first = Measurement(0, float(eval_step(state, x, y)), measure(state))
        run = TrainingRun(state, copies(state), first.eval_loss, [first])
    if run.is_at(target_loss):
        num_iterations = run.done
    bar = TrainingBar(run, num_iterations, target_loss, show_progress)
    keep = _Keeper(run, checkpoints)
    with bar, suppress(KeyboardInterrupt):  # a second Ctrl-C
        try:
            if on_measure:
                on_measure(run.state, run.history)
            while run.done < num_iterations and not run.is_at(target_loss):
                end = min(run.done - run.done % eval_every + eval_every, num_iterations)
                while run.done < end:
                    keep.every_few_seconds()
                    _train(end, run, run_steps, steps_per_call, (train_data, batches_key))
                    bar.show(run)
                run.add(measure(run.state))
                bar.show(run)
                if on_measure:
                    on_measure(run.state, run.history)
        except KeyboardInterrupt:
            keep.now()  # before anything that may be interrupted, too
        if checkpoints and run.has_state() and run.done > run.history[-1].step:
            run.add(measure(run.state))
        keep.now()
    return run.best_state, run.history


class _Keeper:
    """Saves a run now and then, if it has checkpoints."""

    def __init__(self, run: TrainingRun, checkpoints: Checkpoints | None) -> None:
        self._run, self._checkpoints = run, checkpoints
        self._saved_at = time.monotonic()

    def every_few_seconds(self) -> None:
        if time.monotonic() - self._saved_at > SAVE_EVERY_S:
            self.now()

    def now(self) -> None:
        if self._checkpoints and self._run.done and self._run.has_state():
            self._run.save(self._checkpoints)
        self._saved_at = time.monotonic()


def _train(
    end: int,
    run: TrainingRun,
    run_steps: RunSteps,
    steps_per_call: int,
    source: tuple[jax.Array, jax.Array],
) -> None:
    """Train for about a second, at most until step `end`."""
    start = time.perf_counter()
    until = min(run.done + run.steps_in_a_second(steps_per_call, SECONDS_PER_CALL), end)
    state, loss_array = run_steps(run.state, run.done + 1, until + 1, *source)
    total_loss = float(loss_array)  # waits for the result, so that only finished steps count
    run.advance(state, until, total_loss, time.perf_counter() - start)
