"""The trained vectors of the characters, projected to a plane."""

import string
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from minigpt_challenge.coach.reports.chart_style import (
    DPI,
    MIDDLE_GRAY,
    course_style,
    in_percent,
    png,
)
from minigpt_challenge.coach.reports.html import Picture
from minigpt_challenge.given.vocabulary import Vocabulary

VOWELS = "aeiou"
# Readable on light and dark; a character that is in no group belongs to the last.
GROUPS = {
    "vowels": (VOWELS, "#d9660f"),
    "other lower-case letters": (set(string.ascii_lowercase) - set(VOWELS), "#3584d0"),
    "capitals": (string.ascii_uppercase, "#2f8f57"),
    "other characters": ("", "#a35bd6"),
}
OTHERS = "other characters"
VISIBLE = {"\n": "↵", " ": "␣"}
STYLE: dict[str, Any] = {"size": 13, "weight": "bold", "parse_math": False}
WIDTH, HEIGHT = 7.6, 6.4  # inches


def character_vectors(model: Any, params: Any, vocabulary: Vocabulary) -> Picture:
    """What the embedding of an `EmbedAndGuess` has learned.

    Each character is embedded at position 0, so that tables of any names will do. The row of the
    position, which all have in common, does not change the projection.
    """
    tokens = jnp.arange(vocabulary.size)[:, None]  # (V, 1)
    embedding = {"params": params["params"]["embedding"]}
    vectors = np.asarray(model.embedding.apply(embedding, tokens))[:, 0]  # (V, C)
    points, kept = projected(vectors)
    caption = _caption(vectors.shape, same_neighbors(points, vocabulary.characters), kept.sum())
    with course_style():
        figure = vectors_figure(points, kept, vocabulary.characters)
        alt = f"The trained vectors of the characters as points in a plane. {caption}"
        return Picture(png(figure, transparent=True), alt, caption, WIDTH * 96)


def projected(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The projection to the two directions of the largest variance (PCA).

    Args:
        vectors: float (V, C).

    Returns:
        the points, float (V, 2), and the share of the variance along each direction, (2,).
    """
    left, lengths, _ = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)
    variances = lengths**2
    return left[:, :2] * lengths[:2], variances[:2] / variances.sum()


def group_of(character: str) -> str:
    """The name of the character's group."""
    names = (name for name, (members, _) in GROUPS.items() if character in members)
    return next(names, OTHERS)


def same_neighbors(points: np.ndarray, characters: str) -> dict[str, tuple[int, int]]:
    """For each group, how many of its points have a nearest one of the same group, and its size."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)  # (V, V)
    np.fill_diagonal(distances, np.inf)
    groups = np.array([group_of(character) for character in characters])
    same = groups[distances.argmin(-1)] == groups
    return {
        name: (int(same[groups == name].sum()), int((groups == name).sum()))
        for name in GROUPS
        if (groups == name).any()
    }


def _caption(shape: tuple[int, ...], same: dict[str, tuple[int, int]], kept: float) -> str:
    V, C = shape
    counts = ", ".join(f"{number} of {size} {name}" for name, (number, size) in same.items())
    return (
        f"Your embedding, trained. Each of the {V} characters has a vector of {C} numbers; this is "
        "a projection of them to the two directions in which they differ most (PCA), which hold "
        f"{in_percent('{:.0%}', kept)} of their variance. The model predicts the next character "
        "from this vector, so characters that are followed by the same ones get similar vectors; "
        "it was never told what a letter is. In the picture the nearest neighbor has the same "
        f"color for {counts}. (↵ is the end of a line, ␣ the space.)"
    )


def vectors_figure(points: np.ndarray, kept: np.ndarray, characters: str) -> Figure:
    """The characters at their points, float (V, 2), in the colors of their groups."""
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    for character, (x, y) in zip(characters, points, strict=True):
        shown, color = VISIBLE.get(character, character), GROUPS[group_of(character)][1]
        axes.text(x, y, shown, color=color, ha="center", va="center", **STYLE)
    axes.update_datalim(points)
    axes.margins(0.06)
    axes.autoscale_view()
    axes.set_aspect("equal", adjustable="datalim")
    first, second = (in_percent("{:.0%} of the variance", share) for share in kept)
    axes.set_xlabel(f"first direction, {first}", size=9, color=MIDDLE_GRAY)
    axes.set_ylabel(f"second direction, {second}", size=9, color=MIDDLE_GRAY)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color(MIDDLE_GRAY)
    for place, (name, (_, color)) in enumerate(GROUPS.items()):
        x = (0, 0.13, 0.5, 0.68)[place]
        axes.text(x, 1.02, name, transform=axes.transAxes, color=color, size=11, weight="bold")
    return figure
