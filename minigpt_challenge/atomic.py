"""Writing a file whole or not at all."""

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

UNFINISHED = ".unfinished."  # how the names of files begin that are being written
ABANDONED = 3600  # seconds; no write takes so long: its process was killed


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, making its folder. Whoever reads meanwhile sees the old or the new.

    Raises:
        OSError: the file cannot be written; what stood there before still does.
    """
    path = path.resolve()  # what a link points to is written, the link stays
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        _write(path, data)
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # a temporary name helps nobody
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all. Raises as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def _write(path: Path, data: bytes) -> None:
    prefix = f"{UNFINISHED}{path.name}."
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):  # some mounted drives know no permissions
            os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # interrupted just after it took its place
            os.unlink(temporary)
        raise


def _sweep(folder: Path) -> None:
    """Remove what writers left behind that were killed; their text was never anybody's."""
    for unfinished in folder.glob(f"{UNFINISHED}*"):
        with suppress(OSError):
            if time.time() - unfinished.stat().st_mtime > ABANDONED:
                unfinished.unlink()


def _mode(path: Path) -> int:
    """The permissions of the file that stands there, or those that a new file would get."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
