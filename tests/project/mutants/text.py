"""Edits of a program's text, such as a slip of the hand or a damaged file makes.

An edit takes the text and a source of random numbers, and returns bytes.
"""

from collections.abc import Callable
from random import Random

ODD = [*"\0\t\x0c\x1a\u00a0\u200b\ufeff“”’—λ🤖`$?\\\"'#;:@%!(){}[]", '"""', "%%task 1"]
BRACKETS = "()[]{}"

Edit = Callable[[str, Random], bytes]


def line_deleted(text: str, random: Random) -> bytes:
    lines = text.splitlines(True)
    del lines[random.randrange(len(lines))]
    return _bytes(lines)


def line_doubled(text: str, random: Random) -> bytes:
    lines = text.splitlines(True)
    place = random.randrange(len(lines))
    return _bytes([*lines[:place], lines[place], *lines[place:]])


def lines_swapped(text: str, random: Random) -> bytes:
    lines = text.splitlines(True)
    one, other = random.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return _bytes(lines)


def end_cut_off(text: str, random: Random) -> bytes:
    return text[: random.randrange(len(text))].encode()


def indentation_changed(text: str, random: Random) -> bytes:
    lines = text.splitlines(True)
    place = random.choice([i for i, line in enumerate(lines) if line.strip()])
    bare = lines[place].lstrip()
    indentation = lines[place][: -len(bare)]
    others = ["    " + indentation, indentation[4:], " " + indentation, "\t" + indentation[4:]]
    lines[place] = random.choice(others) + bare
    return _bytes(lines)


def bracket_dropped(text: str, random: Random) -> bytes:
    place = random.choice([i for i, letter in enumerate(text) if letter in BRACKETS])
    return (text[:place] + text[place + 1 :]).encode()


def odd_character_inserted(text: str, random: Random) -> bytes:
    place = random.randrange(len(text) + 1)
    return (text[:place] + random.choice(ODD) + text[place:]).encode()


def letter_dropped(text: str, random: Random) -> bytes:
    place = random.randrange(len(text))
    return (text[:place] + text[place + 1 :]).encode()


def encoding_changed(text: str, random: Random) -> bytes:
    """Windows' ends of lines, a mark at the start, UTF-16, Latin-1, a byte that is no UTF-8."""
    data = text.encode()
    place = random.randrange(len(data))
    return random.choice(
        [
            text.replace("\n", "\r\n").encode(),
            text.replace("\n", "\r").encode(),
            text.encode("utf-8-sig"),
            text.encode("utf-16"),
            ("# -*- coding: latin-1 -*-\n" + text).encode("latin-1", "replace"),
            ("# -*- coding: rot13 -*-\n" + text).encode(),
            data[:place] + b"\xff" + data[place:],
            text.replace("    ", "\t").encode(),
            b"",
        ]
    )


EDITS: tuple[Edit, ...] = (
    line_deleted,
    line_doubled,
    lines_swapped,
    end_cut_off,
    indentation_changed,
    bracket_dropped,
    odd_character_inserted,
    letter_dropped,
    encoding_changed,
)


def _bytes(lines: list[str]) -> bytes:
    return "".join(lines).encode()
