"""The style of every chart and picture: colors, fonts, numbers, and how it becomes a PNG."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib.style
from matplotlib.figure import Figure

# A chart with numbers and words has its own background, to look the same in light and dark themes.
INK, FAINT, PAPER = "#24292f", "#656d76", "#fbfaf6"
LIGHT_BLUE, STEEL, BLUE = "#8fb3d9", "#456f9b", "#1f6fb2"  # STEEL for words about LIGHT_BLUE
OUTLINE = "#b6bcc4"

# A picture of maps or vectors is transparent: its ink is a middle gray, readable on light and dark.
MIDDLE_GRAY, DPI = "#868686", 160


@contextmanager
def course_style() -> Iterator[None]:
    """Inside, matplotlib's defaults hold, whose fonts are DejaVu, whatever the user has set."""
    with matplotlib.style.context("default"):
        yield


def png(figure: Figure, transparent: bool = False) -> bytes:
    """The figure's PNG."""
    file = io.BytesIO()
    figure.savefig(file, format="png", transparent=transparent)
    return file.getvalue()


def in_percent(text: str, number: float) -> str:
    """The format string with the number; a percent sign stands apart, as in our texts."""
    return text.format(number).replace("%", " %")
