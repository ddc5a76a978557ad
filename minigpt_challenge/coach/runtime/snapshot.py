"""The file on trial, as it stands at one moment: it may be saved again while it is checked."""

import hashlib
import time
from pathlib import Path

from minigpt_challenge.coach.course.stubs import read_or_empty

LOOK, PATIENCE = 0.02, 1  # seconds between two looks, and for how long


def take(file: Path, folder: Path) -> Path:
    """Copy the file into the folder, which is made, under the name that it has.

    Returns:
        the copy; the file itself where it cannot be copied: its check says what is wrong with it.
    """
    try:
        data = _settled(file)
        folder.mkdir()
        copy = folder / file.name
        copy.write_bytes(data)
        return copy
    except OSError:
        return file


def fingerprint(file: Path) -> str:
    """What tells the file's text, as it is now, from every other."""
    return hashlib.sha256(read_or_empty(file).encode()).hexdigest()


def _settled(file: Path) -> bytes:
    """What the file holds; where it is being saved, once it is whole.

    Many editors empty a file and then write it, so what was changed just now is read until it
    stays the same.
    """
    until = time.monotonic() + PATIENCE
    data = file.read_bytes()
    while time.time() - file.stat().st_mtime < PATIENCE and time.monotonic() < until:
        time.sleep(LOOK)
        before, data = data, file.read_bytes()
        if data == before and data:  # an empty one is most likely still to be filled
            break
    return data
