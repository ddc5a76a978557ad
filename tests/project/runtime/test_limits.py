"""Limits of time: processor time first, and the clock much later."""

import hashlib
import os
import threading
import time

import pytest

from minigpt_challenge.coach.runtime import limits
from minigpt_challenge.coach.runtime.limits import TimeLimitReached, time_limit

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="it needs signals")


def compute(seconds):
    """Take this much processor time."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_code_that_computes_for_too_long_is_interrupted():
    message = "after 0.2 seconds of processor time"
    with pytest.raises(TimeLimitReached, match=message), time_limit(0.2):
        compute(60)


def test_the_time_of_other_threads_does_not_interrupt_it_sooner():
    others = [threading.Thread(target=compute_without_the_lock, args=(0.4,)) for _ in range(4)]
    for thread in others:
        thread.start()
    with time_limit(0.6):
        time.sleep(0.4)
    for thread in others:
        thread.join()


def compute_without_the_lock(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        hashlib.sha256(bytes(10**6)).digest()


def test_code_that_waits_for_its_turn_is_not_interrupted():
    with time_limit(0.2):
        time.sleep(0.5)


def test_code_that_waits_for_ever_is_interrupted_in_the_end(monkeypatch):
    monkeypatch.setattr(limits, "MAX_WAIT", 0.3)
    with pytest.raises(TimeLimitReached, match="Does it wait for something"), time_limit(100):
        time.sleep(60)


def test_afterwards_no_limit_is_left():
    with time_limit(0.2):
        pass
    compute(0.5)


@pytest.mark.parametrize(("load", "is_busy"), [(0.0, False), (100.0 * (os.cpu_count() or 1), True)])
def test_a_busy_machine_is_named(monkeypatch, load, is_busy):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    assert ("This machine is busy" in limits.waited_too_long(900)) == is_busy
