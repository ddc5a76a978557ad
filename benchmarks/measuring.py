"""Time runs and format the results: shared by the benchmarks."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

REPEATS = 5


def time_runs(run: Callable[[], None], repeats: int = REPEATS) -> list[float]:
    """Seconds of each of several runs."""
    return [time_run(run) for _ in range(repeats)]


def time_run(run: Callable[[], None]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def run_python(*arguments: str, python: str = sys.executable, **environment: str) -> str:
    """Run Python in a new process and return its output; raise if it fails."""
    completed = subprocess.run(
        [python, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        env=os.environ | environment,
        encoding="utf-8",
    )
    return completed.stdout


def format_times(times: list[float]) -> str:
    """Median (minimum–maximum)."""
    return f"{statistics.median(times):.2f} ({min(times):.2f}–{max(times):.2f})"


def format_with_target(times: list[float], target: float) -> str:
    """Median (minimum–maximum), the target, and whether the median meets it."""
    verdict = "met" if statistics.median(times) <= target else "missed"
    return f"{format_times(times)}, {target:g} {verdict}"


def format_ratio(times: list[float], baseline: list[float]) -> str:
    """The ratio of the medians."""
    return f"{statistics.median(times) / statistics.median(baseline):.1f}"
