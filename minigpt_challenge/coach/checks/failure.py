"""How a check fails: what was asked, what was seen, and the likely cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigpt_challenge.coach.checks.diagnosis import Suspects, diagnose, explain
from minigpt_challenge.coach.course.verdict import CAUSE, Reason, join


class Wrong(AssertionError):
    """The learner's code ran, but did not do what was asked.

    Attributes:
        parts: the arguments by name.
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
        """Join the parts to the message.

        Args:
            seen: what was seen, in a sentence.
            asked: what was asked for, in a sentence.
            advice: how to find or fix it.
            cause: the likely cause; empty where none is claimed.
            diagnosis: the ids of the faults that make up the cause.
            about: what the failure is about, without numbers; failures about the same thing are
                printed once.
            reason: whether values differ, or another requirement is not met.
        """
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


def explained(wrong: Wrong, evidence: Sequence[tuple[Any, Suspects]]) -> Wrong:
    """The same failure with its likely cause, if the evidence gives one.

    Args:
        wrong: the failure.
        evidence: what was seen in each case, and the mistakes that may explain it.
    """
    faults = diagnose(evidence)
    return wrong.but(cause=explain(faults), diagnosis=tuple(fault.id for fault in faults))
