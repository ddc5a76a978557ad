"""What a training step in NNX must do: change model and optimizer in place, as Linen's would."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.diagnosis import Suspects
from minigpt_challenge.coach.checks.faults import step as task_5
from minigpt_challenge.coach.checks.faults.nnx import step_suspects
from minigpt_challenge.coach.checks.jaxpr_counts import marked
from minigpt_challenge.coach.checks.nnx_as_linen import AsLinen, train_state
from minigpt_challenge.coach.checks.properties import linen_reference, nnx_loading
from minigpt_challenge.coach.checks.properties.compiled_once import (
    compiled_once,
    with_marked_updates,
)
from minigpt_challenge.coach.checks.properties.toy_language_model import (
    MildToyModel,
    ToyModel,
    apply_fn,
    batch,
    cross_entropy,
    mild_apply_fn,
)
from minigpt_challenge.coach.checks.properties.training_step import Batch
from minigpt_challenge.coach.runtime.loading import solution

Case = tuple[nnx.Module, jax.Array, jax.Array]  # a model, x and y


def cases(vocab_size: int, shapes: Iterable[tuple[int, int]]) -> list[Case]:
    """For each shape (B, T) a toy model and a batch."""
    return [
        (ToyModel(vocab_size, seed), *batch(vocab_size, *shape, seed))
        for seed, shape in enumerate(shapes)
    ]


def loss(model: nnx.Module, x: jax.Array, y: jax.Array) -> np.float32:
    """What `nnx_loss_fn` should return for these arguments."""
    return cross_entropy(model(x), y)


def loss_suspects(model: nnx.Module, x: jax.Array, y: jax.Array) -> Suspects:
    """The mistakes in what `nnx_loss_fn` returns for a toy model: → a scalar."""
    return task_5.loss_suspects(AsLinen(model).params, apply_fn, x, y)


def loss_survives_large_logits(
    loss_fn: Callable, vocab_size: int, x: jax.Array, y: jax.Array
) -> None:
    """The loss is right for logits of 10⁴."""
    model = ToyModel(vocab_size)
    nnx.update(model, jax.tree.map(lambda leaf: 1e4 * leaf, nnx.state(model)))
    seen, expected = loss_fn(model, x, y), loss(model, x, y)
    expect.equal(seen, expected, "", "With logits of 10⁴, the loss")


def loss_gradients_equal_linen(
    loss_fn: Callable, vocab_size: int, x: jax.Array, y: jax.Array
) -> None:
    """The gradient of the loss is that of task 5's."""
    model = ToyModel(vocab_size)
    linen_loss_fn = solution(5).loss_fn
    expected = jax.grad(linen_loss_fn)(AsLinen(model).params, apply_fn, x, y)["params"]
    seen = nnx.to_pure_dict(nnx.grad(loss_fn)(model, x, y))
    expect.trees_equal(seen, expected, "The gradient of the loss")


def three_steps_equal_linen(
    step: Callable, tx: optax.GradientTransformation, batch: Batch, vocab_size: int, label: str
) -> None:
    """After three steps weights, optimizer state and count are those of task 5's step.

    Args:
        step: the learner's `nnx_train_step`.
        tx: the optimizer of both.
        batch: what both are trained on.
        vocab_size: V.
        label: what happened, for the message.
    """
    linen_step = solution(5).train_step
    ends, evidence = [], []
    # Gradients shorter than 1 as well, and an optimizer and a count that are not at their start.
    for kind, applied in ((ToyModel, apply_fn), (MildToyModel, mild_apply_fn)):
        model = kind(vocab_size)
        optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
        if kind is MildToyModel:
            x, y = batch(9)
            optimizer.update(model, nnx.grad(lambda m, x=x: (m(x) ** 2).mean())(model))
        theirs = train_state(model, optimizer, applied)
        for seed in range(3):
            x, y = batch(seed)
            before = train_state(model, optimizer, applied)
            suspects = step_suspects(before, x, y, _is_jitted_by_jax(step))
            call = "nnx_train_step(model, optimizer, x, y)"
            loss = expect.array(step(model, optimizer, x, y), (), "", call)
            mine = train_state(model, optimizer, applied)
            evidence.append((task_5.outcome(mine, loss), suspects))
            theirs, _ = linen_step(theirs, x, y)
        ends.append((mine, theirs))
    parts = {
        "params": "the model's weights",
        "opt_state": "the optimizer's state",
        "step": "optimizer.step",
    }
    for mine, theirs in ends:
        for part, name in parts.items():
            seen, expected = (jax.tree.map(jnp.asarray, getattr(s, part)) for s in (mine, theirs))
            expect.trees_equal(seen, expected, f"{label}, {name}", evidence)


