"""Small JSON files that several processes may update."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from minigpt_challenge.files import locked, write_text

Records = TypeVar("Records", dict, list)


def read(file: Path, kind: type[Records]) -> Records:
    """The content of the file; empty if the file is missing, damaged or holds another type."""
    try:
        records = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return kind()
    return records if isinstance(records, kind) else kind()


def update(file: Path, kind: type[Records], change: Callable[[Records], Records]) -> None:
    """Replace the content of the file by `change` of it, under a lock. Repairs a damaged file.

    Raises:
        OSError: the file cannot be written; the old one is unchanged.
        LockHeld: another process is writing and does not finish.
    """
    with locked(file):
        records = change(read(file, kind))
        write_text(file, json.dumps(records, indent=2) + "\n")
