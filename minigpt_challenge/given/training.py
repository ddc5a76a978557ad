"""The training loop, for any model."""

from collections.abc import Callable
from contextlib import suppress
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
from minigpt_challenge.given.many_steps import in_one_program, one_by_one

EVALUATION_BATCHES = 40
STEPS_PER_CALL = 50  # on a CPU about a second: longer, and the bar would seem to stand still


class Measurement(NamedTuple):
    """The state of things after `step` steps; losses in nats per token."""

    step: int
    train_loss: float  # the mean over the steps since the last measurement
    eval_loss: float


def init_train_state(model: nn.Module, params: Any, learning_rate: float) -> TrainState:
    """The model, its params and a fresh Adam, in one immutable object.

    Args:
        model: the module.
        params: what `model.init` returned.
        learning_rate: Adam's.
    """
    return TrainState.create(apply_fn=model.apply, params=params, tx=optax.adam(learning_rate))


def evaluate(
    state: TrainState,
    data: jax.Array,
    batch_size: int,
    block_size: int,
    most_batches: int | None = None,
    eval_step: Callable = steps.eval_step,
) -> float:
    """The mean loss over the whole text, or over a fixed, even sample of `most_batches` of it."""
    x, y = evenly_spaced_batches(data, batch_size, block_size, most_batches)
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
    """Train a model from scratch, or from where an interrupted run stopped.

    Args:
        num_iterations: how many steps, at most.
        batch_size: B, pieces of text in a step.
        block_size: T, tokens in a piece.
        learning_rate: Adam's.
        eval_data: integers, the text to measure on.
        train_data: integers, the text to learn from.
        model: integers (B, T) → logits (B, T, V).
        train_step: (state, x, y) → (state, loss).
        eval_step: (state, x, y) → loss.
        make_state: (model, what `model.init` returned) → the state to begin with; if left out,
            that of `init_train_state`.
        steps_per_call: how many steps make one compiled program. With 1, Python calls
            `train_step`, which need not be traceable then.
        eval_every: steps between two measurements.
        target_loss: stop as soon as the evaluation loss is at most this.
        seed: of the initial params and of the batches.
        show_progress: show a bar with the step and both losses.
        checkpoints: where the run is kept at each measurement, and resumed from. A resumed run
            sees the same batches as an unbroken one, and ends with the same numbers.
        on_measure: called with the state and the history so far, at the start and whenever the
            loss was measured.

    Returns:
        the state with the best evaluation loss, and all measurements, that before the first step
        included. Every evaluation is on the same, evenly spaced pieces of `eval_data`. Stopped by
        Ctrl-C or the notebook's stop button, it returns what it has.

    Raises:
        DataError: a text is shorter than a block.
    """

    def batch_of(step: int, text: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        # The batch depends on the step alone, so a resumed run goes on with the right one.
        return get_batch(jax.random.fold_in(key, step), text, batch_size, block_size)

    if steps_per_call > 1:
        run_steps = in_one_program(train_step, batch_of)
    else:
        run_steps = one_by_one(train_step, jax.jit(batch_of))
    measure = partial(
        evaluate,
        data=eval_data,
        batch_size=batch_size,
        block_size=block_size,
        most_batches=EVALUATION_BATCHES,
        eval_step=eval_step,
    )
    init_key, batches_key = jax.random.split(jax.random.key(seed))
    x, y = get_batch(batches_key, train_data, batch_size, block_size)
    make_state = make_state or partial(init_train_state, learning_rate=learning_rate)
    state = make_state(model, jax.jit(model.init)(init_key, x))
    kept = checkpoints.resume(state) if checkpoints else None
    if kept:
        state, best_state, history = kept
        history = [Measurement(*row) for row in history]
    else:
        history = [Measurement(0, float(eval_step(state, x, y)), measure(state))]
        best_state = state
    best_loss = min(measured.eval_loss for measured in history)
    done = history[-1].step
    if target_loss is not None and best_loss <= target_loss:
        num_iterations = done  # a resumed run may have been at its goal

    total_loss = 0.0
    bar = tqdm(
        initial=done, total=max(done, num_iterations), unit="step", disable=not show_progress
    )
    with bar, suppress(KeyboardInterrupt):  # who stops early keeps the best so far
        _show(bar, history[-1])
        if on_measure:
            on_measure(state, history)
        while done < num_iterations:
            measurement = min(done - done % eval_every + eval_every, num_iterations)
            until = min(done + steps_per_call, measurement)
            state, loss = run_steps(state, done + 1, until + 1, train_data, batches_key)
            loss = float(loss)  # waits for it, so that the bar tells the truth
            total_loss += loss
            bar.update(until - done)
            _show(bar, history[-1]._replace(train_loss=loss / (until - done)))
            done = until
            if done != measurement:
                continue
            train_loss = total_loss / (done - history[-1].step)
            measured = Measurement(done, train_loss, measure(state))
            total_loss = 0.0
            _show(bar, measured)
            if measured.eval_loss < best_loss or isnan(best_loss):
                best_state, best_loss = state, measured.eval_loss
            if checkpoints:  # before it is in the history: who stops here has not kept it
                checkpoints.save(state, best_state, [*history, measured])
            history.append(measured)
            if on_measure:
                on_measure(state, history)
            if target_loss is not None and best_loss <= target_loss:
                break
    return best_state, history


def _show(bar, measured: Measurement) -> None:
    bar.set_postfix_str(f"loss {measured.train_loss:.3f}, evaluation {measured.eval_loss:.3f}")
