"""No line is ever lost: before a tool of ours overwrites a file, its old text is kept."""

from datetime import datetime
from pathlib import Path

from minigpt_challenge.atomic import write_text
from minigpt_challenge.coach.curriculum import STATE_FOLDER

HISTORY_FOLDER = STATE_FOLDER / "history"


def keep(path: Path) -> Path | None:
    """Copy the file to the history and say where; None where there is nothing to keep."""
    if not path.exists():
        return None
    text = path.read_text(encoding="utf-8")
    when = datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")
    kept = HISTORY_FOLDER / path.stem / f"{when}{path.suffix}"
    write_text(kept, text)
    return kept


def overwrite(path: Path, text: str) -> Path | None:
    """Write the text; where another one stood, keep that first and say where."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return None
    kept = keep(path)
    write_text(path, text)
    return kept
