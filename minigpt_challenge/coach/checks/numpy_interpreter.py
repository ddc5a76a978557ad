"""Run traced functions with NumPy instead of XLA, which saves the time to compile them.

The checks' arrays are tiny and the learner's code changes from run to run, so compiling would take
longer than anything else: a hundred times as long for the gradients of a small GPT. Operations
that are not implemented here are run by JAX.

The environment variable MINIGPT_INTERPRETER chooses: "numpy" (the default), or "xla" to run
everything through `jax.jit`, e.g. to find out whether a difference comes from this file.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from minigpt_challenge.coach.checks.param_trees import Model
from minigpt_challenge.coach.runtime.reference_cache import cached
from minigpt_challenge.errors import UserError

Array = Any  # NumPy's or JAX's; keys are JAX's
Shape = Sequence[int]
INTERPRETER = "MINIGPT_INTERPRETER"  # the environment variable
INTERPRETERS = ("numpy", "xla")


def traced(function: Callable) -> Callable:
    """The function, traced once for each shape and dtype like under `jax.jit`, run by NumPy.

    A function that cannot be traced raises the same error as under `jax.jit`. The result may be
    differentiated or traced again, which does not run the function's own code again.

    Raises:
        UserError: when called, if MINIGPT_INTERPRETER has an unknown value.
    """
    jitted = jax.jit(function)

    def run(*arguments: Any) -> Any:
        if _interpreter() == "xla":
            return jitted(*arguments)
        trace, leaves = jitted.trace(*arguments), jax.tree.leaves(arguments)
        if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            out = jaxpr_as_fun(trace.jaxpr)(*leaves)
        else:
            out = evaluate(trace.jaxpr.jaxpr, trace.jaxpr.consts, *leaves)
        return jax.tree.unflatten(jax.tree.structure(trace.out_info), out)

    return run


def _interpreter() -> str:
    """Read when a function is called, so that it can be changed at any time."""
    value = os.environ.get(INTERPRETER, "numpy")
    if value not in INTERPRETERS:
        raise UserError(f'{INTERPRETER} should be "numpy" or "xla", not "{value}".')
    return value


@cached
def traced_apply(reference: Model) -> Callable:
    """The module's traced `apply`, cached: the next check's reference is an equal module."""
    return traced(reference.apply)


def evaluate(jaxpr: Any, consts: Sequence[Array], *arguments: Array) -> list[Array]:
    """Interpret a jaxpr with NumPy.

    Args:
        jaxpr: as in `jax.make_jaxpr(f)(…).jaxpr`.
        consts: its constants, as in `jax.make_jaxpr(f)(…).consts`.
        arguments: an array for each of its inputs.

    Returns:
        an array for each of its outputs.
    """
    values: dict[Any, Array] = {}

    def write(variables: Sequence[Any], arrays: Sequence[Array]) -> None:
        for variable, array in zip(variables, arrays, strict=True):
            dtype = variable.aval.dtype  # NumPy has no dtype for JAX's keys
            is_key = jax.dtypes.issubdtype(dtype, jax.dtypes.extended)
            values[variable] = array if is_key else np.asarray(array, dtype)

    def read(atom: Any) -> Array:
        return np.asarray(atom.val, atom.aval.dtype) if hasattr(atom, "val") else values[atom]

    write(jaxpr.constvars, consts)
    write(jaxpr.invars, arguments)
    with np.errstate(all="ignore"):
        for equation in jaxpr.eqns:
            arrays = [read(atom) for atom in equation.invars]
            if inner := _inlined(equation):
                out = evaluate(*inner, *arrays)
            elif _is_known(equation):
                out = OPERATIONS[equation.primitive.name](*arrays, **equation.params)
                out = out if equation.primitive.multiple_results else [out]
            else:
                out = _by_jax(jaxpr, equation)(*map(read, _variables(equation)))
            write(equation.outvars, out)
    return [read(atom) for atom in jaxpr.outvars]


def _by_jax(jaxpr: Any, equation: Any) -> Callable:
    """This equation as a function of its variables, run by JAX."""
    alone = jaxpr.replace(
        constvars=[], invars=_variables(equation), outvars=equation.outvars, eqns=[equation]
    )
    return jaxpr_as_fun(ClosedJaxpr(alone, []))


def _variables(equation: Any) -> list[Any]:
    return list(dict.fromkeys(atom for atom in equation.invars if not hasattr(atom, "val")))


def _inlined(equation: Any) -> tuple[Any, Sequence[Array]] | None:
    """The jaxpr inside a call, and its constants, if NumPy can run all of it."""
    if equation.primitive.name not in CALLS:
        return None
    inner = equation.params.get("call_jaxpr", equation.params.get("jaxpr"))
    jaxpr, consts = getattr(inner, "jaxpr", inner), getattr(inner, "consts", ())
    known = all(_is_known(step) or _inlined(step) for step in jaxpr.eqns)
    return (jaxpr, consts) if known else None


def _is_known(equation: Any) -> bool:
    if equation.primitive.name not in OPERATIONS:
        return False
    dtypes = {atom.aval.dtype for atom in (*equation.invars, *equation.outvars)}
    return dtypes <= (ANY if equation.primitive.name in FOR_INTEGERS_TOO else FLOATS)


def _dot_general(
    left: np.ndarray, right: np.ndarray, *, dimension_numbers: Any, **_: Any
) -> np.ndarray:
    """The output's axes are the batch axes, then the free axes of `left`, then of `right`."""
    contracted, batch = dimension_numbers
    mine = list(range(left.ndim))
    theirs = list(range(left.ndim, left.ndim + right.ndim))
    for pairs in (contracted, batch):
        for a, b in zip(*pairs, strict=True):
            theirs[b] = mine[a]
    out = [mine[a] for a in batch[0]]
    out += [axis for axis in mine if axis not in theirs]
    out += [axis for axis in theirs if axis not in mine]
    return np.einsum(left, mine, right, theirs, out)


