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
        seconds: of processor time, and by the clock: where there are many cores, compiling takes
            the time of all of them.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    # In case code that does not let other threads run keeps the watch from ending it.
    most = (time.process_time() + seconds) * (os.cpu_count() or 1)
    limits = {
        resource.RLIMIT_FSIZE: MAX_OUTPUT,
        resource.RLIMIT_CPU: int(most) + 1,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":  # other systems ignore the limit or count address space
        limits[resource.RLIMIT_DATA] = MAX_MEMORY
    for kind, limit in limits.items():
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or hard > limit:
            resource.setrlimit(kind, (limit, hard))
    ends = time.process_time() + seconds, time.monotonic() + seconds
    threading.Thread(target=_end_this_process_after, args=ends, daemon=True).start()


def _end_this_process_after(processor_time: float, clock: float) -> None:
    """End this process when both have passed."""
    while time.process_time() < processor_time or time.monotonic() < clock:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGXCPU)


@contextlib.contextmanager
def time_limit(seconds: float, wait: float | None = None) -> Iterator[None]:
    """Interrupt the code inside after `seconds`, both of processor time and by the clock.

    Works in the main thread and not on Windows, since it needs signals. Compiled code is not
    interrupted.

    Args:
        seconds: the limit.
        wait: the limit by the clock for code that takes no processor time; MAX_WAIT by default.

    Raises:
        TimeLimitReached: inside, when the time is up.
    """
    if not hasattr(signal, "SIGPROF") or threading.current_thread() is not threading.main_thread():
        yield
        return
    start, wait = time.monotonic(), wait or MAX_WAIT

    def interrupt(signal_number: int, frame: FrameType | None) -> None:
        if signal_number == signal.SIGALRM:
            raise TimeLimitReached(waited_too_long(wait))
        left = seconds - (time.monotonic() - start)
        if left > 0:  # other threads took processor time, too
            signal.setitimer(signal.ITIMER_PROF, left)
            return
        raise TimeLimitReached(
            f"It was interrupted after {seconds:g} seconds of processor time. Is there an endless "
            "loop?"
        )

    before = {number: signal.signal(number, interrupt) for number in _TIMERS}
    signal.setitimer(signal.ITIMER_REAL, wait)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        for timer in _TIMERS.values():
            signal.setitimer(timer, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


if hasattr(signal, "SIGPROF"):
    _TIMERS = {signal.SIGPROF: signal.ITIMER_PROF, signal.SIGALRM: signal.ITIMER_REAL}


def waited_too_long(seconds: float) -> str:
    """Why code was stopped that took so long by the clock, but not much processor time."""
    message = f"It was stopped after {seconds / 60:g} minutes. Does it wait for something?"
    processors = os.cpu_count() or 1
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # not known on this system
        return message
    if load > 2 * processors:
        message += (
            f" This machine is busy: {load:.0f} processes want its {processors} processors. Check "
            "again when it is less so."
        )
    return message
