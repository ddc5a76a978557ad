"""A function as `jax.jit` sees it, run without being compiled."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
from jax.extend.core import jaxpr_as_fun

from minigpt_challenge.coach.checks import numpy_interpreter
from minigpt_challenge.coach.runtime.reference_cache import kept


def traced(function: Callable) -> Callable:
    """The function, traced once for each shape and dtype as `jax.jit` does, run by NumPy.

    What cannot be traced fails as under `jax.jit`. The result may be differentiated, or traced
    again: the function's own code is not run anew for that.
    """
    jitted = jax.jit(function)

    def run(*arguments: Any) -> Any:
        trace, leaves = jitted.trace(*arguments), jax.tree.leaves(arguments)
        if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            out = jaxpr_as_fun(trace.jaxpr)(*leaves)
        else:
            out = numpy_interpreter.evaluate(trace.jaxpr.jaxpr, trace.jaxpr.consts, *leaves)
        return jax.tree.unflatten(jax.tree.structure(trace.out_info), out)

    return run


@kept
def traced_apply(reference: nn.Module) -> Callable:
    """The module's `apply`, kept: the reference of the next check is an equal module."""
    return traced(reference.apply)
