"""No line is ever lost: before a tool of ours overwrites a file, its old text is kept."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER
from minigpt_challenge.files import locked, write_bytes

HISTORY_FOLDER = STATE_FOLDER / "history"
WHEN = "%Y-%m-%d_%H-%M-%S.%f"


@dataclass(frozen=True)
class Version:
    """A kept version of a file, and when it was overwritten (local time)."""

    path: Path
    when: datetime

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8", errors="replace")


def versions(path: Path) -> list[Version]:
    """What was kept of this file, the newest first."""
    found = []
    for kept in (HISTORY_FOLDER / path.stem).glob(f"*{path.suffix}"):
        with suppress(ValueError):  # a file that somebody else put there
            found.append(Version(kept, datetime.strptime(kept.stem, WHEN)))
    return sorted(found, key=lambda version: version.when, reverse=True)


def keep(path: Path) -> Path | None:
    """Copy the file to the history and say where; None where there is nothing to keep."""
    if not path.exists():
        return None
    when = datetime.now().strftime(WHEN)
    kept = HISTORY_FOLDER / path.stem / f"{when}{path.suffix}"
    write_bytes(kept, path.read_bytes())
    return kept


def overwrite(path: Path, content: str | bytes) -> Path | None:
    """Write a text (as UTF-8) or bytes; where others stood, keep those first and say where.

    Raises:
        OSError: the one or the other cannot be written; the file is as it was.
        LockHeld: another process writes, and does not end.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    # Two that write at once would both keep what stood there, and neither what the other wrote.
    with locked(HISTORY_FOLDER):
        if path.exists() and path.read_bytes() == data:
            return None
        kept = keep(path)
        write_bytes(path, data)
        return kept
