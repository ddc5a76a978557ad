"""An error in one line."""

import pytest

from minigpt_challenge.coach.runtime.error_text import MAX_MORE, in_one_line


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("a\nb", "a"),
        ("they differ:\n\n  the first is int32\n  the second float32", "they differ: the first is"),
        ("", "ValueError"),
        ("only a colon:", "only a colon:"),
    ],
)
def test_a_first_line_that_ends_with_a_colon_goes_on(message, expected):
    line = in_one_line(ValueError(message))
    assert expected in line and "\n" not in line


def test_what_follows_a_colon_is_limited():
    line = in_one_line(ValueError("they differ:" + "\nmore" * 1000))
    assert MAX_MORE < len(line) < MAX_MORE + 50
