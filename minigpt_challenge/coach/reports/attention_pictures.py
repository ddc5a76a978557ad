"""The learner's attention map beside the expected one, with a caption that says what differs."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minigpt_challenge.coach.checks.attention_probe import AttentionMaps, attention_maps
from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.reports.chart_style import DPI, MIDDLE_GRAY, course_style, png
from minigpt_challenge.coach.reports.html import Picture

# Each cell with a number has a color of its own, and an ink that contrasts with it.
LEAK = "#e11d48"
WEIGHTS = LinearSegmentedColormap.from_list("weights", ["#dcebfa", "#5b9bd5", "#0b3c78"])
DIFFERENCES = LinearSegmentedColormap.from_list(
    "differences", ["#6d28a8", "#d9c8ee", "#f4f4f4", "#fbd3a6", "#c2530a"]
)


def compared_attention(task: Task, answer: Path) -> Picture | None:
    """The learner's attention beside the expected one; None if there are no weights to show."""
    maps = attention_maps(task, answer)
    return draw_comparison(maps) if maps else None


def draw_comparison(maps: AttentionMaps) -> Picture:
    """The learner's weights, the expected ones, and the difference: one row for each head."""
    caption = _comparison_caption(maps)
    alt = f"Your attention map beside the expected one. {caption}"
    with course_style():
        return Picture(png(_comparison(maps), transparent=True), alt, caption, 8.4 * 96)


def _comparison(maps: AttentionMaps) -> Figure:
    N = len(maps.seen)
    figure = Figure(figsize=(8.4, 3.0 * N), dpi=DPI, layout="constrained")
    rows = figure.subplots(N, 3, squeeze=False)
    panels = zip(rows, maps.seen, maps.expected, maps.leaks, maps.differs, strict=True)
    for n, (row, seen, expected, leaks, differs) in enumerate(panels):
        head = f", head {n}" if N > 1 else ""
        _draw_numbers(row[0], f"yours{head}", seen, WEIGHTS, (0, 1), "{:.2f}", ~(seen == 0))
        _draw_numbers(row[1], f"expected{head}", expected, WEIGHTS, (0, 1), "{:.2f}", expected > 0)
        _draw_numbers(
            row[2], "yours − expected", seen - expected, DIFFERENCES, (-1, 1), "{:+.2f}", differs
        )
        for t, s in np.argwhere(leaks):
            row[0].add_patch(Rectangle((s - 0.46, t - 0.46), 0.92, 0.92, fill=False, ec=LEAK, lw=2))
    return figure


def _comparison_caption(maps: AttentionMaps) -> str:
    """What to see in the comparison, in the learner's own numbers."""
    if not maps.differs.any():
        return (
            "All your weights are the expected ones: the mistake is elsewhere, before the weights "
            "or after them."
        )
    summary = f"{int(maps.differs.sum())} of {maps.seen.size} weights differ"
    if np.isnan(maps.seen).any():
        positions = np.isnan(maps.seen).any(axis=(0, 2)).nonzero()[0]
        noun = "position" if len(positions) == 1 else "positions"
        numbers = ", ".join(map(str, positions))
        summary = f"NaN (not a number) is among the weights of {noun} {numbers}; {summary}"
    if not maps.leaks.any():
        return f"{summary}. No weight lies in the future.{_sums_caption(maps.seen)}"
    n, t, s = np.unravel_index(np.where(maps.leaks, np.abs(maps.seen), 0).argmax(), maps.seen.shape)
    head = f"in head {n}, " if len(maps.seen) > 1 else ""
    return (
        f"Leaks are outlined in red: {head}position {t} takes {maps.seen[n, t, s]:.2f} from "
        f"position {s}, which is in its future. {summary}."
    )


def _sums_caption(weights: np.ndarray) -> str:
    """A sentence if the weights of a position do not sum to 1: float (N, T, S).

    Then the softmax may have counted the future, although no weight is left there.
    """
    sums = weights.sum(-1)  # (N, T)
    n, t = np.unravel_index(np.abs(sums - 1).argmax(), sums.shape)
    if np.isnan(sums).any() or abs(sums[n, t] - 1) < 0.005:
        return ""
    head = f"in head {n}, " if len(weights) > 1 else ""
    return f" But {head}those of position {t} sum to {sums[n, t]:.2f} instead of 1."


def _draw_numbers(
    axes: Axes,
    title: str,
    values: np.ndarray,
    colors: Colormap,
    limits: tuple[float, float],
    number_format: str,
    shown: np.ndarray,
) -> None:
    """Draw a panel with a number in each cell.

    Args:
        axes: where to draw.
        title: the panel's title.
        values: float (T, S).
        colors: maps the values between `limits` to colors.
        limits: the values with the first and the last color.
        number_format: of a number, as for `str.format`.
        shown: bool (T, S), which cells to draw.
    """
    tiles = colors(np.interp(np.nan_to_num(values), limits, (0, 1)))  # (T, S, 4)
    tiles[np.isnan(values)] = 0.75, 0.75, 0.75, 1.0
    tiles[..., 3] = shown
    draw_cells(axes, tiles)
    for t, s in np.argwhere(shown):
        red, green, blue, _ = colors(np.interp(np.nan_to_num(values[t, s]), limits, (0, 1)))
        ink = "white" if 0.3 * red + 0.6 * green + 0.1 * blue < 0.55 else "#10233f"
        number = "NaN" if np.isnan(values[t, s]) else number_format.format(values[t, s])
        number = number.replace("+0.00", "≈ 0").replace("-0.00", "≈ 0").replace("-", "−")
        axes.text(s, t, number, ha="center", va="center", size=8, color=ink)
    axes.set_title(title, color=MIDDLE_GRAY, size=11, weight="bold")
    axes.set_xticks(range(len(values)))
    axes.set_yticks(range(len(values)))
    axes.set_xlabel("takes from position s", color=MIDDLE_GRAY, size=9)
    axes.set_ylabel("position t", color=MIDDLE_GRAY, size=9)


def draw_cells(axes: Axes, tiles: np.ndarray) -> None:
    """Draw colored cells, RGBA (T, S, 4), with a thin grid."""
    axes.imshow(tiles, interpolation="nearest")
    T = len(tiles)
    lines = np.arange(T + 1) - 0.5
    axes.hlines(lines, -0.5, T - 0.5, color=MIDDLE_GRAY, lw=0.5, alpha=0.5)
    axes.vlines(lines, -0.5, T - 0.5, color=MIDDLE_GRAY, lw=0.5, alpha=0.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=MIDDLE_GRAY)
