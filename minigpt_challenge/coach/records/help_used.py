"""How much help the learner used on each task: hints, and views of the reference.

It is shown in the learner's own report and never judged: help is there to be used.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER, Task
from minigpt_challenge.coach.records import json_store
from minigpt_challenge.files import LockHeld

HELP_FILE = STATE_FOLDER / "help.json"


@dataclass(frozen=True)
class HelpUsed:
    """How often the learner used help on a task."""

    hints: int = 0
    peeks: int = 0  # views of the reference


def help_used(task: Task) -> HelpUsed:
    """The help used on this task."""
    record = _record(_read(), task)
    return HelpUsed(len(_hints(record)), _peeks(record))


def titles_of_hints(task: Task) -> list[str]:
    """The titles of the hints that were shown, in order."""
    return _hints(_record(_read(), task))


def note_hint(task: Task, title: str) -> None:
    """Record that this hint was shown."""
    _update(task, lambda record: {"hints": [*_hints(record), title]})


def note_peek(task: Task) -> None:
    """Record that the reference was shown."""
    _update(task, lambda record: {"peeks": _peeks(record) + 1})


def _hints(record: dict) -> list[str]:
    titles = record.get("hints")
    return titles if isinstance(titles, list) else []


def _peeks(record: dict) -> int:
    peeks = record.get("peeks")
    return peeks if isinstance(peeks, int) else 0


def _read() -> dict:
    return json_store.read(HELP_FILE, dict)


def _record(records: dict, task: Task) -> dict:
    """The task's record; empty if it is missing or damaged."""
    record = records.get(task.stem)
    return record if isinstance(record, dict) else {}


def _update(task: Task, new_fields: Callable[[dict], dict]) -> None:
    """Add to the task's record the fields that `new_fields` computes from it."""

    def change(records: dict) -> dict:
        record = _record(records, task)
        return records | {task.stem: record | new_fields(record)}

    with suppress(OSError, LockHeld):  # help is given even if it cannot be recorded
        json_store.update(HELP_FILE, dict, change)
