"""Charts: the loss ladder, and the loss curve of a training run."""

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from minigpt_challenge.coach.records.ladder import PLACES, Place, Rung
from minigpt_challenge.given.training import Measurement

INK, FAINT, PAPER = "#24292f", "#6e7781", "#fbfaf6"
REACHED, NEWEST, EMPTY = "#8fb3d9", "#1f6fb2", "#b6bcc4"
NARROW, LINES = 46, 2  # of a sample: characters in a line, and how many lines
BAR_HEIGHT = 0.56
UNIT = 0.1  # inches in a unit of x; a bar of 1 nat is BAR_UNITS of them
BAR_UNITS, BARS_AT, SAMPLES_AT, WIDTH = 7.6, 21.5, 61, 100


def draw_ladder(rungs: tuple[Rung, ...]) -> bytes:
    """The ladder as a PNG, with a background of its own so that it reads well on light and dark."""
    return _png(ladder_figure(rungs))


def ladder_figure(rungs: tuple[Rung, ...]) -> Figure:
    """The rungs that are reached as filled bars with a sample, the others as outlines."""
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
            _reached(axes, row, reached[place.name], NEWEST if row == last else REACHED)
        else:
            _empty(axes, row, place, passed_by=row < last)
    return figure


def _reached(axes: Axes, row: int, rung: Rung, colour: str) -> None:
    length = min(rung.loss, PLACES[0].typical * 1.05) * BAR_UNITS
    _bar(axes, row, length, facecolor=colour, edgecolor=colour)
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


def _empty(axes: Axes, row: int, place: Place, passed_by: bool) -> None:
    length = place.typical * BAR_UNITS
    _bar(axes, row, length, facecolor="none", edgecolor=EMPTY, linestyle=(0, (4, 3)))
    if passed_by:
        axes.text(
            BARS_AT + length + 0.8,
            row,
            f"about {place.typical:.1f}",
            size=9,
            color=FAINT,
            va="center",
        )
        axes.text(SAMPLES_AT, row, "not trained here", size=9, color=FAINT, va="center")


def _bar(axes: Axes, row: int, length: float, **style) -> None:
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
    """Of the lines that hold something, those neighbours that say most, cut to what fits."""
    lines = [line for line in sample.splitlines() if line.strip()]
    starts = range(max(len(lines) - LINES, 0) + 1)
    neighbours = [lines[start : start + LINES] for start in starts]
    best = max(neighbours, key=lambda some: sum(min(len(line), NARROW) for line in some))
    return "\n".join(line if len(line) <= NARROW else line[: NARROW - 1] + "…" for line in best)


def draw_loss_curve(history: list[Measurement], target: float | None = None) -> bytes:
    """Training and evaluation loss against the step, and the target where there is one: a PNG."""
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
