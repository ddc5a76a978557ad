"""A copy of the learner's file at one moment, since it may be saved again during its check."""

import time
from pathlib import Path

POLL_S = 0.02  # between two reads of a file that is being saved
TIMEOUT_S = 1


def take(file: Path, folder: Path) -> Path:
    """Copy the file into a new folder, under its own name.

    Returns:
        the copy; the file itself if it cannot be copied: its check then reports what is wrong.
    """
    try:
        data = _read_settled(file)
        folder.mkdir()
        copy = folder / file.name
        copy.write_bytes(data)
        return copy
    except OSError:
        return file


def _read_settled(file: Path) -> bytes:
    """The content of the file, once a save in progress has finished.

    Many editors empty a file before they write it, so a file that has just changed is read until
    two reads are equal.
    """
    deadline = time.monotonic() + TIMEOUT_S
    data = file.read_bytes()
    while time.time() - file.stat().st_mtime < TIMEOUT_S and time.monotonic() < deadline:
        time.sleep(POLL_S)
        before, data = data, file.read_bytes()
        if data == before and data:  # an empty file is most likely about to be written
            break
    return data
