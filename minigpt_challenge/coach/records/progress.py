"""How far the learner has come: the last verdict on each task, in a file that people can read."""

import json
from contextlib import suppress
from dataclasses import dataclass

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER, TASKS, Task
from minigpt_challenge.coach.course.stubs import fingerprint, is_as_given
from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.records.ladder import Rung, milestone
from minigpt_challenge.files import locked, write_text

PROGRESS_FILE = STATE_FOLDER / "progress.json"


@dataclass(frozen=True)
class Standing:
    """How a task stands. There is no verdict where the file has changed since its last check."""

    verdict: Verdict | None
    passed: int = 0
    total: int = 0

    @property
    def sign(self) -> str:
        return self.verdict.sign if self.verdict else "?"

    @property
    def words(self) -> str:
        if self.verdict is None:
            return "changed, not checked yet"
        if self.verdict is Verdict.NOT_STARTED and self.passed:
            return "begun"
        return self.verdict.words

    @property
    def counts(self) -> str:
        """How many checks passed, in words; empty where none did."""
        return f"{self.passed} of {self.total} checks" if self.passed else ""


def standing(task: Task) -> Standing:
    """How the learner's file stands, without running it."""
    record = _read().get(task.stem)
    with suppress(KeyError, TypeError, ValueError):  # a damaged record is as good as none
        if record["sha256"] == fingerprint(task.stub):
            return Standing(Verdict(record["verdict"]), record["passed"], record["total"])
    return Standing(Verdict.NOT_STARTED if is_as_given(task) else None)


def so_far() -> tuple[dict[Task, Standing], Rung | None]:
    """How each task stands, and the milestone if it is reached."""
    return {task: standing(task) for task in TASKS}, milestone()


def failed(task: Task) -> list[str]:
    """What went wrong when the task was last checked: faults that were found, and a check's name.

    Empty where nothing was wrong; what is merely not written yet has not failed.
    """
    record = _read().get(task.stem)
    failed = record.get("failed") if isinstance(record, dict) else None
    return failed if isinstance(failed, list) else []


def remember(task: Task, report: Report) -> None:
    """Note the verdict on the learner's file, as it was when it was checked."""
    record = {
        "verdict": report.verdict,
        "passed": report.num_passed,
        "total": len(report.checks),
        "failed": _failed(report),
        "sha256": report.fingerprint,
    }
    with locked(PROGRESS_FILE):  # another check may end at the same moment
        records = _read() | {task.stem: record}
        write_text(PROGRESS_FILE, json.dumps(records, indent=2) + "\n")


def _failed(report: Report) -> list[str]:
    """What went wrong, in a word or two, the most telling first.

    The mistakes that were found, if any, and the check that found them; else the first check that
    is wrong or could not run (the others mostly follow from it), without the parameters in
    brackets. Where none could run, something is wrong with the file, not with what a check asks.
    """
    if all(check.verdict is Verdict.COULD_NOT_RUN for check in report.checks):
        return []
    failing = (Verdict.WRONG, Verdict.COULD_NOT_RUN)
    failed = [check for check in report.checks if check.verdict in failing]
    diagnosed = [check for check in failed if check.diagnosis]
    first = (diagnosed or failed)[:1]
    return [name for check in first for name in (*check.diagnosis, check.name.split("[")[0])]


def try_to_remember(task: Task, report: Report) -> str:
    """As `remember`; what cannot be noted is no reason to withhold the verdict.

    Returns:
        why it could not be noted, in words; empty if it was.
    """
    try:
        remember(task, report)
    except OSError as error:
        return f"The verdict could not be noted in {PROGRESS_FILE}: {error.strerror}."
    return ""


def _read() -> dict:
    """The records; none where there is no file or it is damaged: the next check mends it."""
    try:
        records = json.loads(PROGRESS_FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return records if isinstance(records, dict) else {}
