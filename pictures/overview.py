"""Diagram 1: miniGPT during training."""

from itertools import pairwise

from canvas import MUTED, SMALL, TASK, Canvas

LEGEND = [  # task, x, name
    (1, 90, "embedding"),
    (2, 302, "attention, head by head"),
    (3, 662, "all heads at once"),
    (4, 940, "blocks"),
    (5, 1093, "training step"),
]


def overview():
    """Tokens in at the top, new parameters out at the bottom."""
    c = Canvas(
        1700,
        "Diagram 1: miniGPT, bird's-eye view (training time)",
        "Every arrow carries its shape. A number marks the task in which you build that part.",
    )
    _model(c)
    _block(c)
    _training(c)
    for task, x, name in LEGEND:
        c.badge(x, 1566, task)
        c.text(x + 32, 1566, name, SMALL, MUTED)
    c.glossary("BTCV")
    return c


def _model(c):
    x, shape = 420, "(B, T, C)"
    tokens = c.chips(x, 216, "First", TASK[0])
    c.text(280, 216, "tokens x", align="right")
    c.frame(150, 300, 690, 1190, "MiniGPT", TASK[4], badge=[4])
    table = c.box(x, 466, 480, 170, "", TASK[1], badge=[1])
    c.text(x, 412, "TokenAndPositionEmbedding", color=TASK[1].ink, bold=True, align="center")
    for side, name in ((-118, "token table\n(V, C)"), (118, "position table\n(block_size, C)")):
        c.box(x + side, 492, 200, 84, name, size=SMALL, bold=False)
    c.text(x, 492, "+", 32, TASK[1].ink, bold=True, align="center")
    blocks = c.stack(x, 724, 400, 116, "DecoderBlock", TASK[4], note="× num_layers")
    norm = c.box(x, 902, 300, 66, "LayerNorm", TASK[4])
    dense = c.box(x, 1070, 300, 88, "Dense", TASK[4], note="C → V, with bias")
    c.arrow(tokens.bottom, table.top, label="(B, T)", at=0.2)
    c.arrow(table.bottom, (x, 642), label=shape)
    c.arrow(blocks.bottom, norm.top, label=shape)
    c.arrow(norm.bottom, dense.top, label=shape)
    c.arrow(dense.bottom, (x, 1270), label="logits (B, T, V)", at=0.72)


def _block(c):
    x, stream, shape = 1170, 862, "(B, T, C)"
    c.wedge([(644, 642), (644, 758), (800, 1190), (800, 250)], TASK[4])
    c.frame(800, 250, 1530, 1190, "DecoderBlock, close up", TASK[4], badge=[4])
    first = c.box(x, 450, 280, 62, "LayerNorm", TASK[4])
    attention = c.box(
        x,
        586,
        520,
        92,
        "EinsumMultiHeadAttention",
        TASK[3],
        note="each token looks back, never ahead",
        badge=[2, 3],
    )
    first_sum = c.plus(x, 704, TASK[4])
    second = c.box(x, 834, 280, 62, "LayerNorm", TASK[4])
    feed = c.box(
        x, 972, 520, 96, "FeedForward (given)", TASK[0], note="up to 4·C → ReLU → down to C"
    )
    second_sum = c.plus(x, 1092, TASK[4])
    for fork, node in ((364, first_sum), (748, second_sum)):
        bend = (x, fork), (stream, fork), (stream, node.y), node.left
        c.arrow(*bend, label=shape, segment=0, side=-1, color=TASK[4].edge)
    path = first, attention, first_sum, second, feed, second_sum
    c.arrow((x, 320), first.top, label=shape, at=0.2)
    for before, after in pairwise(path):
        c.arrow(before.bottom, after.top, label=shape, at=0.42)
    c.arrow(second_sum.bottom, (x, 1178), label=shape, at=0.42)


def _training(c):
    loss = c.box(420, 1314, 360, 88, "cross-entropy", TASK[5], note="mean over B and T", badge=[5])
    grads = c.box(
        930, 1314, 320, 88, "gradients", TASK[5], note="one for each parameter", badge=[5]
    )
    step = c.box(1405, 1314, 250, 88, "optimizer", TASK[5], badge=[5])
    targets = c.chips(420, 1444, "irst␣", TASK[0])
    c.text(280, 1444, "targets y", align="right")
    c.text(556, 1444, "the same text, shifted by one", SMALL, MUTED)
    c.arrow(targets.top, loss.bottom, label="(B, T)")
    c.arrow(loss.right, grads.left, label="loss ()", at=0.45)
    c.arrow(grads.right, step.left, label="same shapes", at=0.45)
    back = (1405, 1506), (90, 1506), (90, 745), (150, 745)
    c.arrow(step.bottom, *back, label="new parameters, same shapes", segment=1, at=0.38)
