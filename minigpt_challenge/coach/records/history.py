"""Keep the old text of a file before one of our tools overwrites it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER
from minigpt_challenge.files import locked, parse_timestamp, timestamp, write_bytes

HISTORY_FOLDER = STATE_FOLDER / "history"


@dataclass(frozen=True)
class Version:
    """A saved version of a file, and when it was overwritten (local time)."""

    path: Path
    when: datetime

    @property
    def when_text(self) -> str:
        """`when` for people, to the second."""
        return f"{self.when:%Y-%m-%d %H:%M:%S}"

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8", errors="replace")


def versions(path: Path) -> list[Version]:
    """The saved versions of this file, the newest first."""
    found = []
    for saved in (HISTORY_FOLDER / path.stem).glob(f"*{path.suffix}"):
        with suppress(ValueError):  # some other file, not one of ours
            found.append(Version(saved, parse_timestamp(saved.stem)))
    return sorted(found, key=lambda version: version.when, reverse=True)


def keep(path: Path) -> Path | None:
    """Copy the file to the history and return the copy's path; None if there is no file."""
    if not path.exists():
        return None
    copy = HISTORY_FOLDER / path.stem / f"{timestamp()}{path.suffix}"
    write_bytes(copy, path.read_bytes())
    return copy


def overwrite(path: Path, content: str | bytes) -> Path | None:
    """Write text (as UTF-8) or bytes to the file, after saving its old content in the history.

    Returns:
        the path of the old content; None if there was no file, or its content was the same.

    Raises:
        OSError: the file or the history cannot be written; the file is unchanged.
        LockHeld: another process is writing and does not finish.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    # Without the lock, two concurrent writers would both save the old content, and neither what
    # the other wrote.
    with locked(HISTORY_FOLDER):
        if path.exists() and path.read_bytes() == data:
            return None
        copy = keep(path)
        write_bytes(path, data)
        return copy
