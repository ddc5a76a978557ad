"""Tasks 4 and 5: assemble the model, and train it."""

from canvas import MUTED, SMALL, TASK, Canvas

SHAPE = "(B, T, C)"


def blocks():
    """The residual stream with its two branches, the feed-forward part, and the stack of blocks."""
    c = Canvas(
        1480,
        "Task 4: decoder blocks, and the whole model",
        "Pre-norm: each branch reads a normalized copy of x and adds its output to x.",
    )
    _block(c)
    _feed_forward(c)
    _stack(c)
    c.glossary("BTCV")
    return c


def _block(c):
    tone, lane, stream = TASK[4], 370, 560
    c.frame(70, 210, 1530, 680, "DecoderBlock(hidden_dim, num_heads)", tone, badge=[4])
    norms = [c.box(x, lane, 122, 110, "Layer\nNorm", tone) for x in (221, 859)]
    attention = c.box(532, lane, 246, 110, "EinsumMulti\nHeadAttention", TASK[3], badge=[3])
    feed = c.box(1156, lane, 220, 110, "FeedForward", TASK[0], note="given")
    sums = [c.plus(x, stream, tone) for x in (704, 1322)]
    c.arrow((95, stream), sums[0].left, label="x " + SHAPE, color=tone.edge)
    c.arrow(sums[0].right, sums[1].left, label=SHAPE, color=tone.edge)
    c.arrow(sums[1].right, (1515, stream), label=SHAPE, color=tone.edge, at=0.46)
    for fork, norm, part, total in zip((124, 762), norms, (attention, feed), sums, strict=True):
        c.arrow((fork, stream), (fork, lane), norm.left)
        c.arrow(norm.right, part.left, label=SHAPE, at=0.44)
        c.arrow(part.right, (total.x, lane), total.top, label=SHAPE, segment=1, side=-1, at=0.5)
    c.text(95, 632, "the residual stream: only sums change it", SMALL, MUTED)
    c.text(1505, 632, "H = C ÷ N must be an integer", SMALL, MUTED, align="right")


def _feed_forward(c):
    tone, y = TASK[0], 856
    c.frame(70, 730, 1530, 940, "FeedForward(hidden_dim), given", tone)
    up = c.box(470, y, 230, 88, "up", tone, note="C → 4·C")
    relu = c.box(820, y, 150, 88, "ReLU", tone)
    down = c.box(1170, y, 230, 88, "down", tone, note="4·C → C")
    c.arrow((170, y), up.left, label=SHAPE, at=0.46)
    c.arrow(up.right, relu.left, label="(B, T, 4·C)", at=0.44)
    c.arrow(relu.right, down.left, label="(B, T, 4·C)", at=0.44)
    c.arrow(down.right, (1470, y), label=SHAPE, at=0.46)


def _stack(c):
    tone, y = TASK[4], 1180
    name = "MiniGPT(vocab_size, hidden_dim, block_size, num_layers, num_heads)"
    c.frame(70, 990, 1530, 1320, name, tone, badge=[4])
    table = c.box(278, y, 188, 140, "TokenAnd\nPosition\nEmbedding", TASK[1], badge=[1])
    first, last = (c.box(x, y, 146, 110, "Decoder\nBlock", tone) for x in (567, 833))
    norm = c.box(1089, y, 122, 110, "Layer\nNorm", tone)
    dense = c.box(1328, y, 112, 110, "Dense", tone, note="bias")
    c.arrow((86, y), table.left, label="(B, T)", at=0.44)
    c.arrow(table.right, first.left, label=SHAPE, at=0.44)
    c.arrow(first.right, (682, y))
    c.text(701, y + 2, "…", align="center", bold=True)
    c.arrow((722, y), last.left)
    c.arrow(last.right, norm.left, label=SHAPE, at=0.44)
    c.arrow(norm.right, dense.left, label=SHAPE, at=0.44)
    c.arrow(dense.right, (1514, y), label="(B, T, V)", at=0.44)
    c.text(700, y + 94, "num_layers of them, one after another", SMALL, MUTED, align="center")
    c.text(1446, y + 34, "logits", SMALL, MUTED, align="center")


def training_step():
    """Inputs and outputs of `train_step` and `eval_step`."""
    c = Canvas(
        1450,
        "Task 5: the training step",
        "Loss, gradients, update. JAX changes nothing in place: the step returns a new state.",
    )
    _train_step(c)
    _eval_step(c)
    c.glossary("BTV")
    return c


def _train_step(c):
    tone, row, low = TASK[5], 566, 850
    targets = c.box(835, 226, 160, 54, "targets y")
    tokens = c.box(150, row, 160, 70, "tokens x")
    state = c.box(150, 790, 160, 200, "state", note="params,\noptimizer,\nstep")
    c.frame(360, 306, 1220, 930, "train_step(state, x, y)", tone)
    c.text(1194, 344, "jitted", SMALL, tone.ink, align="right")
    c.frame(388, 374, 1194, 690, "value_and_grad", tone)
    c.frame(416, 442, 1168, 660, "loss_fn", tone)
    apply = c.box(520, row, 160, 88, "apply_fn", tone, note="the model")
    entropy = c.box(835, row, 160, 88, "cross-\nentropy", tone)
    mean = c.box(1094, row, 112, 88, "mean", tone)
    update = c.box(835, low, 330, 88, "apply_gradients", tone, note="the optimizer's step")
    loss = c.box(1436, row, 190, 120, "loss", note="from before\nthe update")
    fresh = c.box(1436, low, 190, 120, "new state", note="new params,\nstep + 1")
    c.arrow(targets.bottom, entropy.top, label="(B, T)", at=0.11)
    c.arrow(tokens.right, apply.left, label="(B, T)", at=0.3)
    c.arrow((230, 734), (520, 734), apply.bottom, label="params", segment=0, at=0.22)
    c.arrow((230, low), update.left, label="state", at=0.14)
    c.arrow(apply.right, entropy.left, label="(B, T, V)", at=0.45)
    c.arrow(entropy.right, mean.left, label="(B, T)", at=0.44)
    c.arrow(mean.right, loss.left, label="loss ()", at=0.68)
    c.arrow((835, 690), update.top, label="gradients, shaped like params", at=0.43)
    c.arrow(update.right, fresh.left, label="state", at=0.82)
    c.arrow(
        fresh.bottom,
        (1436, 984),
        (150, 984),
        state.bottom,
        label="and again, with the next batch",
        side=-1,
    )


def _eval_step(c):
    tone, row = TASK[5], 1210
    c.frame(360, 1070, 1220, 1310, "eval_step(state, x, y)", tone)
    c.text(1194, 1108, "jitted", SMALL, tone.ink, align="right")
    given = c.box(150, row, 160, 88, "state", note="and x, y")
    measure = c.box(790, row, 330, 88, "loss_fn", tone, note="reads, changes nothing")
    loss = c.box(1436, row, 190, 88, "loss")
    c.arrow(given.right, measure.left, label="params, x, y", at=0.64)
    c.arrow(measure.right, loss.left, label="loss ()", at=0.84)
