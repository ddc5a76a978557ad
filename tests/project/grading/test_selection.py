"""Checks are selected by the words in their names."""

import pytest

from minigpt_challenge.coach.grading.selection import is_expression, matches

NAME = "reading_in_pieces_equals_task_3[70 tokens at once]"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pieces", True),
        ("PIECES", True),
        ("70", True),
        ("future", False),
        ("not future", True),
        ("pieces and future", False),
        ("future or (pieces and not jit)", True),
    ],
)
def test_a_name_matches_if_the_expression_holds(words, expected):
    assert is_expression(words)
    assert matches(words, NAME) is expected


@pytest.mark.parametrize("words", ["two words", "and", "(open", "a or", "__import__('os')"])
def test_what_is_no_expression_is_found(words):
    assert not is_expression(words)
