"""Reading what JAX made of a function."""

from collections.abc import Callable
from typing import Any

import jax


def count_primitive(name: str, function: Callable, *arguments: Any) -> int:
    """How often the primitive stands in the function's jaxpr, inner jaxprs included.

    A loop's body counts as often as it is written, a `lax.scan`'s as often as it runs.
    """
    return _count(name, jax.make_jaxpr(function)(*arguments).jaxpr)


def _count(name: str, jaxpr: Any) -> int:
    found = 0
    for equation in jaxpr.eqns:
        found += equation.primitive.name == name
        repeats = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                found += repeats * _count(name, getattr(inner, "jaxpr", inner))
    return found


def _is_jaxpr(value: Any) -> bool:
    return hasattr(value, "eqns")
