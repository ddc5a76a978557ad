"""What a training step in NNX must do: change model and optimizer in place, as Linen's would."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.faults.nnx import step_suspects
from minigpt_challenge.coach.checks.faults.step import outcome
from minigpt_challenge.coach.checks.jaxpr_counts import MARK, count_uncompiled, marked
from minigpt_challenge.coach.checks.nnx_as_linen import train_state
from minigpt_challenge.coach.checks.properties.toy_language_model import (
    Mild,
    Tables,
    apply_fn,
    mild_apply_fn,
)

Batch = Callable[[int], tuple[jax.Array, jax.Array]]  # from a seed to x, y: integers (B, T)


def three_steps_equal_linen(
    step: Callable,
    linen_step: Callable,
    tx: optax.GradientTransformation,
    batch: Batch,
    vocab_size: int,
    of: str,
) -> None:
    """After three steps weights, memory and count are those of Linen's step.

    Args:
        step: the learner's `nnx_train_step`.
        linen_step: task 5's `train_step`.
        tx: what both train with.
        batch: what they are trained on.
        vocab_size: V.
        of: what happened, in words.
    """
    ends, evidence = [], []
    # Gradients shorter than 1 as well, and an optimiser and a count that are not at their start.
    for kind, applied in ((Tables, apply_fn), (Mild, mild_apply_fn)):
        model = kind(vocab_size)
        optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
        if kind is Mild:
            x, y = batch(9)
            optimizer.update(model, nnx.grad(lambda m, x=x: (m(x) ** 2).mean())(model))
        theirs = train_state(model, optimizer, applied)
        for seed in range(3):
            x, y = batch(seed)
            before = train_state(model, optimizer, applied)
            suspects = step_suspects(before, x, y, _is_jitted_by_jax(step))
            called = "nnx_train_step(model, optimizer, x, y)"
            loss = expect.array(step(model, optimizer, x, y), (), "", called)
            mine = train_state(model, optimizer, applied)
            evidence.append((outcome(mine, loss), suspects))
            theirs, _ = linen_step(theirs, x, y)
        ends.append((mine, theirs))
    parts = {"params": "the model's weights", "opt_state": "its memory", "step": "optimizer.step"}
    for mine, theirs in ends:
        for part, name in parts.items():
            seen, expected = (jax.tree.map(jnp.asarray, getattr(s, part)) for s in (mine, theirs))
            expect.trees_equal(seen, expected, f"{of}, {name}", evidence)


def compiled_once(
    step: Callable, tx: optax.GradientTransformation | None, batch: Batch, vocab_size: int, of: str
) -> None:
    """All of it is compiled, and a second batch does not run the model's Python code again.

    Args:
        step: the learner's.
        tx: makes the optimizer that the step is given; None where it is given none.
        batch: what it is called with.
        vocab_size: V.
        of: the step's name.
    """
    calls = []

    class Counting(Tables):
        def __call__(self, x):
            calls.append(x.shape)
            return marked(super().__call__(x))

    model = Counting(vocab_size)
    given = (model,)
    if tx:
        tx = optax.chain(tx, optax.stateless(lambda updates, _: marked(updates)))
        given = model, nnx.Optimizer(model, tx, wrt=nnx.Param)
    step(*given, *batch(0))
    first = len(calls)
    if not first:
        raise expect.Wrong(f"{of} never calls the model.")
    step(*given, *batch(1))
    if len(calls) > first:
        raise expect.Wrong(
            f"A second call of {of}, with another batch of the same shape, ran the Python code "
            "of the model again. Under `@nnx.jit` it is traced once and then compiled."
        )
    graph, state = nnx.split(given)
    if count_uncompiled(MARK, lambda s, x, y: step(*nnx.merge(graph, s), x, y), state, *batch(2)):
        raise expect.Wrong(
            f"{of} runs one operation after the other, at least in part. With `@nnx.jit` above it, "
            "all of it is compiled."
        )


def _is_jitted_by_jax(function: Callable) -> bool:
    return isinstance(function, type(jax.jit(lambda: None)))
