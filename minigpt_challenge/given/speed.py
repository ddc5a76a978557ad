"""Measure and plot the speed of text generation."""

import io
import sys
import time
from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

INK, FAINT, PAPER, BAR, BEST = "#24292f", "#6e7781", "#fbfaf6", "#8fb3d9", "#1f6fb2"


def characters_per_second(write: Callable[[int], np.ndarray], num_characters: int) -> float:
    """Time one call of `write(num_characters)`, compilation included."""
    start = time.perf_counter()
    np.asarray(write(num_characters))  # waits: JAX returns before the result is ready
    return num_characters / (time.perf_counter() - start)


def show_speeds(speeds: dict[str, float]) -> None:
    """Show a bar chart of the speeds in a notebook, or as text where pictures cannot be shown.

    Args:
        speeds: characters per second, above 0, by name.
    """
    listed = ", ".join(f"{name} {_format(speed)}" for name, speed in speeds.items())
    text = f"characters per second: {listed}"
    if "IPython" not in sys.modules:  # a script
        print(text)
        return
    from IPython.display import display  # here, since only notebooks need IPython

    picture = io.BytesIO()
    draw_speeds(speeds).savefig(picture, format="png")
    bundle = {"image/png": picture.getvalue(), "text/plain": text}
    display(bundle, raw=True, metadata={"image/png": {"width": 720}})


def draw_speeds(speeds: dict[str, float]) -> Figure:
    """A bar for each speed, on a logarithmic scale."""
    figure = Figure(figsize=(8, 0.9 + 0.62 * len(speeds)), dpi=120, layout="constrained")
    figure.patch.set_facecolor(PAPER)
    axes = figure.subplots()
    axes.set_facecolor(PAPER)
    fastest = max(speeds.values())
    colors = [BEST if speed == fastest else BAR for speed in speeds.values()]
    axes.barh(list(speeds), list(speeds.values()), color=colors, height=0.6)
    for row, speed in enumerate(speeds.values()):
        axes.text(1.12 * speed, row, _format(speed), va="center", color=INK, size=11)
    axes.set(xscale="log", xlim=(0.1, 6 * fastest))
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("characters per second; each line is ten times the last", color=FAINT)
    axes.tick_params(axis="y", length=0, labelsize=11, labelcolor=INK)
    axes.tick_params(axis="x", which="both", colors=FAINT)
    axes.grid(axis="x", color="#dcdad2", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.invert_yaxis()
    return figure


def _format(speed: float) -> str:
    return f"{speed:,.0f}" if speed >= 10 else f"{speed:.1f}"
