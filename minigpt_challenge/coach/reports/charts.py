"""Charts: the loss ladder, and the loss curve of a training run."""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from minigpt_challenge.coach.records.ladder import PLACES, Place, Rung
from minigpt_challenge.given.training import Measurement

INK, FAINT, PAPER = "#24292f", "#6e7781", "#fbfaf6"
REACHED, NEWEST, EMPTY = "#8fb3d9", "#1f6fb2", "#b6bcc4"
LINE_LENGTH, NUM_LINES = 46, 2  # of a sample: characters in a line, lines
BAR_HEIGHT = 0.56
UNIT = 0.1  # inches in a unit of x
UNITS_PER_NAT, BARS_AT, SAMPLES_AT, WIDTH = 7.6, 21.5, 61, 100  # in units of x


def draw_ladder(rungs: tuple[Rung, ...]) -> bytes:
    """The ladder as a PNG, with its own background, to be readable in light and dark themes."""
    return _png(ladder_figure(rungs))


def ladder_figure(rungs: tuple[Rung, ...]) -> Figure:
    """The rungs that are reached as filled bars with a sample, the others as outlined bars."""
    reached = {rung.name: rung for rung in rungs}
    last = max((row for row, place in enumerate(PLACES) if place.name in reached), default=0)
    figure = Figure(figsize=(WIDTH * UNIT, 0.62 * (len(PLACES) + 1.45)), dpi=150)
    figure.patch.set_facecolor(PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(len(PLACES) - 0.35, -1.8))
    axes.axis("off")
    axes.text(2, -1.32, "The loss ladder", size=14, weight="bold", color=INK, va="center")
    axes.text(2, -0.82, "evaluation loss, nats per character", size=9, color=FAINT, va="center")
    axes.text(SAMPLES_AT, -0.82, "what it writes", size=9, color=FAINT, va="center")
    for row, place in enumerate(PLACES):
        axes.text(2, row - 0.14, place.name, size=11, color=INK, va="center")
        remark = reached[place.name].remark if place.name in reached else ""
        axes.text(2, row + 0.2, remark or place.caption, size=8, color=FAINT, va="center")
        if place.name in reached:
            _draw_reached(axes, row, reached[place.name], NEWEST if row == last else REACHED)
        else:
            _draw_outline(axes, row, place, skipped=row < last)
    return figure


def _draw_reached(axes: Axes, row: int, rung: Rung, colour: str) -> None:
    length = min(rung.loss, PLACES[0].typical * 1.05) * UNITS_PER_NAT
    _draw_bar(axes, row, length, facecolor=colour, edgecolor=colour)
    axes.text(
        BARS_AT + length + 0.8,
        row,
        f"{rung.loss:.2f}",
        size=11,
        weight="bold" if colour == NEWEST else "normal",
        color=INK,
        va="center",
    )
    axes.text(
        SAMPLES_AT,
        row,
        _excerpt(rung.sample),
        size=8.5,
        family="monospace",
        color=INK,
        va="center",
        linespacing=1.35,
        parse_math=False,
    )


def _draw_outline(axes: Axes, row: int, place: Place, skipped: bool) -> None:
    """Draw a rung that is not reached; with its typical loss if a later one is."""
    length = place.typical * UNITS_PER_NAT
    _draw_bar(axes, row, length, facecolor="none", edgecolor=EMPTY, linestyle=(0, (4, 3)))
    if skipped:
        axes.text(
            BARS_AT + length + 0.8,
            row,
            f"about {place.typical:.1f}",
            size=9,
            color=FAINT,
            va="center",
        )
        axes.text(SAMPLES_AT, row, "not trained here", size=9, color=FAINT, va="center")


def _draw_bar(axes: Axes, row: int, length: float, **style: Any) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (BARS_AT, row - BAR_HEIGHT / 2),
            length,
            BAR_HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.12",
            mutation_aspect=1,
            linewidth=1.2,
            **style,
        )
    )


def _excerpt(sample: str) -> str:
    """The neighbouring non-blank lines with the most characters, cut to the line length."""
    lines = [line for line in sample.splitlines() if line.strip()]
    starts = range(max(len(lines) - NUM_LINES, 0) + 1)
    neighbours = [lines[start : start + NUM_LINES] for start in starts]
    best = max(neighbours, key=lambda group: sum(min(len(line), LINE_LENGTH) for line in group))
    return "\n".join(
        line if len(line) <= LINE_LENGTH else line[: LINE_LENGTH - 1] + "…" for line in best
    )


def draw_loss_curve(history: list[Measurement], target: float | None = None) -> bytes:
    """Training and evaluation loss against the step, and the target if there is one, as a PNG."""
    figure = Figure(figsize=(8, 4.5), dpi=150, layout="constrained")
    axes = figure.subplots()
    steps = [measured.step for measured in history]
    axes.plot(steps, [measured.train_loss for measured in history], label="training", color="C7")
    axes.plot(
        steps, [measured.eval_loss for measured in history], label="evaluation", color="C0", lw=2
    )
    if target is not None:
        axes.axhline(target, color="C2", ls="--", label=f"target {target}")
    axes.set(xlabel="step", ylabel="loss, nats per character")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", transparent=False)
    return file.getvalue()
