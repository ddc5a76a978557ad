"""What a check expects, and how it fails.

A failure says what was asked and what was seen: shapes side by side, the first place that
differs, by how much, in the learner's own numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Suspects, diagnose, explain
from minigpt_challenge.coach.checks.tolerance import differs
from minigpt_challenge.coach.course.verdict import CAUSE, Reason, join
from minigpt_challenge.coach.runtime.error_text import in_one_line

ARRAY = jax.Array | np.ndarray | np.generic


class Wrong(AssertionError):
    """The learner's code ran, and gave something other than what was asked.

    Attributes:
        seen: what was seen, in a sentence.
        asked: what was asked for, in a sentence.
        advice: how to find or fix it.
        cause: the likely cause; empty where none is claimed.
        diagnosis: the ids of the faults that make up the cause.
        about: what the failure is about; failures about the same thing are printed once.
        reason: whether values differ, or something else that was asked for does not hold.
    """

    def __init__(
        self,
        seen: str,
        *,
        asked: str = "",
        advice: str = "",
        cause: str = "",
        diagnosis: tuple[str, ...] = (),
        about: str = "",
        reason: Reason = Reason.REQUIREMENT,
    ):
        self.parts: dict[str, Any] = {
            "asked": asked,
            "seen": seen,
            "advice": advice,
            "cause": cause,
            "diagnosis": diagnosis,
            "about": about or join(asked, seen),
            "reason": reason,
        }
        lines = [join(asked, seen), advice, cause and f"{CAUSE}{cause}"]
        super().__init__("\n".join(filter(None, lines)))

    @property
    def diagnosis(self) -> tuple[str, ...]:
        return self.parts["diagnosis"]

    def but(self, **parts: Any) -> Wrong:
        """The same failure with some of its parts replaced."""
        return Wrong(**(self.parts | parts))


def something(seen: Any, label: str) -> Any:
    """`seen` is not None. Returns it."""
    if seen is None:
        raise Wrong(f"{label} returned None.", advice="Is a `return` missing?")
    return seen


def array(seen: Any, shape: tuple[int, ...], axes: Sequence[str], label: str) -> np.ndarray:
    """`seen` is an array of this shape. Returns it as NumPy's.

    Args:
        seen: what the learner's code returned.
        shape: the shape asked for.
        axes: a name for each axis, e.g. "BTC" or ("B", "T", "N·H").
        label: what was called, for the message.
    """
    something(seen, label)
    if not isinstance(seen, ARRAY | float | int):
        raise Wrong(f"It is {_kind(seen)}.", asked=f"{label} should be an array.")
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


def integers(seen: Any, shape: tuple[int, ...], label: str) -> np.ndarray:
    """`seen` is an array of this shape, of integers. Returns it as int32."""
    seen = array(seen, shape, "ij"[: len(shape)], label)
    if not np.issubdtype(seen.dtype, np.integer):
        raise Wrong(f"It is {seen.dtype}.", asked=f"{label} should be integers.")
    return seen.astype(np.int32)


def dtype(seen: np.ndarray, expected: Any, label: str) -> np.ndarray:
    """`seen` has this dtype. Returns it."""
    if seen.dtype != expected:
        raise Wrong(f"It is {seen.dtype}.", asked=f"{label} should be {np.dtype(expected)}.")
    return seen


def equal(
    seen: Any,
    expected: Any,
    axes: Sequence[str],
    label: str,
    evidence: Sequence[tuple[Any, Suspects]] = (),
) -> None:
    """`seen` equals `expected`: shape, kind of number, every value.

    Args:
        seen: what the learner's code returned.
        expected: what the reference returned.
        axes: a name for each axis, e.g. "BTC" or ("B", "T", "N·H").
        label: what was called, for the message.
        evidence: in which the likely cause of a difference is looked for, as in `trees_equal`.
    """
    if wrong := _difference(seen, np.asarray(expected), axes, label):
        raise explained(wrong, evidence)


def all_equal(cases: Iterable[tuple[Any, Any, Suspects]], axes: Sequence[str], label: str) -> None:
    """As `equal`, for several settings; and where one differs, the likely cause is looked for.

    Args:
        cases: for each setting what was seen, what was expected, and the mistakes that may explain
            a difference. A set of mistakes must explain what was seen in every setting.
        axes: a name for each axis, e.g. "BTC" or ("B", "T", "N·H").
        label: what was called, for the message.
    """
    wrong, evidence = None, []
    try:
        for seen, expected, suspects in cases:
            evidence.append((seen, suspects))
            if wrong is None:
                wrong = _difference(seen, np.asarray(expected), axes, label)
    except Exception:
        if wrong is None:
            raise
        evidence = []  # what no longer ran cannot be explained
    if wrong:
        raise explained(wrong, evidence)


def same_function(
    mine: Callable,
    theirs: Callable,
    cases: Iterable[tuple],
    axes: Sequence[str],
    label: str,
    suspects: Callable[..., Suspects] | None = None,
) -> None:
    """`mine` returns what `theirs` returns, in every case; if not, the likely cause is looked for.

    Args:
        mine: the learner's function.
        theirs: the reference's.
        cases: for each case the arguments of both.
        axes: a name for each axis of the result, e.g. "BTC" or ("B", "T", "N·H").
        label: what was called, for the message.
        suspects: from the same arguments to the mistakes that may explain a difference.
    """
    look_for = suspects or (lambda *_: Suspects((), lambda _: None))
    all_equal(((mine(*case), theirs(*case), look_for(*case)) for case in cases), axes, label)


def explained(wrong: Wrong, evidence: Sequence[tuple[Any, Suspects]]) -> Wrong:
    """The same failure with its likely cause, where the evidence gives one."""
    faults = diagnose(evidence)
    return wrong.but(cause=explain(faults), diagnosis=tuple(fault.id for fault in faults))


def _difference(seen: Any, expected: np.ndarray, axes: Sequence[str], label: str) -> Wrong | None:
    try:
        _equal(seen, expected, axes, label)
    except Wrong as wrong:
        return wrong
    return None


def _equal(seen: Any, expected: np.ndarray, axes: Sequence[str], label: str) -> None:
    seen = dtype(array(seen, expected.shape, axes, label), expected.dtype, label)
    different = differs(seen, expected)
    if not different.any():
        return
    if different.ndim == 0:
        raise Wrong(
            f"It is {seen:.6g}.",
            asked=f"{label} should be {expected:.6g}.",
            about=label,
        )
    share = f"{int(different.sum())} of {different.size} values differ"
    if np.isnan(seen).any():
        different = np.isnan(seen)
        share = f"{int(different.sum())} of {seen.size} values are NaN"
    first = tuple(int(i) for i in np.argwhere(different)[0])
    place = ", ".join(f"{axis}={i}" for axis, i in zip(axes, first, strict=True))
    raise Wrong(
        f"{share}. The first is at [{place}]: it is {seen[first]:.6g}, and should be "
        f"{expected[first]:.6g}.",
        asked=f"{label} should have the expected values.",
        about=label,
        reason=Reason.VALUES,
    )


def pair(seen: Any, label: str, first: type) -> tuple:
    """`seen` is a tuple of two, the first of them of this type. Returns it."""
    something(seen, label)
    if not isinstance(seen, tuple) or len(seen) != 2:
        raise Wrong(f"It returned {_kind(seen)}.", asked=f"{label} should return two things.")
    if not isinstance(seen[0], first):
        raise Wrong(
            f"It returned {_kind(seen[0])} first.",
            asked=f"{label} should return a {first.__name__} first.",
        )
    return seen


def trees_equal(
    seen: Any, expected: Any, label: str, evidence: Sequence[tuple[Any, Suspects]] = ()
) -> None:
    """Two pytrees have the same leaves: names, shapes and values.

    Args:
        seen: what came out of the learner's code.
        expected: what came out of the reference.
        label: what was called, for the message.
        evidence: in which the likely cause of a difference is looked for: what was seen in each
            setting, and the mistakes that may explain it.
    """
    try:
        _trees_equal(seen, expected, label)
    except Wrong as wrong:
        raise explained(wrong, evidence) from None


def _trees_equal(seen: Any, expected: Any, label: str) -> None:
    seen_leaves = dict(_leaves(seen))
    expected_leaves = dict(_leaves(expected))
    missing = expected_leaves.keys() - seen_leaves.keys()
    surplus = seen_leaves.keys() - expected_leaves.keys()
    if missing or surplus:
        raise Wrong(
            f"It has the leaves {_listed(seen_leaves)}.",
            asked=f"{label} should have the leaves {_listed(expected_leaves)}.",
            about=f"the leaves of {label}",
        )
    for path, leaf in expected_leaves.items():
        axes = "ijklmn"[: np.ndim(leaf)]
        equal(seen_leaves[path], leaf, axes, f"{label}, in {path},")


def raises(error: type[Exception], call: Callable, label: str, why: str) -> None:
    """`call()` raises an error of this type.

    Args:
        error: the type asked for.
        call: what to call.
        label: what is called, for the message.
        why: why it should be refused, in words.
    """
    article = "an" if error.__name__[0] in "AEIOU" else "a"
    asked = f"{label} should raise {article} {error.__name__}, because {why}."
    try:
        seen = call()
    except error:
        return
    except NotImplementedError:
        raise
    except Exception as other:
        raise Wrong(f"It raised {in_one_line(other)}", asked=asked, about=asked) from other
    shape = f" of shape {seen.shape}" if hasattr(seen, "shape") else ""
    raise Wrong(f"It returned a value{shape} instead.", asked=asked, about=asked)


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
