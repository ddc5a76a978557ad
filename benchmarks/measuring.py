"""Seconds, and how they stand to an aim: what the benchmarks of checks and of the start share."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

REPEATS = 5


def measured(run: Callable[[], None], repeats: int = REPEATS) -> list[float]:
    """The seconds that each of several runs takes."""
    return [seconds(run) for _ in range(repeats)]


def seconds(run: Callable[[], None]) -> float:
    """The seconds that one run takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def in_new_process(*arguments: str, python: str = sys.executable, **environment: str) -> str:
    """Run Python and return what it prints; a failure is raised."""
    done = subprocess.run(
        [python, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        env=os.environ | environment,
        encoding="utf-8",
    )
    return done.stdout


def spread(times: list[float]) -> str:
    """Median, smallest and largest."""
    return f"{statistics.median(times):.2f} ({min(times):.2f}–{max(times):.2f})"


def judged(times: list[float], aim: float) -> str:
    """The same, and whether the median is within the aim, which stands beside it."""
    verdict = "met" if statistics.median(times) <= aim else "missed"
    return f"{spread(times)}, {aim:g} {verdict}"


def ratio(times: list[float], peer: list[float]) -> str:
    """How many times as long as the peer it takes, in the median."""
    return f"{statistics.median(times) / statistics.median(peer):.1f}"
