"""What a report shows, in a terminal or as a page: a line for each check, and each thing once."""

from collections.abc import Hashable
from dataclasses import dataclass

from minigpt_challenge.coach.course.verdict import Check, Reason, Report, Verdict


@dataclass(frozen=True)
class Line:
    """One check as it is shown.

    Attributes:
        check: the check.
        repeats: whether it failed as a check above it did, so that only its name is shown.
    """

    check: Check
    repeats: bool

    @property
    def name(self) -> str:
        return sentence(self.check.name)

    @property
    def message(self) -> str:
        return "" if self.repeats else self.check.message


def report_lines(report: Report) -> tuple[Line, ...]:
    """A line for each check, in the suite's order."""
    lines, shown = [], set()
    for check in report.checks:
        failure = _failure(check)
        lines.append(Line(check, repeats=failure in shown))
        if failure is not None:
            shown.add(failure)
    return tuple(lines)


def headline(report: Report) -> str:
    """The verdict in words; a task of which some checks pass is begun."""
    if report.verdict is Verdict.NOT_STARTED and report.num_passed:
        return f"begun, {report.num_passed} of {len(report.checks)} checks passed"
    return report.verdict.words


def sentence(name: str) -> str:
    """A check's name in words: `three_steps_equal[Adam]` is "three steps equal, Adam"."""
    return name.replace("_", " ").replace("[", ", ").removesuffix("]")


def _failure(check: Check) -> Hashable:
    """What is shown once only; None for a check that passed.

    That values differ is shown once, wherever they do: the first place is enough to start from.
    """
    if check.diagnosis:
        return check.diagnosis
    if check.reason is Reason.VALUES:
        return Reason.VALUES
    return check.reason and (check.reason, check.about, check.where)
