"""The lines of a report, in a terminal or on a page: no message twice.

Checks that failed like one above them have no line of their own.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from minigpt_challenge.coach.course.verdict import Check, Reason, Report, Verdict, overall

MAX_PRINTED = 20  # lines


@dataclass(frozen=True)
class Line:
    """A check as it is shown.

    Attributes:
        check: the check's result.
        repeats: the names of the checks below it that failed in the same way.
        printed: the last lines that the code printed, for the first check that failed.
    """

    check: Check
    repeats: tuple[str, ...] = ()
    printed: str = ""

    @property
    def name(self) -> str:
        return readable_name(self.check.name)

    @property
    def message(self) -> str:
        return "\n".join(filter(None, [self.check.message, self.printed]))

    @property
    def others(self) -> str:
        """How many other checks failed in the same way, in words; empty if none did."""
        if not self.repeats:
            return ""
        several = len(self.repeats) > 1
        checks = f"{len(self.repeats)} other check{'s' * several}"
        if self.check.reason is Reason.VALUES and not self.check.diagnosis:
            return f"In {checks} values differ, too"
        if self.check.reason is Reason.NOT_REACHED:
            return f"{checks} {'were' if several else 'was'} not reached either"
        if self.check.reason is Reason.UNWRITTEN:
            return f"{checks} wait{'' if several else 's'} for it, too"
        if self.check.reason is Reason.ERROR and self.check.where:
            return f"{checks} stop{'' if several else 's'} there, too"
        return f"{checks} fail{'' if several else 's'} in the same way"


def report_lines(report: Report) -> tuple[Line, ...]:
    """A line for each check that passed, and one for each way to fail, in the suite's order."""
    repeats: dict[Hashable, list[str]] = {}
    shown: list[Check] = []
    for check in report.checks:
        failure = _failure(check)
        if failure in repeats:
            repeats[failure].append(check.name)
            continue
        shown.append(check)
        if failure is not None:
            repeats[failure] = []
    first = next((check for check in shown if _failure(check) is not None), None)
    return tuple(
        Line(
            check,
            tuple(repeats.get(_failure(check), ())),
            _last_lines(check.printed) if check is first else "",
        )
        for check in shown
    )


def root_cause(lines: Iterable[Line]) -> Line | None:
    """The failure to read first; None if there is none.

    It is the first that decides the verdict, or rather the first of these whose cause is known. A
    check that calls an error wrong, where another check was stopped by that error, comes after it.
    """
    failures = [line for line in lines if line.message]
    stopped_by = {line.check.raised for line in failures if line.check.reason is Reason.ERROR}
    own = [
        line
        for line in failures
        if line.check.reason is Reason.ERROR
        or not line.check.raised
        or line.check.raised not in stopped_by
    ]
    verdict = overall(line.check for line in own)
    decisive = [line for line in own if line.check.verdict is verdict]
    return next((line for line in decisive if line.check.cause), next(iter(decisive), None))


def headline(report: Report) -> str:
    """The verdict in words; "begun" instead of "not started" if some checks pass."""
    if report.verdict is Verdict.NOT_STARTED and report.num_passed:
        return f"begun, {report.num_passed} of {len(report.checks)} checks passed"
    return report.verdict.words


def readable_name(name: str) -> str:
    """The check's name in words: "three steps equal, Adam" for `three_steps_equal[Adam]`."""
    return name.replace("_", " ").replace("[", ", ").removesuffix("]")


def _last_lines(printed: str) -> str:
    lines = printed.rstrip().splitlines()
    if not lines:
        return ""
    cut = [f"    … {len(lines) - MAX_PRINTED} lines before …"] if len(lines) > MAX_PRINTED else []
    return "\n".join(
        ["Your code printed:", *cut, *(f"    {line}" for line in lines[-MAX_PRINTED:])]
    )


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
