"""The learner's progress: the verdict on each text that was checked, in a JSON file.

So a task that has passed is passed again when an earlier text of its file comes back.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER, TASKS, Task
from minigpt_challenge.coach.course.errors import message_for
from minigpt_challenge.coach.course.stubs import fingerprint, is_as_given
from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.records import json_store
from minigpt_challenge.coach.records.ladder import Rung, milestone
from minigpt_challenge.files import LockHeld

PROGRESS_FILE = STATE_FOLDER / "progress.json"


@dataclass(frozen=True)
class Standing:
    """The state of a task. The verdict is None if the file has changed since its last check."""

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
        """How many checks passed, such as "3 of 5 checks"; empty if none did."""
        return f"{self.passed} of {self.total} checks" if self.passed else ""


def standing(task: Task, file: Path | None = None) -> Standing:
    """The state of the task, without running anything.

    Args:
        task: the task.
        file: an older version of its file; by default the file as it is now.
    """
    record = _record(task)
    text = fingerprint(file or task.stub)
    with suppress(KeyError, ValueError, TypeError):  # not checked, or a damaged record
        verdict, passed, total = _checked(record)[text]
        return Standing(Verdict(verdict), int(passed), int(total))
    if file is None and is_as_given(task):
        return Standing(Verdict.NOT_STARTED)
    return Standing(None)


def overview() -> tuple[dict[Task, Standing], Rung | None]:
    """The state of each task, and the milestone's rung if it is reached."""
    return {task: standing(task) for task in TASKS}, milestone()


def failed(task: Task) -> list[str]:
    """The faults that the task's last check found, then the name of the check that found them.

    Empty if nothing was wrong; a function that is not written yet has not failed.
    """
    failed = _record(task).get("failed")
    return failed if isinstance(failed, list) else []


def remember(task: Task, report: Report) -> None:
    """Save the verdict on the learner's file, under the fingerprint of the text that was checked.

    Raises:
        OSError: the progress cannot be written.
        LockHeld: another process is writing and does not finish.
    """
    result = [report.verdict, report.num_passed, len(report.checks)]

    def change(records: dict) -> dict:
        checked = _checked(_of(records, task)) | {report.fingerprint: result}
        return records | {task.stem: {"failed": _failed(report), "checked": checked}}

    json_store.update(PROGRESS_FILE, dict, change)


def _failed(report: Report) -> list[str]:
    """The faults of the first check that has a diagnosis, then its name without parameters.

    If no check has one, the name of the first check that is wrong or could not run: the others
    mostly fail because of it. Empty if no check could run, since the file itself has an error.
    """
    if all(check.verdict is Verdict.COULD_NOT_RUN for check in report.checks):
        return []
    failing = (Verdict.WRONG, Verdict.COULD_NOT_RUN)
    failed = [check for check in report.checks if check.verdict in failing]
    diagnosed = [check for check in failed if check.diagnosis]
    first = (diagnosed or failed)[:1]
    return [name for check in first for name in (*check.diagnosis, check.base_name)]


def try_to_remember(task: Task, report: Report) -> str:
    """As `remember`, but return the message of an error, so that the verdict is still shown.

    Returns:
        why the verdict could not be saved; empty if it was saved.
    """
    try:
        remember(task, report)
    except (OSError, LockHeld) as error:
        return f"The verdict could not be saved. {message_for(error)}"
    return ""


def _record(task: Task) -> dict:
    return _of(json_store.read(PROGRESS_FILE, dict), task)


def _checked(record: dict) -> dict:
    """The results by the fingerprints of the texts; version 0.1 kept only that of the last one."""
    match record:
        case {"checked": dict(checked)}:
            return checked
        case {"sha256": text, "verdict": verdict, "passed": passed, "total": total}:
            return {text: [verdict, passed, total]}
    return {}


def _of(records: dict, task: Task) -> dict:
    """The task's record; empty if it is missing or damaged."""
    record = records.get(task.stem)
    return record if isinstance(record, dict) else {}
