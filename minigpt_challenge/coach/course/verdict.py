"""The four verdicts, and what a check says of one task."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What can be said of a learner's code."""

    PASSED = "passed"
    WRONG = "wrong"
    NOT_STARTED = "not_started"
    COULD_NOT_RUN = "could_not_run"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")

    @property
    def sign(self) -> str:
        """Goes with the words everywhere: colour alone would tell some readers nothing."""
        return _SIGNS[self]


_SIGNS = {
    Verdict.PASSED: "✓",
    Verdict.WRONG: "✗",
    Verdict.NOT_STARTED: "·",
    Verdict.COULD_NOT_RUN: "!",
}

# What every message says whose reason is in the numbers alone: once in a report is enough.
OTHER_VALUES = "has other values than asked for"

# With these words a message goes on from what was seen to what most likely causes it.
MOST_LIKELY = "Most likely: "


@dataclass(frozen=True)
class Check:
    """The outcome of one check. `diagnosis` holds fault ids, none where nothing is claimed."""

    name: str
    verdict: Verdict
    message: str = ""
    diagnosis: tuple[str, ...] = ()


# The verdict on a task is the first of these that any of its checks has: a wrong answer says
# more than a crash, a crash more than a part not written yet.
_BY_WEIGHT = (Verdict.WRONG, Verdict.COULD_NOT_RUN, Verdict.NOT_STARTED)


@dataclass(frozen=True)
class Report:
    """The outcome of all of a task's checks, and the fingerprint of the text that was checked."""

    task: str
    seconds: float
    checks: tuple[Check, ...] = field(default_factory=tuple)
    fingerprint: str = ""

    @property
    def verdict(self) -> Verdict:
        seen = {check.verdict for check in self.checks}
        if not seen:
            return Verdict.COULD_NOT_RUN
        return next((verdict for verdict in _BY_WEIGHT if verdict in seen), Verdict.PASSED)

    def as_json(self) -> dict:
        """The object that `minigpt check --json` prints."""
        return {
            "task": self.task,
            "verdict": self.verdict,
            "seconds": round(self.seconds, 3),
            "checks": [asdict(check) for check in self.checks],
        }
