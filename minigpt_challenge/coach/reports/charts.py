"""Charts: the loss ladder, and the loss curve of a training run."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator

from minigpt_challenge.coach.records.ladder import PLACES, UNIFORM, Rung, perplexity
from minigpt_challenge.coach.reports.chart_style import (
    BLUE,
    FAINT,
    INK,
    LIGHT_BLUE,
    OUTLINE,
    PAPER,
    STEEL,
    course_style,
    png,
)
from minigpt_challenge.given.milestone import TARGET_LOSS
from minigpt_challenge.given.training_run import Measurement

LINE_LENGTH, NUM_LINES = 46, 2  # of a sample: characters in a line, lines
BAR_HEIGHT = 0.56
UNIT = 0.1  # inches in a unit of x
UNITS_PER_NAT, BARS_AT, SAMPLES_AT, WIDTH = 6.9, 21.5, 63, 100  # in units of x
MAX_LENGTH = UNIFORM.loss * UNITS_PER_NAT  # of a bar
TARGET_AT = BARS_AT + TARGET_LOSS * UNITS_PER_NAT


def draw_ladder(rungs: tuple[Rung, ...]) -> bytes:
    """The ladder as a PNG, with its own background, to be readable in light and dark themes."""
    with course_style():
        return png(ladder_figure(rungs))


def ladder_figure(rungs: tuple[Rung, ...]) -> Figure:
    """The rungs that are reached as filled bars with a sample, the others as outlined bars.

    The outlined ones are all of one width, so that they say nothing about the losses to come.
    """
    reached = {rung.name: rung for rung in rungs}
    last = max((row for row, place in enumerate(PLACES) if place.name in reached), default=0)
    figure = Figure(figsize=(WIDTH * UNIT, 0.62 * (len(PLACES) + 1.65)), dpi=150)
    figure.patch.set_facecolor(PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(len(PLACES) - 0.35, -2))
    axes.axis("off")
    _text(axes, 2, -1.52, "The loss ladder", size=14, weight="bold")
    heading = "evaluation loss, nats per character, and among how many characters it is as unsure"
    _text(axes, 2, -1.02, heading, size=9, color=FAINT)
    _text(axes, SAMPLES_AT, -1.02, "what it writes", size=9, color=FAINT)
    for row, place in enumerate(PLACES):
        _text(axes, 2, row - 0.14, place.name, size=11)
        remark = reached[place.name].remark if place.name in reached else ""
        _text(axes, 2, row + 0.2, remark or place.caption, size=8, color=FAINT)
        if place.name in reached:
            _draw_reached(axes, row, reached[place.name], BLUE if row == last else LIGHT_BLUE)
        else:
            _draw_bar(axes, row, MAX_LENGTH, fc="none", ec=OUTLINE, linestyle=(0, (4, 3)))
            if row < last:
                _text(axes, SAMPLES_AT, row, "not trained here", size=9, color=FAINT)
    axes.vlines(TARGET_AT, -0.42, len(PLACES) - 0.58, color=INK, lw=1.1, ls=(0, (2, 2)))
    label = f"the milestone: below {TARGET_LOSS}"
    _text(axes, TARGET_AT, -0.58, label, size=8, ha="center")
    return figure


def _draw_reached(axes: Axes, row: int, rung: Rung, color: str) -> None:
    length = min(rung.loss * UNITS_PER_NAT, MAX_LENGTH)
    _draw_bar(axes, row, length, fc=color, ec=color)
    weight = "bold" if color == BLUE else "normal"
    after = max(BARS_AT + length, TARGET_AT) + 0.8
    _text(axes, after, row - 0.14, f"{rung.loss:.2f}", size=11, weight=weight)
    _text(axes, after, row + 0.2, perplexity(rung.loss), size=8, color=FAINT)
    style = {"size": 8.5, "family": "monospace", "linespacing": 1.35, "parse_math": False}
    _text(axes, SAMPLES_AT, row, _excerpt(rung.sample), **style)


def _text(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    axes.text(x, y, text, **{"color": INK, "va": "center"} | style)


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
    """The neighboring non-blank lines with the most characters, cut to the line length."""
    lines = [line for line in sample.splitlines() if line.strip()]
    starts = range(max(len(lines) - NUM_LINES, 0) + 1)
    neighbors = [lines[start : start + NUM_LINES] for start in starts]
    best = max(neighbors, key=lambda group: sum(min(len(line), LINE_LENGTH) for line in group))
    return "\n".join(
        line if len(line) <= LINE_LENGTH else line[: LINE_LENGTH - 1] + "…" for line in best
    )


def draw_loss_curve(history: list[Measurement], target: float | None = None) -> bytes:
    """Training and evaluation loss against the step, and the target if there is one, as a PNG."""
    with course_style():
        return png(loss_curve_figure(history, target))


def loss_curve_figure(history: list[Measurement], target: float | None = None) -> Figure:
    """A point for each measurement; the lines are labeled at their ends."""
    figure = Figure(figsize=(8, 5), dpi=150)
    figure.patch.set_facecolor(PAPER)
    axes = figure.add_axes((0.085, 0.23, 0.745, 0.72), facecolor=PAPER)
    steps, train, evaluation = np.array([measured[:3] for measured in history], float).T
    if target is not None:
        axes.axhline(target, color=INK, lw=1.1, ls=(0, (2, 2)))
        _label(axes, 0.01, target, f"target {target}", size=9, va="bottom")
    axes.plot(steps, train, color=LIGHT_BLUE, lw=1.8, marker="o", ms=2.5)
    axes.plot(steps, evaluation, color=BLUE, lw=2.2, marker="o", ms=3)
    axes.margins(x=0.02)
    axes.set_xlabel("step", color=INK)
    axes.set_ylabel("loss, nats per character", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(OUTLINE)
    axes.tick_params(color=OUTLINE, labelcolor=FAINT)
    _label_ends(axes, history[-1])
    note = textwrap.fill(training_note(history), 112)
    figure.text(0.085, 0.115, note, size=8.5, color=FAINT, va="top", linespacing=1.4)
    return figure


def _label_ends(axes: Axes, last: Measurement) -> None:
    """Write what each line is to the right of its end, the two labels apart."""
    labels = [
        (last.eval_loss, f"evaluation {last.eval_loss:.2f}", BLUE, "bold"),
        (last.train_loss, f"training {last.train_loss:.2f}", STEEL, "normal"),
    ]
    lowest, highest = axes.get_ylim()
    above = -np.inf  # where the next label may be
    for loss, text, color, weight in sorted(label for label in labels if np.isfinite(label[0])):
        height = max(loss, above)
        above = height + (highest - lowest) / 17  # the height of a line of text
        _label(axes, 1.015, height, text, color=color, weight=weight, size=10)


def _label(axes: Axes, x: float, loss: float, text: str, **style: Any) -> None:
    """Write the text at a loss; x is a fraction of the width."""
    _text(axes, x, loss, text, transform=axes.get_yaxis_transform(), **style)


def training_note(history: list[Measurement]) -> str:
    """Why the two losses differ at the last measurement."""
    if len(history) < 2:
        return "Before the first step: both losses are of the untrained model."
    previous, last = history[-2:]
    note = "The training loss of a point is the mean over the steps since the point before it."
    if last.train_loss > last.eval_loss and last.eval_loss < previous.eval_loss:
        return (
            f"{note} The model improved during these steps, so their mean is above the evaluation "
            "loss, which is measured after them."
        )
    if last.train_loss < last.eval_loss:
        return (
            f"{note} At the end it is below the evaluation loss all the same: the model predicts "
            "the text that it is trained on better than text that it has never seen."
        )
    return note
