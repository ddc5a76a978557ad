"""A training step is compiled, all of it, and only once."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import optax

from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.jaxpr_counts import (
    MARK,
    count_uncompiled,
    is_compiled_within,
    marked,
)
from minigpt_challenge.given.copies import copies


def compiled_once(
    step: Callable,
    arguments: Callable[[int, Any], tuple],
    traces: Sequence[Any],
    label: str,
    *,
    model: str,
    fix: str,
    model_marked: tuple = (),
    as_pure: Callable[..., tuple] = lambda *call: call,
) -> None:
    """A second batch does not run the model's Python code again, and nothing runs outside `jit`.

    Args:
        step: the learner's.
        arguments: from the index of a call, and what the call before it returned (None where that
            is not used), to its arguments. Model and optimizer mark their results, see `marked`.
        traces: grows by one whenever Python runs the model.
        label: the step's name.
        model: how the step calls the model.
        fix: what to do so that all of it is compiled once.
        model_marked: arguments in which only the model marks its results. If given, a `jax.jit`
            inside the step is looked for, created again at every call.
        as_pure: from a step and its arguments to a pure function and its arguments, where the
            step changes its arguments in place.
    """
    returned = step(*copies(arguments(0, None)))
    num_traces = len(traces)
    if not num_traces:
        raise Wrong(
            "It never was.",
            asked=f"{model} should be called in {label}.",
            about=f"{model} in {label}",
        )
    step(*copies(arguments(1, returned)))
    if len(traces) > num_traces:
        advice = f"{fix} It is then traced once and compiled."
        if model_marked and is_compiled_within(MARK, step, *model_marked):
            advice = f"There is a `jax.jit`, but it is created again at every call. {advice}"
        raise Wrong(
            "A second call, with another batch of the same shape, ran the Python code of the model "
            "again.",
            asked=f"JAX should trace {label} only once.",
            advice=advice,
            about=f"the compilation of {label}",
        )
    if count_uncompiled(MARK, *as_pure(step, *arguments(2, None))):
        raise Wrong(
            "At least in part, it runs one operation after the other.",
            asked=f"All of {label} should be compiled.",
            advice=f"{fix} All of it is then compiled.",
            about=f"the compilation of {label}",
        )


def counting(apply_fn: Callable, traces: list[Any]) -> Callable:
    """`apply_fn` that marks its result, and appends to `traces` whenever Python runs it."""

    def counted(params: Any, x: jax.Array) -> jax.Array:
        traces.append(x.shape)
        return marked(apply_fn(params, x))

    return counted


def with_marked_updates(tx: optax.GradientTransformation) -> optax.GradientTransformation:
    """The same optimizer, which marks its updates."""
    return optax.chain(tx, optax.stateless(lambda updates, _: marked(updates)))
