"""The trained vectors of the characters as points in a plane."""

import jax
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from minigpt_challenge.coach.reports.character_vectors import (
    GROUPS,
    character_vectors,
    group_of,
    projected,
    same_neighbors,
    vectors_figure,
)
from minigpt_challenge.coach.runtime.loading import solution
from minigpt_challenge.given.rungs import EmbedAndGuess
from minigpt_challenge.given.vocabulary import SHAKESPEARE
from tests.project.reports.test_personal_page import contrast

V, C = SHAKESPEARE.size, 6


@pytest.fixture
def trained():
    """A model, and params in which only the first three numbers of the token's rows differ."""
    model = EmbedAndGuess(solution(1).TokenAndPositionEmbedding(V, 4, C), V)
    params = jax.device_get(model.init(jax.random.key(0), np.zeros((1, 4), int)))
    rows = np.zeros((V, C), np.float32)
    rows[:, :3] = np.random.default_rng(0).normal(size=(V, 3)) * (9, 3, 1)
    params["params"]["embedding"]["token_embedding"]["embedding"] = rows
    return model, params, rows


def test_the_projection_keeps_the_directions_of_the_largest_variance(trained):
    rows = trained[2]
    points, kept = projected(rows)
    ours = np.linalg.norm(points[:, None] - points[None], axis=-1)
    best = np.linalg.norm(rows[:, None, :2] - rows[None, :, :2], axis=-1)
    assert np.corrcoef(ours.ravel(), best.ravel())[0, 1] > 0.99
    assert 0.95 < kept.sum() < 1 and kept[0] > kept[1]
    np.testing.assert_allclose(kept, points.var(0) / rows.var(0).sum(), rtol=1e-4)


def test_the_points_are_those_of_the_token_table_wherever_it_is(trained):
    model, params, rows = trained
    points, kept = projected(rows)
    picture = character_vectors(model, params, SHAKESPEARE)
    assert f"hold {kept.sum():.0%}".replace("%", " %") in picture.caption
    for name, (number, size) in same_neighbors(points, SHAKESPEARE.characters).items():
        assert f"{number} of {size} {name}" in picture.caption
    assert f"{V} characters has a vector of {C} numbers" in picture.caption
    assert picture.png.startswith(b"\x89PNG") and picture.caption in picture.alt


def test_neighbors_of_the_same_group_are_counted():
    points = np.array([[0, 0], [0, 1], [9, 9], [9, 8], [0, 2], [5, 0]], float)
    assert same_neighbors(points, "aeABx!") == {
        "vowels": (2, 2),
        "other lower-case letters": (0, 1),
        "capitals": (2, 2),
        "other characters": (0, 1),
    }
    assert "capitals" not in same_neighbors(points[:2], "ae")


def test_every_character_is_drawn_at_its_place_in_the_color_of_its_group():
    points = np.random.default_rng(0).normal(size=(V, 2))
    figure = vectors_figure(points, np.array([0.2, 0.1]), SHAKESPEARE.characters)
    drawn = {text.get_position(): text for text in figure.axes[0].findobj(Text)}
    for character, point in zip(SHAKESPEARE.characters, points, strict=True):
        text = drawn[tuple(point)]
        assert text.get_text() == {"\n": "↵", " ": "␣"}.get(character, character)
        assert to_hex(text.get_color()) == GROUPS[group_of(character)][1]
    assert [group_of(character) for character in "eyE$"] == list(GROUPS)


def test_the_colors_are_readable_on_light_and_dark():
    for _, color in GROUPS.values():
        assert contrast(color, "#ffffff") > 3.5 and contrast(color, "#15181d") > 3.5
