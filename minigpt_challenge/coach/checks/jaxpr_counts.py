"""Reading what JAX made of a function."""

from collections.abc import Callable
from typing import Any

import jax

MARK = "reduce_precision"
JIT = ("jit", "pjit")  # the primitive, under its names


def count_primitive(name: str, function: Callable, *arguments: Any) -> int:
    """How often the primitive stands in the function's jaxpr, inner jaxprs included.

    A loop's body counts as often as it is written, a `lax.scan`'s as often as it runs.
    """
    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    return _count(jaxpr, lambda primitive: primitive == name)


def count_uncompiled(name: str, function: Callable, *arguments: Any) -> int:
    """The same outside of every `jax.jit`, where operations run one by one."""
    if hasattr(function, "lower"):  # it is jitted itself, perhaps with inline=True, and then
        return 0  # there is nothing to be seen of that in a jaxpr
    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    return _count(jaxpr, lambda primitive: primitive == name, closed=JIT)


def is_compiled_within(name: str, function: Callable, *arguments: Any) -> bool:
    """Whether the primitive is there, and everywhere under a `jax.jit` inside of the function.

    False for a function that is jitted itself, and for one that cannot be traced.
    """
    if hasattr(function, "lower"):
        return False
    try:
        return bool(count_primitive(name, function, *arguments)) and not count_uncompiled(
            name, function, *arguments
        )
    except Exception:  # such as at `float(loss)`, which needs a value
        return False


def marked(tree: Any) -> Any:
    """The same float32 numbers, by way of MARK, which is found nowhere else in a jaxpr."""
    return jax.tree.map(lambda leaf: jax.lax.reduce_precision(leaf, 8, 23), tree)


def count_equations(function: Callable, *arguments: Any) -> int:
    """How many operations the function's jaxpr is made of, counted likewise."""
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
