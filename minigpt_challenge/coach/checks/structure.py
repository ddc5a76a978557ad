"""What kind of value the learner's code returned: an array, its shape and dtype, a pair."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks.failure import Wrong

ARRAY = jax.Array | np.ndarray | np.generic


def not_none(seen: Any, label: str) -> Any:
    """`seen` is not None. Returns it."""
    if seen is None:
        raise Wrong(
            f"{label.rstrip(',')} is None.",
            advice="Is a `return` missing?",
            about=f"the return value of {label}",
        )
    return seen


def array(seen: Any, shape: tuple[int, ...], axes: Sequence[str], label: str) -> np.ndarray:
    """`seen` is an array of this shape. Returns it as a NumPy array.

    Args:
        seen: what the learner's code returned.
        shape: the shape asked for.
        axes: a name for each axis, e.g. "BTC" or ("B", "T", "N·H").
        label: what was called, for the message.
    """
    not_none(seen, label)
    if not isinstance(seen, ARRAY | float | int):
        raise Wrong(
            f"It is {_kind(seen)}.",
            asked=f"{label} should be an array.",
            about=f"the type of {label}",
        )
    seen = np.asarray(seen)
    if seen.shape != shape:
        same_sizes = sorted(seen.shape) == sorted(shape)
        raise Wrong(
            f"It has the shape {seen.shape}.",
            asked=f"{label} should have the shape {_named(shape, axes)}.",
            advice="The sizes are right but in another order: is an axis transposed?"
            if same_sizes
            else "",
            about=f"the shape of {label}",
        )
    return seen


def integers(
    seen: Any, shape: tuple[int, ...], label: str, axes: Sequence[str] = "ij"
) -> np.ndarray:
    """`seen` is an array of integers of this shape. Returns it as int32."""
    seen = array(seen, shape, axes[: len(shape)], label)
    if not np.issubdtype(seen.dtype, np.integer):
        raise Wrong(
            f"It is {seen.dtype}.",
            asked=f"{label} should be integers.",
            about=f"the dtype of {label}",
        )
    return seen.astype(np.int32)


def dtype(seen: np.ndarray, expected: Any, label: str) -> np.ndarray:
    """`seen` has this dtype. Returns it."""
    if seen.dtype != expected:
        raise Wrong(
            f"It is {seen.dtype}.",
            asked=f"{label} should be {np.dtype(expected)}.",
            about=f"the dtype of {label}",
        )
    return seen


def float32_params(params: Any) -> None:
    """Every array in this pytree of parameters, or of their shapes, is float32."""
    for leaf in jax.tree.leaves(params):
        if leaf.dtype != np.float32:
            raise Wrong(
                f"One of shape {leaf.shape} is {leaf.dtype}.",
                asked="Every parameter should be float32.",
                about="the dtype of the parameters",
            )


def pair(seen: Any, label: str, first: type) -> tuple:
    """`seen` is a tuple of two values, the first of this type. Returns it."""
    not_none(seen, label)
    if not isinstance(seen, tuple) or len(seen) != 2:
        raise Wrong(
            f"It returned {_kind(seen)}.",
            asked=f"{label} should return two values.",
            about=f"the return value of {label}",
        )
    if not isinstance(seen[0], first):
        raise Wrong(
            f"It returned {_kind(seen[0])} first.",
            asked=f"{label} should return a {first.__name__} first.",
            about=f"the first value that {label} returns",
        )
    return seen


def _kind(value: Any) -> str:
    if isinstance(value, ARRAY):
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return f"a {type(value).__name__}"


def _named(shape: tuple[int, ...], axes: Sequence[str]) -> str:
    return f"({', '.join(axes)}) = {shape}" if axes else "() (a scalar)"
