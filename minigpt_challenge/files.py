"""Atomic writes, locks between processes, and timestamps in file names."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from minigpt_challenge.errors import UserError

TEMPORARY_PREFIX = ".unfinished."  # of files that are being written
STALE_AFTER_S = 3600  # no write takes that long: its process was killed
POLL_S = 0.02  # between two attempts to take a lock
LOCKED_BYTE = 2**20  # Windows cannot read a locked byte, so it lies beyond the file's text
TIMESTAMP_FORMAT = "%Y-%m-%d_%H-%M-%S.%f"

IN_USE = "{holder} is writing {path} and has not finished. Try again when it is done."


def timestamp() -> str:
    """The local time for a file name; such names sort by time."""
    return datetime.now().strftime(TIMESTAMP_FORMAT)


def parse_timestamp(text: str) -> datetime:
    """The local time in a `timestamp`.

    Raises:
        ValueError: the text is not a timestamp.
    """
    return datetime.strptime(text, TIMESTAMP_FORMAT)


class LockHeld(UserError):
    """Another process holds the lock."""


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically, creating its folder. Readers see the old file or the new.

    Raises:
        OSError: the file cannot be written; the old one is unchanged.
    """
    path = path.resolve()  # write the target of a link, and keep the link
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale_files(path.parent)
        _write(path, data)
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # not the temporary file's name
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically. Raises as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def _write(path: Path, data: bytes) -> None:
    prefix = f"{TEMPORARY_PREFIX}{path.name}."
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):  # some mounted drives have no permissions
            os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # an interrupt may come just after the replacement
            os.unlink(temporary)
        raise


def _remove_stale_files(folder: Path) -> None:
    """Remove temporary files whose process was killed."""
    for temporary in folder.glob(f"{TEMPORARY_PREFIX}*"):
        with suppress(OSError):
            if time.time() - temporary.stat().st_mtime > STALE_AFTER_S:
                temporary.unlink()


def _mode(path: Path) -> int:
    """The permissions of the existing file, or those that a new file would get."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask


@contextmanager
def locked(guarded: Path, message: str = IN_USE, timeout: float = 10) -> Iterator[None]:
    """Hold the lock of a file or folder against all other processes of this machine.

    The lock is a file beside the guarded one and is never deleted. The operating system releases it
    when the holding process ends, even if killed. A drive without locks gives no protection.

    Args:
        guarded: the file or folder; it need not exist.
        message: for the error; `{holder}` stands for the process, `{path}` for `guarded`.
        timeout: seconds to wait for the lock.

    Raises:
        LockHeld: not acquired within `timeout`.
        OSError: the folder cannot be written.
    """
    deadline = time.monotonic() + timeout
    with _open_lock_file(guarded) as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() >= deadline:
                file.seek(0)
                holder = file.read().decode(errors="replace") or "?"
                raise LockHeld(message.format(holder=f"Process {holder}", path=guarded))
            time.sleep(POLL_S)
        with suppress(OSError):  # a full disk: others then cannot name the holder
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield


def _open_lock_file(guarded: Path) -> BinaryIO:
    path = guarded.with_name(f"{guarded.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "a+b", buffering=0)
    except OSError as error:
        error.filename = str(guarded)  # more useful than the lock's name
        raise


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # this drive has no locks
            pass
        return True
