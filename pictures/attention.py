"""Tasks 2 and 3: one causal head, a list of heads, and all heads at once."""

from itertools import pairwise
from math import exp

from canvas import HUES, MUTED, SMALL, TASK, Box, Canvas, Tone

HIDDEN = Tone("#EFEEEA", "#D8D6CF", "#98968F")
HEAT = [Tone(blue, "", TASK[2].ink) for blue in ("#EEF5FC", "#D6E6F7", "#B5D1EF", "#90B9E4")]
SCORES = [[1, 2, 0, 1], [2, 1, 1, 0], [0, 1, 2, 3], [1, 0, 1, 2]]


def single_heads():
    """One head step by step, the effect of its mask, and a list of heads."""
    c = Canvas(
        1590,
        "Task 2: causal attention, one head at a time",
        "Each token asks (query), shows a label (key), hands over news (value). None looks ahead.",
    )
    _one_head(c)
    _mask(c)
    _list_of_heads(c)
    c.glossary("BTSCNH")
    return c


def all_heads():
    """All heads in the same products, with the columns grouped by head."""
    c = Canvas(
        1700,
        "Task 3: all heads at once",
        "EinsumMultiHeadAttention computes what task 2 did, with no loop: heads become an axis, N.",
    )
    query, key, value = _split_into_heads(c)
    tone = TASK[3]
    scores = c.box(565, 836, 560, 88, "scores, ÷ √H", tone, note="within each head, H is summed")
    softmax = c.box(565, 996, 560, 66, "causal mask, softmax over S", tone)
    weights = _heads_apart(c, 565, 1100, lambda t, s: s <= t)
    total = c.box(
        842, 1302, 1114, 88, "weighted sum of values", tone, note="within each head, S is summed"
    )
    for lane, letter in ((query, "T"), (key, "S")):
        c.arrow(lane.bottom, (lane.x, 792), label=f"(B, {letter}, N, H)", at=0.38)
    c.arrow(scores.bottom, softmax.top, label="(B, N, T, S)", at=0.38)
    c.arrow(softmax.bottom, weights.top, label="(B, N, T, S)", at=0.38)
    c.arrow(weights.bottom, (565, 1258), label="weights (B, N, T, S)", at=0.38)
    c.arrow(value.bottom, (value.x, 1258), label="(B, S, N, H)", side=-1, at=0.12)
    c.text(915, 872, "N = 3, H = 4", SMALL, MUTED)
    for n, head in enumerate(HUES):
        c.grid(915, 908 + 44 * n, [[""]], (24, 24), lambda *_, head=head: head)
        c.text(955, 920 + 44 * n, f"head {n}: columns {4 * n} to {4 * n + 3}", SMALL, MUTED)
    c.text(915, 1078, "head n: from n·H up to\n(n+1)·H, not included", SMALL, MUTED)

    apart = _heads_apart(c, 330, 1418)
    flat = _columns(c, 800, 1418)
    dense = c.box(1270, 1466, 230, 88, "dense", tone, note="N·H → N·H")
    c.arrow((330, total.y + 44), apart.top, label="(B, T, N, H)", at=0.38)
    c.arrow((apart.x + 194, 1466), (flat.x - 154, 1466), label="reshape")
    c.arrow((flat.x + 154, 1466), dense.left, label="(B, T, N·H)", at=0.46)
    c.arrow(dense.bottom, (1270, 1576), label="(B, T, N·H)", at=0.42)
    c.glossary("BTSCNH")
    return c


def _split_into_heads(c):
    xs = 330, 800, 1270
    lanes = []
    c.text(xs[1], 202, "x", align="center", bold=True)
    c.text(xs[1] + 16, 242, "(B, T, C)", SMALL)
    for name, letter, x in zip(("query", "key", "value"), "TSS", xs, strict=True):
        dense = c.box(x, 350, 230, 84, name, TASK[3], note="C → N·H")
        c.arrow(*([(x, 224)] if x == xs[1] else [(xs[1], 270), (x, 270)]), dense.top)
        flat = _columns(c, x, 462)
        c.arrow(dense.bottom, flat.top, label=f"(B, {letter}, N·H)", at=0.38)
        lanes.append(_heads_apart(c, x, 626))
        c.arrow(flat.bottom, lanes[-1].top, label="reshape", at=0.38)
    return lanes