def returned_loss_is_from_before_the_update(
    step: Callable, tx: optax.GradientTransformation, cases: Iterable[Case]
) -> None:
    """`nnx_train_step` returns the loss of the model as it was."""

    def compared() -> Iterator[tuple]:
        for model, x, y in cases:
            optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
            state, before = train_state(model, optimizer, apply_fn), loss(model, x, y)
            seen = step(model, optimizer, x, y)
            yield seen, before, task_5.returned_loss_suspects(state, x, y)

    label = "The loss that nnx_train_step returns, from before the update,"
    expect.all_equal(compared(), "", label)


def whole_model_learns_as_in_linen(
    answer: Any,
    sizes: linen_reference.Sizes,
    tx: optax.GradientTransformation,
    batch: Batch,
) -> None:
    """The learner's model and step together give Linen's losses, and its logits after them.

    Args:
        answer: the learner's file.
        sizes: the model's.
        tx: the optimizer.
        batch: what is trained on.
    """
    losses, logits = linen_reference.three_steps(tuple(sizes.items()), tx, batch)
    model = nnx_loading.loaded(answer, sizes, linen_reference.params(sizes))
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    seen = [answer.nnx_train_step(model, optimizer, *batch(step)) for step in range(3)]
    for step, (loss, expected) in enumerate(zip(seen, losses, strict=True)):
        expect.equal(loss, expected, "", f"The loss of the whole model at step {step}")
    expect.equal(model(batch(2)[0]), logits, "BTV", "After three steps, NNXMiniGPT(tokens)")


def eval_step_gives_the_loss_and_changes_nothing(
    step: Callable, vocab_size: int, batches: Iterable[tuple[jax.Array, jax.Array]]
) -> None:
    """`nnx_eval_step` leaves the model as it was, and returns the loss for each batch.

    The model is compared first: the loss of a model that has changed is another.
    """
    model = ToyModel(vocab_size)
    before = jax.tree.map(np.array, nnx.to_pure_dict(nnx.state(model)))
    batches = [*batches]
    for x, y in batches:
        evaluated = nnx.clone(model)
        step(evaluated, x, y)
        after = nnx.to_pure_dict(nnx.state(evaluated))
        expect.trees_equal(after, before, "The model given to nnx_eval_step, afterwards,")
    cases = ((model, x, y) for x, y in batches)
    expect.same_function(step, loss, cases, "", "nnx_eval_step(model, x, y)", loss_suspects)


def is_compiled_once(
    step: Callable,
    tx: optax.GradientTransformation | None,
    batch: Batch,
    vocab_size: int,
    name: str,
) -> None:
    """The step is compiled, all of it, and only once.

    Args:
        step: the learner's.
        tx: makes the optimizer that the step is given; None where it is given none.
        batch: what it is called with.
        vocab_size: V.
        name: the step's.
    """
    traces: list[Any] = []

    class Counting(ToyModel):
        def __call__(self, x: jax.Array) -> jax.Array:
            traces.append(x.shape)
            return marked(super().__call__(x))

    model = Counting(vocab_size)
    changed: tuple = (model,)
    if tx:
        changed = model, nnx.Optimizer(model, with_marked_updates(tx), wrt=nnx.Param)

    def as_pure(step: Callable, *arguments: Any) -> tuple:
        graph, state = nnx.split(changed)
        x, y = arguments[-2:]
        return (lambda s, x, y: step(*nnx.merge(graph, s), x, y)), state, x, y

    compiled_once(
        step,
        lambda index, _: (*changed, *batch(index)),
        traces,
        name,
        model="`model(x)`",
        fix="Put `@nnx.jit` above it.",
        as_pure=as_pure,
    )


def _is_jitted_by_jax(function: Callable) -> bool:
    return isinstance(function, type(jax.jit(lambda: None)))
