"""Limits for runaway code: on time, and in a child process on memory and output.

The limit is on processor time, so that a busy machine stops no code that is merely waiting for its
turn. Code that waits forever is stopped much later, by the clock.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

MAX_MEMORY = 12 * 2**30  # bytes; JAX and a whole suite need less than a tenth of it
MAX_OUTPUT = 64 * 2**20  # bytes in any one file
MAX_WAIT = 15 * 60  # seconds by the clock


class TimeLimitReached(BaseException):
    """The code was interrupted.

    Not an `Exception`, so that no `except Exception` on its way handles it.
    """


def limit_this_process(seconds: float) -> None:
    """Limit this process, where the system supports it: its memory, its files, its time from now.

    When the time is up, SIGXCPU ends it.

    Args:
        seconds: of processor time, of all threads together; each process that it starts may take
            as much.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {
        resource.RLIMIT_FSIZE: MAX_OUTPUT,
        resource.RLIMIT_CPU: int(time.process_time() + seconds) + 1,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":  # other systems ignore the limit or count address space
        limits[resource.RLIMIT_DATA] = MAX_MEMORY
    for kind, limit in limits.items():
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or hard > limit:
            resource.setrlimit(kind, (limit, hard))


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the code inside after `seconds` of processor time, or MAX_WAIT by the clock.

    Works in the main thread and not on Windows, since it needs signals. Compiled code is not
    interrupted.

    Raises:
        TimeLimitReached: inside, when the time is up.
    """
    if not hasattr(signal, "SIGPROF") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signal_number: int, frame: FrameType | None) -> None:
        if signal_number == signal.SIGALRM:
            raise TimeLimitReached(waited_too_long())
        raise TimeLimitReached(
            f"It was interrupted after {seconds:g} seconds of processor time. Is there an endless "
            "loop?"
        )

    timers = {
        signal.SIGPROF: (signal.ITIMER_PROF, seconds),
        signal.SIGALRM: (signal.ITIMER_REAL, MAX_WAIT),
    }
    before = {number: signal.signal(number, interrupt) for number in timers}
    for timer, limit in timers.values():
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for number, (timer, _) in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


def waited_too_long() -> str:
    """Why code was stopped that took MAX_WAIT by the clock, but not much processor time."""
    message = f"It was stopped after {MAX_WAIT / 60:g} minutes. Does it wait for something?"
    processors = os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > 2 * processors:
        message += (
            f" This machine is busy: {load:.0f} processes want its {processors} processors. End "
            "some of them, and check again."
        )
    return message
