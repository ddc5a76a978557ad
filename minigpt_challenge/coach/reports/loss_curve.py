"""The loss curve as a picture."""

import io

from matplotlib.figure import Figure

from minigpt_challenge.given.training import Measurement


def draw_loss_curve(history: list[Measurement], target: float | None = None) -> bytes:
    """Training and evaluation loss against the step, and the target where there is one: a PNG."""
    figure = Figure(figsize=(8, 4.5), dpi=150, layout="constrained")
    axes = figure.subplots()
    steps = [measured.step for measured in history]
    axes.plot(steps, [measured.train_loss for measured in history], label="training", color="C7")
    axes.plot(
        steps, [measured.eval_loss for measured in history], label="evaluation", color="C0", lw=2
    )
    if target is not None:
        axes.axhline(target, color="C2", ls="--", label=f"target {target}")
    axes.set(xlabel="step", ylabel="loss, nats per character")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
