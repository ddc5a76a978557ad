"""Where a value that is not a number comes from."""

import linecache
import traceback
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import minigpt_challenge.tasks
from minigpt_challenge.coach.checks.failure import Wrong
from minigpt_challenge.coach.course.verdict import Reason
from minigpt_challenge.given.copies import copies

# By the name of JAX's operation.
EXPLANATIONS = {
    "mul": "0 · ∞ is NaN, and so is everything that it is added to. To hide scores, choose between "
    "two values instead of multiplying: `jnp.where(visible, scores, -jnp.inf)`.",
    "sub": "∞ - ∞ is NaN. The softmax subtracts each row's maximum: does a row of scores have "
    "nothing but -∞?",
    "div": "0 / 0 and ∞ / ∞ are NaN.",
    "log": "The logarithm of a negative number is NaN.",
}


def with_origin_of_nan(wrong: Wrong, function: Callable, *arguments: Any) -> Wrong:
    """The same failure; if values are NaN for no known cause, with the line that makes the first.

    Args:
        wrong: the failure.
        function: the learner's. It is run again, one operation at a time.
        arguments: what it is called with, in the first case.
    """
    if wrong.diagnosis or wrong.parts["reason"] is not Reason.VALUES:
        return wrong
    try:
        if not any(np.isnan(leaf).any() for leaf in jax.tree.leaves(function(*copies(arguments)))):
            return wrong
        with jax.debug_nans(True), jax.disable_jit():
            function(*copies(arguments))
    except FloatingPointError as error:
        return wrong.but(advice=_origin(error) or wrong.parts["advice"])
    except Exception:  # code that runs under `jax.jit` only
        pass
    return wrong


def _origin(error: FloatingPointError) -> str:
    """The learner's line in which the NaN arose, and why it did; empty if not known."""
    why = EXPLANATIONS.get(str(error).rsplit(maxsplit=1)[-1])
    lines = [
        f"In line {number}, `{linecache.getline(frame.f_code.co_filename, number).strip()}`"
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").startswith(f"{minigpt_challenge.tasks.__name__}.")
    ]
    return f"{lines[-1]}, a NaN arises: {why}" if why and lines else ""
