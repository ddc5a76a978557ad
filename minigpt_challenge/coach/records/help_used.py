"""Which hints were shown on each task, so that the next one is another. It is never judged."""

from collections.abc import Callable
from contextlib import suppress

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER, Task
from minigpt_challenge.coach.records import json_store
from minigpt_challenge.files import LockHeld

HELP_FILE = STATE_FOLDER / "help.json"


def titles_of_hints(task: Task) -> list[str]:
    """The titles of the hints that were shown, in order."""
    return _hints(_record(_read(), task))


def note_hint(task: Task, title: str) -> None:
    """Record that this hint was shown."""
    _update(task, lambda record: {"hints": [*_hints(record), title]})


def _hints(record: dict) -> list[str]:
    titles = record.get("hints")
    return titles if isinstance(titles, list) else []


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
