"""Task 6: attention with a cache, and generation in one program."""

from canvas import MUTED, PLAIN, SMALL, TASK, Canvas

CELL = 66
S, NEW = 8, 4  # the length of the cache; the position of the new token


def kv_cache():
    """Above, one token read with the cache; below, the whole text in one scan."""
    c = Canvas(
        1560,
        "Task 6: the key-value cache",
        "Each token is read once. Its key and value are cached, for all tokens after it.",
    )
    _attention(c)
    _generation(c)
    c.glossary("BSCNH")
    return c


def _attention(c):
    tone, column, top = TASK[6], 420, 240
    c.frame(70, top - 30, 1530, 800, "CachedAttention: one token at position 4", tone)
    token = c.box(170, 500, 130, 76, "x", note="(B, 1, C)")
    rows = {"value": 360, "key": 500, "query": 700}
    dense = {name: c.box(column, y, 170, 76, name, tone) for name, y in rows.items()}
    strips = {name: _strip(c, rows[name], name[0]) for name in ("value", "key")}
    scores = c.box(900, rows["query"], 430, 88, "scores, ÷ √H", tone, note="softmax over 0 … 4")
    total = c.box(1378, 500, 200, 130, "weighted\nsum", tone, note="then dense")
    c.arrow(token.right, dense["key"].left)
    for name in ("value", "query"):
        c.arrow((285, 500), (285, rows[name]), dense[name].left)
    for name, strip in strips.items():
        c.arrow(dense[name].right, strip.left, label="write", at=0.44)
    c.arrow(dense["query"].right, scores.left, label="(B, 1, N, H)", at=0.46)
    c.arrow((900, 533), scores.top, label="all keys up to 4", at=0.42)
    c.arrow(
        strips["value"].right,
        (1378, rows["value"]),
        total.top,
        label="all values up to 4",
        segment=0,
    )
    c.arrow(
        scores.right,
        (1378, rows["query"]),
        total.bottom,
        label="weights (B, N, 1, S)",
        segment=0,
        side=-1,
        at=0.6,
    )
    c.text(
        900,
        300,
        "cache.value and cache.key, (B, S, N, H), S = block_size",
        SMALL,
        MUTED,
        align="center",
    )


def _strip(c, y, letter):
    """A cache: cells of earlier tokens, the new token, and masked positions."""
    cells = [[f"{letter}{position}" if position <= NEW else "" for position in range(S)]]

    def fill(_, position):
        return TASK[6] if position == NEW else TASK[0] if position < NEW else PLAIN

    return c.grid(900 - S * CELL / 2, y - CELL / 2, cells, (CELL, CELL), fill)


def _generation(c):
    tone, left = TASK[6], 620
    c.frame(70, 850, 1530, 1440, "generate_fast: one compiled program", tone)
    c.frame(100, 1040, 1500, 1412, "jax.lax.scan: num_tokens times, draw a token, then", tone)
    rows = (
        (
            960,
            "Once: read the prompt.",
            "ROMEO:",
            range(6),
            "(1, S), gives the caches\nand the first logits",
        ),
        (
            1170,
            "While there is room:\nread the new token alone.",
            "ROMEO:O",
            [6],
            "(1, 1), at the next position;\nthe cache has the rest",
        ),
        (
            1320,
            "Past block_size: slide,\nread the window again.",
            "OMEO:Oge",
            range(8),
            "(1, S), at position 0; all\ncached positions are stale",
        ),
    )
    for y, text, letters, read, note in rows:
        c.text(140, y, text)
        c.grid(left, y - 30, [letters.ljust(S)], (60, 60), _tones(len(letters), read))
        c.text(left + 60 * S + 40, y, note, SMALL, MUTED)


def _tones(length, read):
    """Tones for a window of `length` tokens: read now, read before, and empty."""
    before = [TASK[0]] * length + [PLAIN] * (S - length)
    return lambda _, position: TASK[6] if position in read else before[position]
