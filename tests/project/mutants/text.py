"""Edits of a program's text, like those of a typing error or a damaged file.

An edit takes the text and a source of random numbers, and returns bytes.
"""

from collections.abc import Callable
from random import Random

ODD_CHARACTERS = [*"\0\t\x0c\x1a\u00a0\u200b\ufeff“”’—λ🤖`$?\\\"'#;:@%!(){}[]", '"""', "%%task 1"]
BRACKETS = "()[]{}"

Edit = Callable[[str, Random], bytes]


def line_deleted(text: str, random: Random) -> bytes:
    lines = text.splitlines(True)
    del lines[random.randrange(len(lines))]
    return _bytes(lines)


def line_doubled(text: str, random: Random) -> bytes:
    lines = text.splitlines(True)
    index = random.randrange(len(lines))
    return _bytes([*lines[:index], lines[index], *lines[index:]])


def lines_swapped(text: str, random: Random) -> bytes:
    lines = text.splitlines(True)
    first, second = random.sample(range(len(lines)), 2)
    lines[first], lines[second] = lines[second], lines[first]
    return _bytes(lines)


def end_cut_off(text: str, random: Random) -> bytes:
    return text[: random.randrange(len(text))].encode()


def indentation_changed(text: str, random: Random) -> bytes:
    lines = text.splitlines(True)
    index = random.choice([i for i, line in enumerate(lines) if line.strip()])
    code = lines[index].lstrip()
    indentation = lines[index][: -len(code)]
    others = ["    " + indentation, indentation[4:], " " + indentation, "\t" + indentation[4:]]
    lines[index] = random.choice(others) + code
    return _bytes(lines)


def bracket_dropped(text: str, random: Random) -> bytes:
    index = random.choice([i for i, character in enumerate(text) if character in BRACKETS])
    return (text[:index] + text[index + 1 :]).encode()


def odd_character_inserted(text: str, random: Random) -> bytes:
    index = random.randrange(len(text) + 1)
    return (text[:index] + random.choice(ODD_CHARACTERS) + text[index:]).encode()


def letter_dropped(text: str, random: Random) -> bytes:
    index = random.randrange(len(text))
    return (text[:index] + text[index + 1 :]).encode()


def encoding_changed(text: str, random: Random) -> bytes:
    """Windows' line ends, a byte order mark, UTF-16, Latin-1, a byte that is not UTF-8."""
    data = text.encode()
    index = random.randrange(len(data))
    return random.choice(
        [
            text.replace("\n", "\r\n").encode(),
            text.replace("\n", "\r").encode(),
            text.encode("utf-8-sig"),
            text.encode("utf-16"),
            ("# -*- coding: latin-1 -*-\n" + text).encode("latin-1", "replace"),
            ("# -*- coding: rot13 -*-\n" + text).encode(),
            data[:index] + b"\xff" + data[index:],
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
