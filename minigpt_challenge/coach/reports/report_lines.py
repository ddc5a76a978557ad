"""What a report says, whatever shows it: a line for each check, and each thing once."""

import re
from dataclasses import dataclass

from minigpt_challenge.coach.course.verdict import MOST_LIKELY, OTHER_VALUES, Check, Report, Verdict


@dataclass(frozen=True)
class Line:
    """One check, as it is told.

    Attributes:
        verdict: the check's.
        name: the check as a sentence.
        message: all there is to say; empty where nothing is, or it was said further up.
        said_above: whether the message was left out for that reason.
    """

    verdict: Verdict
    name: str
    message: str
    said_above: bool

    @property
    def finding(self) -> str:
        """What was asked and what was seen: the message without the likely cause."""
        return self.message.partition(MOST_LIKELY)[0].rstrip()

    @property
    def cause(self) -> str:
        """The likely cause, empty where none is claimed."""
        return self.message.partition(MOST_LIKELY)[2]


def report_lines(report: Report) -> tuple[Line, ...]:
    """A line for each check, in the suite's order."""
    lines, said = [], {""}
    for check in report.checks:
        gist = _gist(check)
        message = "" if gist in said else check.message
        said_above = bool(gist) and gist in said
        lines.append(Line(check.verdict, in_words(check.name), message, said_above))
        said.add(gist)
    return tuple(lines)


def so_far(report: Report) -> str:
    """The verdict in words; what is half written is begun, and that is said."""
    passed = sum(check.verdict is Verdict.PASSED for check in report.checks)
    if report.verdict is Verdict.NOT_STARTED and passed:
        return f"begun, {passed} of {len(report.checks)} checks passed"
    return report.verdict.words


def in_words(name: str) -> str:
    """The name of a check as a sentence: `three_steps_equal[Adam]` is "three steps equal, Adam"."""
    return name.replace("_", " ").replace("[", ", ").removesuffix("]")


def _gist(check: Check) -> str:
    """What need not be said twice: the same diagnosis, or the same words with other numbers."""
    if check.diagnosis:
        return " ".join(check.diagnosis)
    if OTHER_VALUES in check.message:
        return OTHER_VALUES
    return re.sub(r"\d+", "", check.message.split("\n")[0])