def _broadcast_in_dim(
    x: np.ndarray, *, shape: Shape, broadcast_dimensions: Shape, **_: Any
) -> np.ndarray:
    sizes = dict(zip(broadcast_dimensions, x.shape, strict=True))
    return np.broadcast_to(x.reshape([sizes.get(axis, 1) for axis in range(len(shape))]), shape)


def _reshape(x: np.ndarray, *, new_sizes: Shape, dimensions: Shape | None, **_: Any) -> np.ndarray:
    return (x if dimensions is None else x.transpose(dimensions)).reshape(new_sizes)


def _iota(*, shape: Shape, dimension: int, dtype: Any, **_: Any) -> np.ndarray:
    sizes = [1] * len(shape)
    sizes[dimension] = shape[dimension]
    return np.broadcast_to(np.arange(shape[dimension], dtype=dtype).reshape(sizes), shape)


def _slice(
    x: np.ndarray, *, start_indices: Shape, limit_indices: Shape, strides: Shape | None
) -> np.ndarray:
    strides = strides or (1,) * x.ndim
    return x[tuple(map(slice, start_indices, limit_indices, strides))]


def _split(x: np.ndarray, *, sizes: Shape, axis: int) -> list[np.ndarray]:
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def _lowest(x: np.ndarray) -> float:
    """The maximum of no values: -∞ in the dtype of x."""
    return x.dtype.type(-np.inf)


def _plain(function: Callable) -> Callable:
    """For an operation whose parameters are only hints to XLA."""
    return lambda *arrays, **_: function(*arrays)


CALLS = {"jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "checkpoint"}
FLOATS = {np.dtype("float32"), np.dtype("bool")}
ANY = FLOATS | {np.dtype("int32"), np.dtype("uint32")}

MOVES: dict[str, Callable] = {
    "broadcast_in_dim": _broadcast_in_dim,
    "concatenate": lambda *arrays, dimension: np.concatenate(arrays, dimension),
    "copy": _plain(np.array),
    "iota": _iota,
    "reshape": _reshape,
    "select_n": lambda index, *cases: np.choose(index.astype(int), cases, mode="clip"),
    "slice": _slice,
    "split": _split,
    "squeeze": lambda x, *, dimensions: x.squeeze(tuple(dimensions)),
    "transpose": lambda x, *, permutation: x.transpose(permutation),
}
COMPARISONS: dict[str, Callable] = {
    "eq": _plain(np.equal),
    "ge": _plain(np.greater_equal),
    "gt": _plain(np.greater),
    "le": _plain(np.less_equal),
    "lt": _plain(np.less),
    "ne": _plain(np.not_equal),
}
ARITHMETIC: dict[str, Callable] = {
    "abs": _plain(np.abs),
    "add": _plain(np.add),
    "add_any": _plain(np.add),
    "and": _plain(np.bitwise_and),
    "convert_element_type": lambda x, *, new_dtype, **_: x.astype(new_dtype),
    "div": _plain(np.divide),
    "dot_general": _dot_general,
    "exp": _plain(np.exp),
    "integer_pow": lambda x, *, y: x**y,
    "is_finite": _plain(np.isfinite),
    "log": _plain(np.log),
    "max": _plain(np.maximum),
    "min": _plain(np.minimum),
    "mul": _plain(np.multiply),
    "neg": _plain(np.negative),
    "not": _plain(np.logical_not),
    "or": _plain(np.bitwise_or),
    "reduce_max": lambda x, *, axes, **_: np.max(x, tuple(axes), initial=_lowest(x)),
    "reduce_min": lambda x, *, axes, **_: np.min(x, tuple(axes), initial=-_lowest(x)),
    "reduce_sum": lambda x, *, axes, **_: x.sum(tuple(axes)),
    "rsqrt": lambda x, **_: 1 / np.sqrt(x),
    "sqrt": _plain(np.sqrt),
    "square": _plain(np.square),
    "stop_gradient": _plain(np.array),
    "sub": _plain(np.subtract),
    "tanh": _plain(np.tanh),
}
OPERATIONS = MOVES | COMPARISONS | ARITHMETIC
# Division and conversion of integers follow other rules than NumPy's.
FOR_INTEGERS_TOO = MOVES.keys() | COMPARISONS.keys() | {"add", "mul", "sub"}
