"""Tasks 0 and 1: models that look up rows in tables."""

from collections import Counter
from itertools import pairwise
from math import exp, log

from canvas import HUES, INK, MUTED, SMALL, TASK, Canvas, Tone

FAINT = Tone("#F4F3EF", "#D8D6CF", "#A3A29C")
SEEN = Tone("#DADBDC", "#8B8F96", "#484D56")
BRIGHT = Tone("#C9D2DE", "#66768D", "#2F3B4D")
DIM = Tone("#E8ECF1", "#A9B3C1", "#56637A")


def warm_up():
    """A bigram model, trained on a text short enough to count by hand."""
    text, characters, token = "to be or not to be".replace(" ", "␣"), "␣benort", "o"
    counts = Counter(pairwise(text))
    logits = [log(counts[token, after]) if counts[token, after] else -6.0 for after in characters]
    total = sum(map(exp, logits))
    left, top, cell = 440, 300, 62
    row = characters.index(token)
    lane = top + (row + 0.5) * cell
    foot = top + 8 * cell

    def shade(r, after):
        seen = counts[characters[r], characters[after]]
        if r == row:
            return BRIGHT if seen else DIM
        return SEEN if seen else FAINT

    c = Canvas(
        1080,
        "Task 0: warm up with a bigram",
        "SimpleDecoder(vocab_size) is one table: a token's row holds the logits of the next token.",
    )
    tokens = c.chips(170, lane, "to␣", BRIGHT, cell, down=True, highlighted=[1])
    c.text(170, foot, "tokens x\n(B, T)", align="center")
    cells = [[""] * 7 for _ in characters]
    cells[row] = [f"{value:.0f}" if value < 0 else f"{value:.1f}" for value in logits]
    cells[row] = [value.replace("-", "−") for value in cells[row]]
    table = c.grid(left, top, cells, (cell, cell), shade)
    for number, character in enumerate(characters):
        at = (number + 0.5) * cell
        c.text(left + at, top - 26, character, align="center", bold=True)
        c.text(left - 26, top + at, character, align="center", bold=True)
    c.text(table.x, top - 72, "the next token", SMALL, MUTED, align="center")
    c.text(table.x, foot, "the table\n(V, V)", align="center")
    c.frame(1110, top - 40, 1530, top + 7 * cell + 14, "", BRIGHT)
    for number, (character, value) in enumerate(zip(characters, logits, strict=True)):
        y, chance = top + (number + 0.5) * cell, exp(value) / total
        c.text(1150, y, character, align="center", bold=True)
        c.bar(1182, y, max(3, 450 * chance), 30, BRIGHT if chance > 0.1 else FAINT)
        c.text(1198 + 450 * chance, y, f"{chance:.0%}", SMALL, INK if chance > 0.1 else MUTED)
    c.text(1320, foot, "the next token\nafter “o”", align="center")
    c.arrow((tokens.x + 27, lane), (left - 52, lane), label="look up", color=BRIGHT.edge)
    c.arrow((table.x + 3.5 * cell + 8, lane), (1110, lane), label="logits\n(B, T, V)")
    c.text(991, lane + 28, "softmax", SMALL, MUTED, align="center")
    c.text(
        70,
        925,
        "Trained on “to be or not to be”: V = 7, darker cells are its pairs, ␣ is a space.\n"
        "A bigram sees one token and no more: on tiny Shakespeare its loss stalls near 2.5.",
        SMALL,
        MUTED,
    )
    c.glossary("BTV")
    return c


LETTERS, WORD = "abcdef", "bee"
ROWS = [LETTERS.index(letter) for letter in WORD]
TOKENS = [[0, 2, 1, 3], [2, 0, 1, 3], [1, 1, 0, 2], [3, 1, 2, 0], [1, 3, 0, 2], [0, 1, 3, 1]]
POSITIONS = [[1, 0, 2, 0], [0, 3, 1, 2], [4, 1, 0, 3], [2, 2, 4, 1], [3, 0, 1, 4]]  # tenths
TONES = {"b": TASK[1], "e": HUES[2]}
W, H, TOP = 54, 56, 240
FIRST = TOP + H  # the top of the row of b, so that its arrows are horizontal


def embedding():
    """Rows of two tables, added; whole numbers and tenths show the table that a part is from."""
    c = Canvas(
        980,
        "Task 1: token and position embedding",
        "Each token fetches a row from one table, each position from another; the two are added.",
    )
    table, taken, positions, total = _tables(c)
    _lookups(c, table)
    c.plus(903, _level(2), sign="+")
    c.plus(1254, _level(2), sign="=")
    c.text(positions.x, FIRST - 30, "the first T rows", SMALL, HUES[1].ink, align="center")
    titles = [
        (130, "tokens x\n(B, T)"),
        (table.x, "token table\n(V, C)"),
        (taken.x, "a row each\n(B, T, C)"),
        (positions.x, "position table\n(block_size, C)"),
        (total.x, "the sum\n(B, T, C)"),
    ]
    for x, title in titles:
        c.text(x, 654, title, align="center")
    c.text(
        70,
        815,
        "T = 3, C = 4, V = 6, block_size = 5. Both e's fetch the same token row: only\n"
        "the position row tells them apart. Past block_size no row is left, hence an error.",
        SMALL,
        MUTED,
    )
    c.glossary("BTCV")
    return c


def _level(row):
    return TOP + (row + 0.5) * H


def _tables(c):
    """The token table, its rows for the word, the position table, and the sum."""

    def word_tone(row, _):
        return TONES[WORD[row]]

    def grid(left, top, cells, fill):
        return c.grid(left, top, cells, (W, H), fill)

    tokens = [[str(value) for value in row] for row in TOKENS]
    positions = [[f".{value}" for value in row] for row in POSITIONS]
    sums = [
        [f"{a}.{b}" for a, b in zip(TOKENS[row], POSITIONS[t], strict=True)]
        for t, row in enumerate(ROWS)
    ]
    return (
        grid(300, TOP, tokens, lambda row, _: TONES.get(LETTERS[row], FAINT)),
        grid(640, FIRST, [tokens[row] for row in ROWS], word_tone),
        grid(978, FIRST, positions, lambda row, _: HUES[1] if row < len(WORD) else FAINT),
        grid(1314, FIRST, sums, word_tone),
    )


def _lookups(c, table):
    """The tokens, with arrows to their rows of the token table and onward."""
    for row, letter in enumerate(LETTERS):
        c.text(276, _level(row), letter, align="center", bold=letter in WORD, color=INK)
    for t, (letter, row) in enumerate(zip(WORD, ROWS, strict=True)):
        tone, y = TONES[letter], _level(t + 1)
        c.box(130, y, 46, 46, letter, tone)
        c.arrow((160, y), (254, _level(row)), color=tone.edge)
        c.arrow((table.x + 2 * W + 8, _level(row)), (632, y), color=tone.edge)
        c.text(960, y, str(t), SMALL, MUTED, align="right")
