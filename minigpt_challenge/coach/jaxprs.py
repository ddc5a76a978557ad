"""Reading what JAX made of a function."""

from collections.abc import Callable
from typing import Any

import jax


def count_primitive(name: str, function: Callable, *arguments: Any) -> int:
    """How often the primitive stands in the function's jaxpr, inner jaxprs included.

    A loop's body counts as often as it is written, a `lax.scan`'s as often as it runs.
    """
    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    return _count(jaxpr, lambda primitive: primitive == name)


def count_equations(function: Callable, *arguments: Any) -> int:
    """How many operations the function's jaxpr is made of, counted likewise."""
    return _count(jax.make_jaxpr(function)(*arguments).jaxpr, lambda primitive: True)


def _count(jaxpr: Any, wanted: Callable[[str], bool]) -> int:
    found = 0
    for equation in jaxpr.eqns:
        found += wanted(equation.primitive.name)
        repeats = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                found += repeats * _count(getattr(inner, "jaxpr", inner), wanted)
    return found


def _is_jaxpr(value: Any) -> bool:
    return hasattr(value, "eqns")
