"""No line is ever lost: before a tool of ours overwrites a file, its old text is kept."""

from datetime import datetime
from pathlib import Path

from minigpt_challenge.atomic import write_bytes
from minigpt_challenge.coach.curriculum import STATE_FOLDER

HISTORY_FOLDER = STATE_FOLDER / "history"


def keep(path: Path) -> Path | None:
    """Copy the file to the history and say where; None where there is nothing to keep."""
    if not path.exists():
        return None
    when = datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")
    kept = HISTORY_FOLDER / path.stem / f"{when}{path.suffix}"
    write_bytes(kept, path.read_bytes())
    return kept


def overwrite(path: Path, content: str | bytes) -> Path | None:
    """Write a text (as UTF-8) or bytes; where others stood, keep those first and say where."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == data:
        return None
    kept = keep(path)
    write_bytes(path, data)
    return kept
