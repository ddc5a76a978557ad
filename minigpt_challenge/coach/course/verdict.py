"""The four verdicts, and the results of a task's checks as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from minigpt_challenge.coach.course.curriculum import Task

CAUSE = "Most likely: "  # introduces the cause in a message


class Verdict(StrEnum):
    """The verdict on a learner's code."""

    PASSED = "passed"
    WRONG = "wrong"
    NOT_STARTED = "not_started"
    COULD_NOT_RUN = "could_not_run"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")

    @property
    def sign(self) -> str:
        """Always shown beside the words, since some readers cannot see colors."""
        return _SIGNS[self]


_SIGNS = {
    Verdict.PASSED: "✓",
    Verdict.WRONG: "✗",
    Verdict.NOT_STARTED: "·",
    Verdict.COULD_NOT_RUN: "!",
}


class Reason(StrEnum):
    """Why a check did not pass. Code that handles results uses this and never parses messages."""

    VALUES = "values"  # numbers that differ from the expected ones
    REQUIREMENT = "requirement"  # any other property that was asked for
    UNWRITTEN = "unwritten"  # the stub's own NotImplementedError
    UNREADABLE = "unreadable"  # the file is missing, or Python cannot parse it
    ERROR = "error"  # the code raised an error
    TIME_LIMIT = "time_limit"
    PROCESS_ENDED = "process_ended"
    NOT_REACHED = "not_reached"  # an earlier check ended the process
    SUITE_FAILED = "suite_failed"  # pytest or the suite failed, not the learner's code


@dataclass(frozen=True)
class Location:
    """A line of the learner's file.

    Attributes:
        path: the name of the file.
        line: the line number, from 1.
        function: the innermost function that contains the line.
        code: the text of the line.
    """

    path: str
    line: int
    function: str
    code: str = ""


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: the name of the test function, with its parameters in brackets.
        verdict: the verdict of this check alone.
        reason: why it did not pass; None if it did.
        about: the subject of the failure. Failures with equal `reason` and `about` on the same line
            are repetitions.
        asked: what was asked for, in a sentence.
        seen: what was seen instead.
        advice: how to find or fix it.
        cause: the likely cause; empty if none is known.
        diagnosis: the ids of the faults that were recognized; `cause` explains them if the output
            is exactly theirs, else `advice` does.
        trace: the learner's lines in the traceback, the innermost last.
        skipped_frames: the number of lines that `trace` omits after the first.
        raised: the error that the code raised, in one line, also if the check calls that wrong.
        printed: what the code printed during the check.
    """

    name: str
    verdict: Verdict
    _: KW_ONLY
    reason: Reason | None = None
    about: str = ""
    asked: str = ""
    seen: str = ""
    advice: str = ""
    cause: str = ""
    diagnosis: tuple[str, ...] = ()
    trace: tuple[Location, ...] = ()
    skipped_frames: int = 0
    raised: str = ""
    printed: str = ""

    @property
    def base_name(self) -> str:
        """The name without its parameters."""
        return self.name.partition("[")[0]

    @property
    def where(self) -> Location | None:
        """The innermost of the learner's lines; None if there is none."""
        return self.trace[-1] if self.trace else None

    @property
    def finding(self) -> str:
        """What was asked and seen, the advice and the trace: the message without the cause."""
        lines = [join(self.asked, self.seen), self.advice]
        if self.reason is Reason.ERROR:  # in plain words first, then as Python says it
            lines.reverse()
        if self.reason in (Reason.ERROR, Reason.TIME_LIMIT):
            lines += [f"    {at.path}:{at.line}, in {at.function}: {at.code}" for at in self.trace]
            if self.skipped_frames:
                lines.insert(3, f"    … {self.skipped_frames} more …")
        return "\n".join(line for line in lines if line)

    @property
    def message(self) -> str:
        """The whole message; empty for a check that passed."""
        return "\n".join(filter(None, [self.finding, self.cause and f"{CAUSE}{self.cause}"]))

    def with_texts(self, edit: Callable[[str], str]) -> Check:
        """The same check with `edit` applied to each of its texts."""
        names = ("asked", "seen", "advice", "cause", "raised", "printed")
        texts: dict[str, Any] = {name: edit(getattr(self, name)) for name in names}
        trace = tuple(replace(location, code=edit(location.code)) for location in self.trace)
        return replace(self, **texts, trace=trace)

    def as_record(self) -> dict[str, Any]:
        """The check as a JSON object; `from_record` converts it back."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Check:
        """The check that `as_record` converted."""
        return cls(
            **{
                **record,
                "verdict": Verdict(record["verdict"]),
                "reason": record["reason"] and Reason(record["reason"]),
                "diagnosis": tuple(record["diagnosis"]),
                "trace": tuple(Location(**location) for location in record["trace"]),
            }
        )

    def as_json(self) -> dict[str, Any]:
        """The object that `minigpt check --json` prints for this check."""
        parts = ("name", "verdict", "message", "diagnosis", "reason", "asked", "seen", "advice")
        where = self.where and {
            key: getattr(self.where, key) for key in ("path", "line", "function")
        }
        return {
            **{part: getattr(self, part) for part in parts},
            "cause": self.cause,
            "where": where,
            "printed": self.printed,
        }


def join(*sentences: str) -> str:
    """The sentences on one line."""
    return " ".join(filter(None, sentences))


# The verdict on a task is the first of these that any of its checks has: a wrong answer tells more
# than a crash, and a crash more than a part that is not written yet.
_BY_PRIORITY = (Verdict.WRONG, Verdict.COULD_NOT_RUN, Verdict.NOT_STARTED)


def overall(checks: Iterable[Check]) -> Verdict:
    """The verdict on all of these checks together."""
    verdicts = {check.verdict for check in checks}
    if not verdicts:
        return Verdict.COULD_NOT_RUN
    return next((verdict for verdict in _BY_PRIORITY if verdict in verdicts), Verdict.PASSED)


@dataclass(frozen=True)
class Report:
    """The results of all checks of a task.

    Attributes:
        task: the task.
        seconds: the duration of the checks.
        checks: the results, in the order of the suite.
        fingerprint: the hash of the text that was checked.
    """

    task: Task
    seconds: float
    checks: tuple[Check, ...] = field(default_factory=tuple)
    fingerprint: str = ""

    @property
    def verdict(self) -> Verdict:
        return overall(self.checks)

    @property
    def num_passed(self) -> int:
        return sum(check.verdict is Verdict.PASSED for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The object that `minigpt check --json` prints."""
        return {
            "task": self.task.stem,
            "verdict": self.verdict,
            "seconds": round(self.seconds, 3),
            "checks": [check.as_json() for check in self.checks],
        }
