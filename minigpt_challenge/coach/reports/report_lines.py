"""The lines of a report, in a terminal or on a page: no message twice.

Checks that failed like one above them have no line of their own.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from minigpt_challenge.coach.course.verdict import Check, Reason, Report, Verdict, overall

MAX_PRINTED = 20  # lines

# By the reason why a check failed, what one other check, and what several have in common with it.
HOW_OTHERS_FAIL: dict[Reason | None, tuple[str, str]] = {
    Reason.VALUES: (
        "In 1 other check values differ, too",
        "In {} other checks values differ, too",
    ),
    Reason.UNWRITTEN: ("1 other check waits for it, too", "{} other checks wait for it, too"),
    Reason.ERROR: ("1 other check stops there, too", "{} other checks stop there, too"),
    Reason.NOT_REACHED: (
        "1 other check was not reached either",
        "{} other checks were not reached either",
    ),
}
IN_THE_SAME_WAY = (
    "1 other check fails in the same way",
    "{} other checks fail in the same way",
)


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
        kind = self.check.reason
        if self.check.diagnosis or kind is Reason.ERROR and not self.check.where:
            kind = None
        one, several = HOW_OTHERS_FAIL.get(kind, IN_THE_SAME_WAY)
        number = len(self.repeats)
        return one if number == 1 else several.format(number) if number else ""


def report_lines(report: Report) -> tuple[Line, ...]:
    """A line for each check that passed, and one for each way to fail, in the suite's order."""
    groups: dict[Hashable, list[Check]] = {}
    for check in report.checks:
        alone = check.name, None  # equal to no failure
        groups.setdefault(_failure(check) or alone, []).append(check)
    first_failed = next(filter(_failure, report.checks), None)
    return tuple(_line(checks, first_failed) for checks in groups.values())


def _line(checks: list[Check], first_failed: Check | None) -> Line:
    """The line of checks that failed alike: of one that an error stopped, if there is any."""
    stopped = (check for check in checks if check.reason is Reason.ERROR)
    shown = next(stopped, checks[0])
    return Line(
        shown,
        tuple(check.name for check in checks if check is not shown),
        _last_lines(first_failed.printed) if first_failed and first_failed in checks else "",
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
    # Stopped there, or wrong because of it and with nothing else to say.
    if check.where and check.raised and (check.reason is Reason.ERROR or not check.advice):
        return Reason.ERROR, check.where
    # Where an endless loop is interrupted is chance.
    where = None if check.reason is Reason.TIME_LIMIT else check.where
    return check.reason and (check.reason, check.about, where)
