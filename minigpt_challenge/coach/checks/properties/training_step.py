"""What a training step must do: update the state as the reference does, and nothing else."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training.train_state import TrainState

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.diagnosis import Suspects
from minigpt_challenge.coach.checks.faults import step as faults
from minigpt_challenge.coach.checks.faults.loss import finite_outcome, unstable_suspects
from minigpt_challenge.coach.checks.properties import toy_language_model as toy
from minigpt_challenge.coach.checks.properties.compiled_once import (
    compiled_once,
    counting,
    with_marked_updates,
)
from minigpt_challenge.given.copies import copies

STEP = "train_step(state, x, y)"

Batch = Callable[[int], tuple[jax.Array, jax.Array]]  # from a seed to x, y: integers (B, T)


def parts(state: TrainState) -> dict[str, Any]:
    """All that a step changes."""
    return {part: getattr(state, part) for part in ("params", "opt_state", "step")}


def copied(state: TrainState) -> dict[str, Any]:
    """The same in NumPy's arrays."""
    return jax.tree.map(np.array, parts(state))


def loss_survives_large_logits(loss_fn: Callable, vocab_size: int, x: Any, y: Any) -> None:
    """The loss is right for logits of 10⁴. Its cause is looked for with smaller ones, too."""
    small = toy.params(vocab_size)
    tables = small["params"]
    shifted = {"params": tables | {"bias": tables["bias"] + 100 / toy.SHARPNESS}}
    large = jax.tree.map(lambda leaf: 1e4 * leaf, small)
    seen, evidence = None, []
    for params in (small, shifted, large):
        seen = loss_fn(params, toy.apply_fn, x, y)
        suspects = unstable_suspects(toy.apply_fn(params, x), y)
        evidence.append((finite_outcome(seen), suspects))
    expected = toy.loss(large, toy.apply_fn, x, y)
    expect.equal(seen, expected, "", "With logits of 10⁴, the loss", evidence)


def three_steps_equal(
    step: Callable,
    reference_step: Callable,
    tx: optax.GradientTransformation,
    vocab_size: int,
    batch: Batch,
    label: str,
) -> None:
    """After three steps params, optimizer state and count are those of the reference.

    Args:
        step: the learner's `train_step`.
        reference_step: the reference's.
        tx: the optimizer of both.
        vocab_size: V.
        batch: what both are trained on.
        label: what happened, for the message.
    """
    # Gradients shorter than 1 as well, and an optimizer and a count that are not at their start.
    mild = toy.new_state(tx, vocab_size, 1, toy.mild_apply_fn)
    resumed, _ = reference_step(mild, *batch(9))
    ends, evidence = [], []
    for mine in (toy.new_state(tx, vocab_size), resumed):
        theirs = mine
        for seed in range(3):
            x, y = batch(seed)
            suspects = faults.step_suspects(mine, x, y)
            mine, loss = expect.pair(step(*copies((mine, x, y))), STEP, TrainState)
            theirs, _ = reference_step(theirs, x, y)
            evidence.append((faults.outcome(mine, loss), suspects))
        ends.append((parts(mine), parts(theirs)))
    for mine, theirs in ends:
        for part in mine:
            seen, expected = (jax.tree.map(jnp.asarray, state[part]) for state in (mine, theirs))
            expect.trees_equal(seen, expected, f"{label}, state.{part}", evidence)


def returned_loss_is_from_before_the_update(
    step: Callable, cases: Iterable[tuple[TrainState, jax.Array, jax.Array]]
) -> None:
    """`train_step` returns the loss of the params that it was given.

    Args:
        step: the learner's `train_step`.
        cases: what it is called with, a state, x and y for each call.
    """

    def compared() -> Iterator[tuple]:
        for state, x, y in cases:
            before = loss_of(state, x, y)
            _, loss = expect.pair(step(*copies((state, x, y))), STEP, TrainState)
            yield loss, before, faults.returned_loss_suspects(state, x, y)

    label = "The loss that train_step returns, from before the update,"
    expect.all_equal(compared(), "", label)


def loss_of(state: TrainState, x: jax.Array, y: jax.Array) -> np.float32:
    """What `eval_step` should return for these arguments."""
    return toy.loss(state.params, state.apply_fn, x, y)


def loss_suspects(state: TrainState, x: jax.Array, y: jax.Array) -> Suspects:
    """The mistakes in what `eval_step` returns: → a scalar."""
    return faults.loss_suspects(state.params, state.apply_fn, x, y)


def input_state_is_untouched(
    step: Callable,
    arguments: tuple[TrainState, jax.Array, jax.Array],
    label: str,
    copy: Callable[[TrainState], Any] = copied,
) -> None:
    """The step changes nothing in the state that it is given; it may donate it.

    Args:
        step: the learner's.
        arguments: what it is called with.
        label: the step's name.
        copy: from a state to a copy of all that a step changes.
    """
    state, before = arguments[0], copy(arguments[0])
    step(*arguments)
    if any(
        leaf.is_deleted() for leaf in jax.tree.leaves(parts(state)) if hasattr(leaf, "is_deleted")
    ):
        return
    expect.trees_equal(copy(state), before, f"The state given to {label}, afterwards,")


def is_compiled_once(
    step: Callable, tx: optax.GradientTransformation, vocab_size: int, batch: Batch, name: str
) -> None:
    """`train_step` or `eval_step` is compiled, all of it, and only once.

    Args:
        step: the learner's.
        tx: the optimizer in the state.
        vocab_size: V.
        batch: what it is called with.
        name: its name.
    """
    traces: list[Any] = []
    apply_fn = counting(toy.apply_fn, traces)
    state = toy.new_state(with_marked_updates(tx), vocab_size, apply_fn=apply_fn)
    compiled_once(
        step,
        lambda index, _: (state, *batch(index)),
        traces,
        name,
        model="`state.apply_fn`",
        fix=f"Put `@jax.jit` above {name}.",
        model_marked=(toy.new_state(tx, vocab_size, apply_fn=apply_fn), *batch(2)),
    )


def overfits(
    step: Callable, state: TrainState, x: jax.Array, y: jax.Array, num_steps: int, limit: float
) -> None:
    """After this many steps on one batch, the loss is below the limit."""
    loss = None
    for _ in range(num_steps):
        state, loss = expect.pair(step(*copies((state, x, y))), STEP, TrainState)
    loss = expect.array(loss, (), "", "The loss that train_step returns")
    if not loss < limit:
        raise expect.Wrong(
            f"It is still {float(loss):.3g}.",
            asked=f"After {num_steps} steps on the same {x.size} predictions, the loss should be "
            f"below {limit}, which is easy.",
            about="the loss after many steps on one batch",
        )
