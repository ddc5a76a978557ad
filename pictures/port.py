"""Task 8: the same model in Linen and NNX, and a training step that updates in place."""

from canvas import MUTED, SMALL, TASK, Canvas


def nnx():
    """Linen's module and params, NNX's model with its weights, and the training step."""
    c = Canvas(
        1500,
        "Task 8: the same model in NNX",
        "A Linen module has no weights; an NNX model holds them, and is updated in place.",
    )
    _linen_and_nnx(c)
    _train_step(c)
    c.glossary("BTV")
    return c


def _linen_and_nnx(c):
    linen, tone = TASK[4], TASK[8]
    c.frame(70, 200, 1530, 580, "in Linen", linen, badge=[4])
    c.frame(70, 680, 1530, 900, "in NNX", tone, badge=[8])
    apply = c.box(800, 395, 330, 72, "apply", linen)
    recipe = c.box(800, 280, 330, 84, "MiniGPT", linen, note="a recipe, no weights")
    params = c.box(800, 510, 330, 84, "params", TASK[0], note="the weights, a tree")
    model = c.box(800, 798, 400, 128, "NNXMiniGPT", tone, note="holds its weights:\nnnx.Param")
    c.arrow(recipe.bottom, apply.top)
    c.arrow(params.top, apply.bottom)
    c.arrow(params.bottom, model.top, label="load_linen_params", color=tone.edge, at=0.5)
    for part in (apply, model):
        tokens = c.box(215, part.y, 170, 66, "tokens")
        logits = c.box(1385, part.y, 170, 66, "logits")
        c.arrow(tokens.right, part.left, label="(B, T)")
        c.arrow(part.right, logits.left, label="(B, T, V)")


def _train_step(c):
    tone, row, low = TASK[8], 1110, 1270
    c.frame(70, 970, 1530, 1380, "nnx_train_step(model, optimizer, x, y)", tone, badge=[8])
    c.text(1504, 1008, "jitted by nnx.jit", SMALL, tone.ink, align="right")
    model = c.box(225, row, 230, 88, "model", tone, note="its weights")
    optimizer = c.box(225, low, 230, 88, "optimizer", tone, note="moments, step")
    measure = c.box(800, row, 330, 88, "value_and_grad", tone, note="of nnx_loss_fn")
    update = c.box(800, low, 330, 88, "optimizer.update", tone)
    loss = c.box(1385, row, 190, 120, "loss", note="from before\nthe update")
    c.arrow(model.right, measure.left, label="model, x, y")
    c.arrow(measure.right, loss.left, label="loss ()")
    c.arrow(measure.bottom, update.top, label="gradients, shaped like the weights")
    c.arrow(update.left, optimizer.right, label="changed", color=tone.edge, at=0.27)
    c.arrow((440, low), (440, 1190), (225, 1190), model.bottom, color=tone.edge)
    c.text(1504, 1340, "in place: only the loss is returned", SMALL, MUTED, align="right")
