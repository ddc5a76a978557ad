"""Count the operations in a function's jaxpr."""

from collections.abc import Callable
from typing import Any

import jax

MARK = "reduce_precision"
JIT = ("jit", "pjit")  # both names of the primitive


def count_primitive(name: str, function: Callable, *arguments: Any) -> int:
    """How often the primitive occurs in the function's jaxpr, inner jaxprs included.

    The body of a `lax.scan` counts once for each iteration, that of another loop once.
    """
    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    return _count(jaxpr, lambda primitive: primitive == name)


def count_uncompiled(name: str, function: Callable, *arguments: Any) -> int:
    """As `count_primitive`, outside of every `jax.jit`, where operations run one by one."""
    if hasattr(function, "lower"):  # itself jitted; with inline=True its jaxpr would not show it
        return 0
    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    return _count(jaxpr, lambda primitive: primitive == name, closed=JIT)


def is_compiled_within(name: str, function: Callable, *arguments: Any) -> bool:
    """Whether the primitive occurs, and only under a `jax.jit` inside of the function.

    False for a function that is itself jitted, and for one that cannot be traced.
    """
    if hasattr(function, "lower"):
        return False
    try:
        return bool(count_primitive(name, function, *arguments)) and not count_uncompiled(
            name, function, *arguments
        )
    except Exception:  # e.g. from `float(loss)`, which needs a value
        return False


def marked(tree: Any) -> Any:
    """The same float32 numbers, passed through MARK, which no other code leaves in a jaxpr."""
    return jax.tree.map(lambda leaf: jax.lax.reduce_precision(leaf, 8, 23), tree)


def count_equations(function: Callable, *arguments: Any) -> int:
    """How many operations the function's jaxpr has, counted like `count_primitive`."""
    return _count(jax.make_jaxpr(function)(*arguments).jaxpr, lambda primitive: True)


def _count(jaxpr: Any, wanted: Callable[[str], bool], closed: tuple[str, ...] = ()) -> int:
    found = 0
    for equation in jaxpr.eqns:
        primitive = equation.primitive.name
        found += wanted(primitive)
        if primitive in closed:
            continue
        repeats = equation.params.get("length", 1) if primitive == "scan" else 1
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                found += repeats * _count(getattr(inner, "jaxpr", inner), wanted, closed)
    return found


def _is_jaxpr(value: Any) -> bool:
    return hasattr(value, "eqns")
