"""What a check expects of the learner's code.

A failure reports what was asked and what was seen: both shapes, the first place that differs, and
both values there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Suspects
from minigpt_challenge.coach.checks.failure import Wrong, explained
from minigpt_challenge.coach.checks.not_a_number import with_origin_of_nan
from minigpt_challenge.coach.checks.structure import (
    array,
    dtype,
    float32_params,
    integers,
    not_none,
    pair,
)
from minigpt_challenge.coach.checks.tolerance import differs
from minigpt_challenge.coach.course.verdict import Reason
from minigpt_challenge.coach.runtime.error_text import in_one_line
from minigpt_challenge.given.copies import copies

__all__ = [
    "Wrong",
    "all_equal",
    "array",
    "dtype",
    "equal",
    "explained",
    "float32_params",
    "integers",
    "not_none",
    "pair",
    "raises",
    "same_function",
    "trees_equal",
]

NO_SUSPECTS = Suspects((), lambda _: None)

# What was seen, what was expected, and the mistakes that may explain a difference.
Case = tuple[Any, Any, Suspects]


def equal(
    seen: Any,
    expected: Any,
    axes: Sequence[str],
    label: str,
    evidence: Sequence[tuple[Any, Suspects]] = (),
) -> None:
    """`seen` equals `expected`: shape, dtype, every value.

    Args:
        seen: what the learner's code returned.
        expected: what the reference returned.
        axes: a name for each axis, e.g. "BTC" or ("B", "T", "N·H").
        label: what was called, for the message.
        evidence: for the likely cause of a difference, as in `trees_equal`.
    """
    if wrong := _difference(seen, np.asarray(expected), axes, label):
        raise explained(wrong, evidence)


def same_function(
    mine: Callable,
    theirs: Callable,
    cases: Iterable[tuple],
    axes: Sequence[str],
    label: str,
    suspects: Callable[..., Suspects] | None = None,
) -> None:
    """`mine` returns what `theirs` returns, in every case. If not, report the likely cause.

    Args:
        mine: the learner's function.
        theirs: the reference's.
        cases: for each case the arguments of both, e.g. [(params, x)].
        axes: a name for each axis of the result, e.g. "BTC" or ("B", "T", "N·H").
        label: what was called, for the message.
        suspects: from the same arguments to the mistakes that may explain a difference. One set of
            mistakes must explain all cases.
    """
    suspects, cases = suspects or (lambda *_: NO_SUSPECTS), list(cases)

    def results() -> Iterator[tuple[Any, Any, Suspects]]:
        for case in cases:
            # The learner's function comes last: it may change what it is given, or donate it.
            explanations, expected = suspects(*case), theirs(*case)
            yield mine(*copies(case)), expected, explanations

    try:
        all_equal(results(), axes, label)
    except Wrong as wrong:
        raise with_origin_of_nan(wrong, mine, *cases[0]) from wrong.__cause__


def all_equal(
    cases: Iterable[Case],
    axes: Sequence[str],
    label: str,
    elsewhere: Iterable[Callable[[], Iterable[Case]]] = (),
) -> None:
    """As `same_function`, for values that have been computed already.

    Args:
        cases: what is compared.
        axes: a name for each axis, e.g. "BTC" or ("B", "T", "N·H").
        label: what was called, for the message.
        elsewhere: functions that give the cases of other checks on the same code. They are called
            after a difference: a mistake has to explain those cases, too.
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
        evidence = []  # a case that raises an error cannot be explained
    if wrong:
        raise explained(wrong, evidence and [*evidence, *_evidence_of(elsewhere)])


def _evidence_of(checks: Iterable[Callable[[], Iterable[Case]]]) -> list[tuple[Any, Suspects]]:
    """What was seen in other checks, without those that raise an error, which is their finding."""
    evidence = []
    for cases in checks:
        with suppress(Exception):
            for seen, _, suspects in cases():
                evidence.append((seen, suspects))
    return evidence


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


def trees_equal(
    seen: Any,
    expected: Any,
    label: str,
    evidence: Sequence[tuple[Any, Suspects]] = (),
    elsewhere: Iterable[Callable[[], Iterable[Case]]] = (),
) -> None:
    """Two pytrees have the same leaves: names, shapes and values.

    Args:
        seen: what the learner's code returned.
        expected: what the reference returned.
        label: what was called, for the message.
        evidence: what was seen in each case, and the mistakes that may explain it.
        elsewhere: as in `all_equal`.
    """
    try:
        _trees_equal(seen, expected, label)
    except Wrong as wrong:
        raise explained(wrong, [*evidence, *_evidence_of(elsewhere)]) from None


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
        equal(seen_leaves[path], leaf, axes, f"{label.rstrip(',')}, in {path},")


def raises(error: type[Exception], call: Callable, label: str, why: str, about: str = "") -> None:
    """`call()` raises an error of this type.

    Args:
        error: the type asked for.
        call: what to call.
        label: what is called, for the message.
        why: why it should raise the error: the end of a sentence.
        about: what a failure is about, without numbers; the label if left out.
    """
    article = "an" if error.__name__[0] in "AEIOU" else "a"
    asked = f"{label} should raise {article} {error.__name__}, because {why}."
    about = about or label
    try:
        seen = call()
    except error:
        return
    except NotImplementedError:
        raise
    except Exception as other:
        raise Wrong(f"It raised {in_one_line(other)}", asked=asked, about=about) from other
    shape = f" of shape {seen.shape}" if hasattr(seen, "shape") else ""
    raise Wrong(f"It returned a value{shape} instead.", asked=asked, about=about)


def _leaves(tree: Any) -> list[tuple[str, Any]]:
    flat, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in flat]


def _listed(leaves: dict[str, Any]) -> str:
    return ", ".join(f"{path} {np.shape(leaf)}" for path, leaf in leaves.items()) or "nothing"
