"""Task 7: one training step on several devices."""

from canvas import HUES, MUTED, SMALL, TASK, Canvas

LANES = (336, 572, 808)  # y of the devices
DEVICES = ("device 0", "device 1", "device n − 1")
ROWS_EACH, CELL = 2, 44


def data_parallel():
    """Each device has its rows of the batch and a copy of the state; the gradients are averaged."""
    c = Canvas(
        1120,
        "Task 7: data parallel",
        "Every device has all of the state, and its own rows. One mean keeps all copies equal.",
    )
    tone, top, bottom = TASK[7], LANES[0] - 106, LANES[2] + 106
    ends = [_device(c, *device) for device in zip(LANES, DEVICES, HUES, strict=True)]
    mean = c.box(978, LANES[1], 136, bottom - top + 40, "pmean", tone, 'over\n"data"', [7])
    for y, (gradient, update) in zip(LANES, ends, strict=True):
        c.arrow(gradient.right, (mean.left[0], y + 18), label="its own", at=0.44)
        c.arrow((mean.right[0], y + 18), update.left, label="the mean", at=0.45)
    c.text(
        978, bottom + 58, "where the n devices talk: an all-reduce", SMALL, MUTED, align="center"
    )
    _batch(c)
    c.glossary("BT")
    return c


def _device(c, y, name, tone):
    c.frame(330, y - 106, 1530, y + 106, name, tone)
    rows = c.box(438, y, 150, 56, "rows", tone)
    state = c.box(438, y + 68, 150, 56, "state", tone)
    gradient = c.box(716, y + 18, 170, 120, "loss_fn", tone, note="and its\ngradient")
    c.arrow(rows.right, (gradient.left[0], y), label="(B/n, T)", at=0.44)
    c.arrow(state.right, (gradient.left[0], y + 68), label="all of it", at=0.44)
    update = c.box(1266, y + 18, 140, 120, "update", tone, note="of its\ncopy")
    fresh = c.box(1454, y + 18, 112, 120, "new\nstate", tone)
    c.arrow(update.right, fresh.left)
    return gradient, update


def _batch(c):
    width = 4 * CELL
    left, top = 62, LANES[1] - 3 * CELL
    rows = ROWS_EACH * len(LANES)
    c.grid(left, top, [[""] * 4] * rows, (CELL, CELL), lambda r, _: HUES[r // ROWS_EACH])
    c.text(left + width / 2, top - 66, "x and y", bold=True, align="center")
    c.text(left + width / 2, top - 30, "(B, T)", SMALL, align="center")
    for number, y in enumerate(LANES):
        start = top + (number + 0.5) * ROWS_EACH * CELL
        turn = left + width + 30
        points = [(left + width + 4, start), (turn, start), (turn, y), (360, y)]
        c.arrow(*(points if number != 1 else [points[0], points[-1]]))
