"""How much help the learner took: hints and peeks at the reference, task by task.

For their own report, and for nobody to judge by: help is there to be used.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER, Task
from minigpt_challenge.files import locked, write_text

HELP_FILE = STATE_FOLDER / "help.json"


@dataclass(frozen=True)
class HelpUsed:
    """How often help was taken on a task."""

    hints: int = 0
    peeks: int = 0


def help_used(task: Task) -> HelpUsed:
    """What is noted of this task."""
    return HelpUsed(len(titles_of_hints(task)), _peeks(_record(task)))


def titles_of_hints(task: Task) -> list[str]:
    """The hints that were shown, in order."""
    return _hints(_record(task))


def note_hint(task: Task, title: str) -> None:
    """Note that this hint was shown."""
    _note(task, lambda record: {"hints": [*_hints(record), title]})


def note_peek(task: Task) -> None:
    """Note that the reference was shown."""
    _note(task, lambda record: {"peeks": _peeks(record) + 1})


def _hints(record: dict) -> list[str]:
    titles = record.get("hints")
    return titles if isinstance(titles, list) else []


def _peeks(record: dict) -> int:
    peeks = record.get("peeks")
    return peeks if isinstance(peeks, int) else 0


def _note(task: Task, change: Callable[[dict], dict]) -> None:
    """Add to the task's record what `change` makes of it."""
    with suppress(OSError), locked(HELP_FILE):  # help is given even where nothing can be noted
        record = _record(task)
        records = _read() | {task.stem: record | change(record)}
        write_text(HELP_FILE, json.dumps(records, indent=2) + "\n")


def _record(task: Task) -> dict:
    record = _read().get(task.stem)
    return record if isinstance(record, dict) else {}


def _read() -> dict:
    """All records; none where there is no file, or it is damaged."""
    try:
        records = json.loads(HELP_FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return records if isinstance(records, dict) else {}
