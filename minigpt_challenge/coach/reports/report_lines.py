"""The lines of a report, in a terminal or on a page: one for each check, no message twice."""

from collections.abc import Hashable
from dataclasses import dataclass

from minigpt_challenge.coach.course.verdict import Check, Reason, Report, Verdict


@dataclass(frozen=True)
class Line:
    """A check as it is shown.

    Attributes:
        check: the check's result.
        repeats: whether it failed like a check above it, so that only its name is shown.
    """

    check: Check
    repeats: bool

    @property
    def name(self) -> str:
        return readable_name(self.check.name)

    @property
    def message(self) -> str:
        return "" if self.repeats else self.check.message


def report_lines(report: Report) -> tuple[Line, ...]:
    """One line for each check, in the suite's order."""
    lines, shown = [], set()
    for check in report.checks:
        failure = _failure(check)
        lines.append(Line(check, repeats=failure in shown))
        if failure is not None:
            shown.add(failure)
    return tuple(lines)


def headline(report: Report) -> str:
    """The verdict in words; "begun" instead of "not started" if some checks pass."""
    if report.verdict is Verdict.NOT_STARTED and report.num_passed:
        return f"begun, {report.num_passed} of {len(report.checks)} checks passed"
    return report.verdict.words


def readable_name(name: str) -> str:
    """The check's name in words: "three steps equal, Adam" for `three_steps_equal[Adam]`."""
    return name.replace("_", " ").replace("[", ", ").removesuffix("]")


def _failure(check: Check) -> Hashable:
    """Equal for checks whose failure is shown only once; None for a check that passed.

    All checks in which values differ count as one failure: the first is enough to start from.
    """
    if check.diagnosis:
        return check.diagnosis
    if check.reason is Reason.VALUES:
        return Reason.VALUES
    # Where an endless loop is interrupted is chance.
    where = None if check.reason is Reason.TIME_LIMIT else check.where
    return check.reason and (check.reason, check.about, where)
