"""Limits for runaway code: on time in this process, and on memory and output in a child process."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

MAX_MEMORY = 12 * 2**30  # bytes; JAX and a whole suite need less than a tenth of it
MAX_OUTPUT = 64 * 2**20  # bytes in any one file


class TimeLimitReached(BaseException):
    """The code was interrupted.

    Not an `Exception`, so that no `except Exception` on its way handles it.
    """


def limit_this_process() -> None:
    """Limit the memory and the file size of this process, where the system supports it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {resource.RLIMIT_FSIZE: MAX_OUTPUT}
    if sys.platform == "linux":  # other systems ignore the limit or count address space
        limits[resource.RLIMIT_DATA] = MAX_MEMORY
    for kind, limit in limits.items():
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or hard > limit:
            resource.setrlimit(kind, (limit, hard))


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the code inside after `seconds`.

    Works in the main thread and not on Windows, since it needs signals. Compiled code is not
    interrupted.

    Raises:
        TimeLimitReached: inside, when the time is up.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signal_number: int, frame: FrameType | None) -> None:
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
