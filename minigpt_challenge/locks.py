"""One at a time: a lock that the system lets go of when its holder ends, however it ends."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

IN_USE = "{holder} is writing {path}, and does not end. Try again when it is done."
LOOK = 0.02  # seconds between two tries
FAR_AWAY = 2**20  # the byte that Windows locks: beyond the text, which others may read


class Taken(OSError):
    """Somebody else holds the lock; `strerror` says who, and what to do."""


@contextmanager
def locked(guarded: Path, words: str = IN_USE, patience: float = 10) -> Iterator[None]:
    """Hold the lock of a file or folder against all other processes of this machine.

    The lock is a file beside what it guards, and stays there: only the system knows whether it is
    held, so a process that is killed leaves no lock behind. On a drive that knows no locks there
    are none.

    Args:
        guarded: the file or folder; it need not exist.
        words: what to say where the lock cannot be had: `{holder}` stands for the process,
            `{path}` for what is guarded.
        patience: seconds to wait for it.

    Raises:
        Taken: it was not to be had.
        OSError: the folder cannot be written.
    """
    until = time.monotonic() + patience
    with _opened(guarded) as file:
        while not _take(file.fileno()):
            if time.monotonic() >= until:
                file.seek(0)
                holder = file.read().decode(errors="replace") or "?"
                raise Taken(errno.EAGAIN, words.format(holder=f"Process {holder}", path=guarded))
            time.sleep(LOOK)
        with suppress(OSError):  # on a full disk nobody learns who it is
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield


def _opened(guarded: Path) -> BinaryIO:
    path = guarded.with_name(f"{guarded.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "a+b", buffering=0)
    except OSError as error:
        error.filename = str(guarded)  # which says more than the lock's name
        raise


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        os.lseek(descriptor, FAR_AWAY, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # this drive knows no locks
            pass
        return True
