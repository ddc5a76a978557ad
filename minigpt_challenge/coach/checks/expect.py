"""What a check expects, and what it says when something else comes.

A failure says what was asked and what was seen: shapes side by side, the first place that
differs, by how much, in the learner's own numbers.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Suspects, diagnose, in_words
from minigpt_challenge.coach.checks.tolerance import differs
from minigpt_challenge.coach.course.verdict import OTHER_VALUES
from minigpt_challenge.coach.runtime.error_text import in_one_line
from minigpt_challenge.coach.runtime.limits import TookTooLong

ARRAY = jax.Array | np.ndarray | np.generic


class Wrong(AssertionError):
    """The learner's code ran, and gave something other than what was asked.

    `diagnosis` holds the ids of the faults that explain it, none where nothing is claimed.
    """

    def __init__(self, message: str, diagnosis: tuple[str, ...] = ()):
        super().__init__(message)
        self.diagnosis = diagnosis


def something(seen: Any, of: str) -> Any:
    """`seen` is not None. Returns it."""
    if seen is None:
        raise Wrong(f"{of} returned None. Is a `return` missing?")
    return seen


def array(seen: Any, shape: tuple[int, ...], axes: Sequence[str], of: str) -> np.ndarray:
    """`seen` is an array of this shape. Returns it as NumPy's.

    Args:
        seen: what the learner's code returned.
        shape: the shape asked for.
        axes: a name for each axis, e.g. "BTC" or ("B", "T", "N·H").
        of: what was called, in words.
    """
    something(seen, of)
    if not isinstance(seen, ARRAY | float | int):
        raise Wrong(f"{of} should be an array, and is {_kind(seen)}.")
    seen = np.asarray(seen)
    if seen.shape != shape:
        hint = ""
        if sorted(seen.shape) == sorted(shape):
            hint = " The sizes are right, their order is not: is an axis transposed?"
        raise Wrong(
            f"{of} should have the shape {_named(shape, axes)}, and has {seen.shape}.{hint}"
        )
    return seen


def integers(seen: Any, shape: tuple[int, ...], of: str) -> np.ndarray:
    """`seen` is an array of this shape, of integers. Returns it as int32."""
    seen = array(seen, shape, "ij"[: len(shape)], of)
    if not np.issubdtype(seen.dtype, np.integer):
        raise Wrong(f"{of} should be integers, and is {seen.dtype}.")
    return seen.astype(np.int32)


def dtype(seen: np.ndarray, expected: Any, of: str) -> np.ndarray:
    """`seen` has this dtype. Returns it."""
    if seen.dtype != expected:
        raise Wrong(f"{of} should be {np.dtype(expected)}, and is {seen.dtype}.")
    return seen


def equal(
    seen: Any,
    expected: Any,
    axes: Sequence[str],
    of: str,
    evidence: Sequence[tuple[Any, Suspects]] = (),
) -> None:
    """`seen` equals `expected`: shape, kind of number, every value.

    Args:
        seen: what the learner's code returned.
        expected: what the reference returned.
        axes: a name for each axis, e.g. "BTC" or ("B", "T", "N·H").
        of: what was called, in words.
        evidence: in which the likely cause of a difference is looked for, as in `trees_equal`.
    """
    if wrong := _difference(seen, np.asarray(expected), axes, of):
        raise explained(wrong, evidence)


def all_equal(cases: Iterable[tuple[Any, Any, Suspects]], axes: Sequence[str], of: str) -> None:
    """As `equal`, for several settings; and where one differs, the likely cause is looked for.

    Args:
        cases: for each setting what was seen, what was expected, and the mistakes that may explain
            a difference. A set of mistakes must explain what was seen in every setting.
        axes: a name for each axis, e.g. "BTC" or ("B", "T", "N·H").
        of: what was called, in words.
    """
    wrong, evidence = None, []
    try:
        for seen, expected, suspects in cases:
            evidence.append((seen, suspects))
            if wrong is None:
                wrong = _difference(seen, np.asarray(expected), axes, of)
    except TookTooLong:
        raise
    except Exception:
        if wrong is None:
            raise
        evidence = []  # what no longer ran cannot be explained
    if wrong:
        raise explained(wrong, evidence)


def explained(wrong: str, evidence: Sequence[tuple[Any, Suspects]]) -> Wrong:
    """The failure in these words, and its likely cause as far as the evidence tells."""
    faults = diagnose(evidence)
    message = f"{wrong}\n{in_words(faults)}".rstrip()
    return Wrong(message, tuple(fault.id for fault in faults))


def _difference(seen: Any, expected: np.ndarray, axes: Sequence[str], of: str) -> str | None:
    try:
        _equal(seen, expected, axes, of)
    except Wrong as wrong:
        return str(wrong)
    return None


def _equal(seen: Any, expected: np.ndarray, axes: Sequence[str], of: str) -> None:
    seen = dtype(array(seen, expected.shape, axes, of), expected.dtype, of)
    different = differs(seen, expected)
    if not different.any():
        return
    if different.ndim == 0:
        raise Wrong(f"{of} should be {expected:.6g}, and is {seen:.6g}.")
    share = f"{int(different.sum())} of {different.size} values differ"
    if np.isnan(seen).any():
        different = np.isnan(seen)
        share = f"{int(different.sum())} of {seen.size} values are NaN"
    first = tuple(int(i) for i in np.argwhere(different)[0])
    place = ", ".join(f"{axis}={i}" for axis, i in zip(axes, first, strict=True))
    raise Wrong(
        f"{of} {OTHER_VALUES}: {share}. The first is at [{place}]: "
        f"{seen[first]:.6g}, where {expected[first]:.6g} was expected."
    )


def pair(seen: Any, of: str, first: type) -> tuple:
    """`seen` is a tuple of two, the first of them of this type. Returns it."""
    something(seen, of)
    if not isinstance(seen, tuple) or len(seen) != 2:
        raise Wrong(f"{of} should return two things, and returned {_kind(seen)}.")
    if not isinstance(seen[0], first):
        raise Wrong(
            f"{of} should return a {first.__name__} first, and returned {_kind(seen[0])} first."
        )
    return seen


def trees_equal(
    seen: Any, expected: Any, of: str, evidence: Sequence[tuple[Any, Suspects]] = ()
) -> None:
    """Two pytrees have the same leaves: names, shapes and values.

    Args:
        seen: what came out of the learner's code.
        expected: what came out of the reference.
        of: what was called, in words.
        evidence: in which the likely cause of a difference is looked for: what was seen in each
            setting, and the mistakes that may explain it.
    """
    try:
        _trees_equal(seen, expected, of)
    except Wrong as wrong:
        if not evidence:
            raise
        raise explained(str(wrong), evidence) from None


def _trees_equal(seen: Any, expected: Any, of: str) -> None:
    seen_leaves = dict(_leaves(seen))
    expected_leaves = dict(_leaves(expected))
    missing = expected_leaves.keys() - seen_leaves.keys()
    surplus = seen_leaves.keys() - expected_leaves.keys()
    if missing or surplus:
        raise Wrong(
            f"{of} should be made of {_listed(expected_leaves)}, and is made of "
            f"{_listed(seen_leaves)}."
        )
    for path, leaf in expected_leaves.items():
        axes = "ijklmn"[: np.ndim(leaf)]
        equal(seen_leaves[path], leaf, axes, f"{of}, in {path},")


def raises(error: type[Exception], call: Callable, of: str, why: str) -> None:
    """`call()` raises an error of this type.

    Args:
        error: the type asked for.
        call: what to call.
        of: what is called, in words.
        why: why it should be refused, in words.
    """
    article = f"{'an' if error.__name__[0] in 'AEIOU' else 'a'} {error.__name__}"
    try:
        seen = call()
    except error:
        return
    except NotImplementedError:
        raise
    except Exception as other:
        raise Wrong(
            f"{of} should raise {article}, because {why}; it raised {in_one_line(other)}"
        ) from other
    shape = f" of shape {seen.shape}" if hasattr(seen, "shape") else ""
    raise Wrong(f"{of} should raise {article}, because {why}; it returned a value{shape} instead.")


def _kind(value: Any) -> str:
    if isinstance(value, ARRAY):
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return f"a {type(value).__name__}"


def _named(shape: tuple[int, ...], axes: Sequence[str]) -> str:
    return f"({', '.join(axes)}) = {shape}" if axes else "() (a scalar)"


def _leaves(tree: Any) -> list[tuple[str, Any]]:
    flat, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in flat]


def _listed(leaves: dict[str, Any]) -> str:
    return ", ".join(f"{path} {np.shape(leaf)}" for path, leaf in leaves.items()) or "nothing"
