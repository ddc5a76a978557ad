"""Attention maps on a line of Shakespeare, with a caption that says what to see in them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from minigpt_challenge.coach.checks.attention_probe import attention_maps
from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.reports.attention_patterns import (
    shares,
    shares_in_words,
    telling_heads,
)
from minigpt_challenge.coach.reports.attention_pictures import draw_cells
from minigpt_challenge.coach.reports.chart_style import DPI, INK, MIDDLE_GRAY, course_style, png
from minigpt_challenge.coach.reports.html import Picture
from minigpt_challenge.coach.reports.trained_maps import rung_maps
from minigpt_challenge.given.vocabulary import Vocabulary

TILE = (0.18, 0.5, 0.93, 1.0)  # RGBA of a cell; the weight sets its opacity
ONE_MAP, SEVERAL_MAPS = 6.2, 4.3  # the width of a map in inches: alone, and side by side
LINE = "Romeo, Romeo! wherefore art thou"  # 32 characters: a trained model reads no more
LINES_FOR_WEIGHTS_BY_HAND = {
    "task2_attention": "Romeo, Romeo! wherefore art thou Romeo?",
    "task3_einsum_attention": "Romeo, Romeo! wherefore",  # two heads have less room
}
HOW_TO_READ = (
    "Each row is a position, and shows how much that position takes from itself and from each "
    "earlier position. Above the diagonal is the future: nothing is taken from there."
)
OLSSON = "Olsson et al., 2022, “In-context Learning and Induction Heads”"


def attention_at_work(task: Task, answer: Path) -> Picture | None:
    """The learner's attention with weights set by hand; None if there are no maps to show."""
    if task.stem not in LINES_FOR_WEIGHTS_BY_HAND:
        return None
    line = LINES_FOR_WEIGHTS_BY_HAND[task.stem]
    maps = attention_maps(task, answer, line)
    if maps is None:
        return None
    N = len(maps.seen)
    titles = ["head 0: induction", "head 1: previous token"] if N > 1 else [""]
    return _picture(maps.seen, titles, line, _by_hand_caption(N))


def rung_attention(model: Any, params: Any, vocabulary: Vocabulary) -> Picture | None:
    """What the attention of a trained `LookBackAndGuess` looks at; None if there are no maps."""
    maps = rung_maps(model, params, jnp.asarray(vocabulary.encode(LINE)))
    return None if maps is None else trained_rung(maps, LINE)


def trained_rung(maps: np.ndarray, text: str) -> Picture:
    """The trained attention of a rung of the ladder: float (N, T, S), and the text of the T."""
    N = len(maps)
    titles = [f"head {n}" for n in range(N)] if N > 1 else [""]
    return _picture(maps, titles, text, _rung_caption(maps))


def trained_gpt_picture(maps: np.ndarray, text: str) -> Picture:
    """The heads of a trained GPT that show most, for a light page: maps are float (L, N, T, S)."""
    L, N = maps.shape[:2]
    heads = telling_heads(maps)
    titles = [f"block {head.index[0]}, head {head.index[1]}: {head.label}" for head in heads]
    first, *others = (head.pattern.words for head in heads)
    chosen = "; of the others, the one that ".join([f"the one that {first}", *others])
    caption = (
        f"{HOW_TO_READ} These heads were chosen by their maps, among the {L * N} trained ones "
        f"({L} blocks of {N}): {chosen}. The numbers are averages over the positions of this line, "
        "without the first."
    )
    return _picture(np.stack([head.weights for head in heads]), titles, text, caption, INK)


def _by_hand_caption(num_heads: int) -> str:
    induction = (
        "looks for the character that followed the same two characters earlier in the line. That "
        "is what an induction head does in a trained model"
    )
    if num_heads == 1:
        heads = (
            f"Each position {induction} ({OLSSON}). The slanted lines appear where “Romeo” is "
            "repeated."
        )
    else:
        heads = (
            f"In head 0 each position {induction}: see the slanted line where “Romeo” is repeated. "
            "In head 1 each position looks at the character just before: it is a previous-token "
            f"head. Induction heads build on one in an earlier layer ({OLSSON})."
        )
    return (
        f"Your attention at work, with weights that were set by hand, not trained. {HOW_TO_READ} "
        f"{heads}"
    )


def _rung_caption(maps: np.ndarray) -> str:
    """What to see in the trained maps of a rung, float (N, T, S)."""
    names = [f"head {n} takes" for n in range(len(maps))] if len(maps) > 1 else ["the head takes"]
    parts = [f"{name} {shares_in_words(map)}" for name, map in zip(names, maps, strict=True)]
    caption = f"Your attention, trained. {HOW_TO_READ} On average, {'; '.join(parts)}."
    if any(max(shares(map), key=shares(map).__getitem__) == "itself" for map in maps):
        caption += (
            " In this model the logits are computed from the output of attention alone, so the "
            "position's own character has to come through attention, too."
        )
    return caption


def _picture(
    maps: np.ndarray, titles: Sequence[str], text: str, caption: str, ink: str = MIDDLE_GRAY
) -> Picture:
    alt = f"Attention map on the line “{text}”. {caption}"
    with course_style():
        figure = maps_figure(maps, titles, text, ink)
        return Picture(png(figure, transparent=True), alt, caption, figure.get_figwidth() * 96)


def maps_figure(maps: np.ndarray, titles: Sequence[str], text: str, ink: str) -> Figure:
    """Maps, float (N, T, S), two in a row, with the characters of the text along both axes."""
    N = len(maps)
    columns, size = min(N, 2), ONE_MAP if N == 1 else SEVERAL_MAPS
    rows = -(-N // columns)
    figure = Figure(figsize=(size * columns, size * rows), dpi=DPI, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    marks = {"ticks": range(len(text)), "labels": text.replace(" ", "·")}
    style = {"family": "monospace", "size": 11 if N == 1 else 9 if len(text) < 30 else 7.5}
    for weights, title, axes in zip(maps, titles, panels, strict=False):
        tiles = np.empty((*weights.shape, 4))
        tiles[...] = TILE
        seen = (weights > 0) | np.tri(len(text), dtype=bool)
        tiles[..., 3] = np.where(seen, 0.1 + 0.9 * np.clip(weights, 0, 1) ** 0.6, 0)
        draw_cells(axes, tiles)
        axes.tick_params(colors=ink)
        axes.set_xticks(**marks, **style)
        axes.set_yticks(**marks, **style)
        axes.set_title(title, color=ink, size=10)
    for empty in panels:
        empty.axis("off")
    return figure