def _columns(c, x, top):
    """N·H columns, one color for each head."""
    return c.grid(x - 144, top, [[""] * 12] * 4, (24, 24), lambda _, n: HUES[n // 4])


def _heads_apart(c, x, top, visible=lambda row, column: True):
    """A square for each head; cells that are not `visible` are gray."""
    for n, head in enumerate(HUES):
        left = x + 136 * (n - 1) - 48
        c.grid(
            left,
            top,
            [[""] * 4] * 4,
            (24, 24),
            lambda row, column, head=head: head if visible(row, column) else HIDDEN,
        )
    return Box(x, top + 48, 368, 96)


def _one_head(c):
    tone = TASK[2]
    c.frame(70, 200, 840, 1400, "SelfAttention(head_dim)", tone)
    c.text(455, 280, "x", align="center", bold=True)
    projections = {
        name: c.box(x, 424, 190, 88, name, tone, note="C → H")
        for name, x in (("query", 200), ("key", 455), ("value", 710))
    }
    c.arrow((455, 304), projections["key"].top, label="(B, T, C)", at=0.3)
    c.arrow((455, 352), (200, 352), projections["query"].top)
    c.arrow((455, 352), (710, 352), projections["value"].top)
    steps = [
        (588, "scores", "query of t · key of s"),
        (752, "÷ √H", "keeps the softmax soft"),
        (916, "causal mask", "only s ≤ t stays"),
        (1080, "softmax over S", "each row sums to 1"),
    ]
    boxes = [c.box(328, y, 400, 88, name, tone, note=note) for y, name, note in steps]
    for name, letter in (("query", "T"), ("key", "S")):
        x = projections[name].x
        c.arrow((x, 468), (x, 544), label=f"(B, {letter}, H)", at=0.4)
    for before, after in pairwise(boxes):
        c.arrow(before.bottom, after.top, label="(B, T, S)", at=0.4)
    total = c.box(455, 1260, 654, 88, "weighted sum of values", tone, note="for every t, over S")
    c.arrow(boxes[-1].bottom, (328, 1216), label="weights (B, T, S)", at=0.4)
    c.arrow(projections["value"].bottom, (710, 1216), label="(B, S, H)", side=-1, at=0.45)
    c.arrow(total.bottom, (455, 1464), label="(B, T, H)", at=0.32)


def _mask(c):
    weights = []
    for t, row in enumerate(SCORES):
        shares = [exp(value) if s <= t else 0 for s, value in enumerate(row)]
        weights.append([share / sum(shares) for share in shares])
    c.frame(890, 200, 1530, 738, "What the mask does, T = 4", TASK[2])
    left = c.grid(
        956,
        366,
        [[str(v) if s <= t else "−∞" for s, v in enumerate(row)] for t, row in enumerate(SCORES)],
        fill=lambda t, s: HEAT[SCORES[t][s]] if s <= t else HIDDEN,
    )
    right = c.grid(
        1256,
        366,
        [[f"{v:.2f}"[1:] if 0 < v < 1 else f"{v:.0f}" for v in row] for row in weights],
        fill=lambda t, s: HEAT[min(int(weights[t][s] * 4), 3)] if s <= t else HIDDEN,
    )
    for grid, name in ((left, "masked scores"), (right, "weights")):
        c.text(grid.x, 294, name, align="center")
        for s in range(4):
            c.text(grid.x + 60 * (s - 1.5), 342, str(s), SMALL, MUTED, align="center")
    for t in range(4):
        c.text(932, 396 + 60 * t, str(t), SMALL, MUTED, align="center")
    c.arrow((1200, 486), (1252, 486))
    note = "Row t is what token t may see: columns\ns ≤ t, that is, the past and itself."
    c.text(1210, 672, note, SMALL, MUTED, align="center")


def _list_of_heads(c):
    tone = TASK[2]
    c.frame(
        890, 800, 1530, 1400, "MultiHeadAttention", tone, note="(num_heads, head_dim), with N = 3"
    )
    c.text(1210, 922, "x", align="center", bold=True)
    for number, (x, head) in enumerate(zip((1020, 1210, 1400), HUES, strict=True)):
        box = c.box(x, 1046, 160, 60, f"heads[{number}]", head)
        c.arrow(*([(1210, 946)] if x == 1210 else [(1210, 982), (x, 982)]), box.top)
        c.arrow(box.bottom, (x, 1148), label="(B, T, H)", at=0.4)
        c.box(x, 1176, 186, 52, "H", head, bold=False)
    c.text(1226, 956, "(B, T, C)", SMALL)
    c.text(940, 1240, "concatenated", SMALL, MUTED)
    dense = c.box(1210, 1324, 280, 88, "dense", tone, note="N·H → N·H")
    c.arrow((1210, 1204), dense.top, label="(B, T, N·H)", at=0.4)
    c.arrow(dense.bottom, (1210, 1464), label="(B, T, N·H)", at=0.68)
