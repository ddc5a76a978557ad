"""What heads look at is computed from their maps."""

import numpy as np
import pytest

from minigpt_challenge.coach.reports.attention_on_text import (
    maps_figure,
    trained_gpt_picture,
    trained_rung,
)
from minigpt_challenge.coach.reports.attention_patterns import (
    positions_used,
    share_from,
    shares_in_words,
    telling_heads,
)

T = 8
ITSELF = np.eye(T)
PREVIOUS = np.eye(T, k=-1)
PREVIOUS[0, 0] = 1
TWO_BEFORE = np.eye(T, k=-2)
TWO_BEFORE[:2, 0] = 1
SPREAD = np.tri(T) / np.arange(1, T + 1)[:, None]
MIXED = 0.7 * ITSELF + 0.2 * PREVIOUS + 0.1 * TWO_BEFORE
MAPS = np.stack([[TWO_BEFORE, MIXED, SPREAD], [ITSELF, SPREAD, PREVIOUS]])  # (L, N, T, S)


def test_the_first_position_counts_nowhere_since_it_sees_only_itself():
    assert share_from(0, PREVIOUS) == 0 and share_from(1, PREVIOUS) == 1
    assert share_from(0, np.eye(1)) == share_from(3, ITSELF[:2, :2]) == 0


def test_the_positions_used():
    assert positions_used(ITSELF) == pytest.approx(1)
    assert positions_used(SPREAD) == pytest.approx(np.arange(2, T + 1).mean())
    assert positions_used(np.eye(1)) == 1


def test_the_head_that_shows_a_pattern_most_is_chosen():
    heads = telling_heads(MAPS)
    assert [head.index for head in heads] == [(1, 0), (1, 2), (0, 0), (0, 2)]
    assert [head.label for head in heads] == [
        "itself 100 %",
        "one before 100 %",
        "two before 100 %",
        "spread over 5.0 positions",
    ]


def test_no_head_is_chosen_twice():
    same = np.broadcast_to(MIXED, (1, 3, T, T))
    assert sorted(head.index for head in telling_heads(same)) == [(0, 0), (0, 1), (0, 2)]


def test_the_shares_in_words_begin_with_the_largest():
    assert shares_in_words(MIXED) == (
        "70 % from itself, 21 % from the character just before and 9 % from further back"
    )
    assert shares_in_words(PREVIOUS).startswith("100 % from the character just before, ")


def test_the_caption_of_a_rung_describes_its_own_maps():
    text = "to be, o"
    picture = trained_rung(np.stack([MIXED, PREVIOUS]), text)
    assert "head 0 takes 70 % from itself" in picture.caption
    assert "head 1 takes 100 % from the character just before" in picture.caption
    assert "has to come through attention" in picture.caption
    alone = trained_rung(PREVIOUS[None], text)
    assert "the head takes 100 %" in alone.caption and "come through" not in alone.caption
    assert text in alone.alt and alone.png.startswith(b"\x89PNG")


@pytest.mark.parametrize("maps", [MAPS, MAPS[:1], MAPS[:1, :1]], ids=["4", "3", "1"])
def test_any_number_of_heads_is_drawn(maps):
    picture = trained_gpt_picture(maps, "to be, o")
    assert picture.png.startswith(b"\x89PNG")
    assert f"among the {maps.shape[0] * maps.shape[1]} trained ones" in picture.caption


def test_a_place_without_a_map_stays_empty():
    figure = maps_figure(MAPS[0], ["a", "b", "c"], "to be, o", "black")
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c", ""]
