"""Limits for code that runs away: time in a notebook, memory and output in a process of its own."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

MOST_MEMORY = 12 * 2**30  # bytes; JAX itself and a whole suite stay below a tenth of it
MOST_OUTPUT = 64 * 2**20  # bytes in any one file


class TimeLimitReached(BaseException):
    """The code was interrupted.

    No `Exception`, so that an `except Exception` on its way cannot take it for something else.
    """


def limit_this_process() -> None:
    """Let memory and the size of files run out before the machine does, where that is possible."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {resource.RLIMIT_FSIZE: MOST_OUTPUT}
    if sys.platform == "linux":  # elsewhere the limit is ignored or counts address space
        limits[resource.RLIMIT_DATA] = MOST_MEMORY
    for kind, limit in limits.items():
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or hard > limit:
            resource.setrlimit(kind, (limit, hard))


@contextlib.contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Interrupt what runs inside, where signals allow it: in the main thread, not on Windows.

    Raises:
        TimeLimitReached: inside, when the time is up. Compiled code is not interrupted.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_):
        raise TimeLimitReached(
            f"It was interrupted after {seconds:g} seconds. Is there an endless loop?"
        )

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Run what is inside in this folder, so that what it does to "its" files harms no one."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
