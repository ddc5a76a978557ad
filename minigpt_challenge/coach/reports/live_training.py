"""What a notebook shows during training: a loss curve that grows in place, and a sample."""

import math
import time
from collections.abc import Callable

import jax
from flax.training.train_state import TrainState
from IPython.display import DisplayHandle, display

from minigpt_challenge.coach.records import ladder
from minigpt_challenge.coach.reports.charts import draw_ladder, draw_loss_curve
from minigpt_challenge.coach.reports.html import Picture, figure_fragment
from minigpt_challenge.given import milestone
from minigpt_challenge.given.sampling import continue_text
from minigpt_challenge.given.training_run import Measurement
from minigpt_challenge.given.vocabulary import Vocabulary

SAMPLE_LENGTH = 160  # characters
DRAW_EVERY_S = 5.0


def show_picture(png: bytes, text: str, handle: DisplayHandle | None = None) -> DisplayHandle:
    """Show a PNG and return its handle.

    Args:
        png: the file's bytes.
        text: what to show where pictures cannot be shown.
        handle: of an earlier picture, which this one replaces.
    """
    bundle = {"image/png": png, "text/plain": text}
    metadata = {"image/png": {"width": 720}}
    if handle is None:
        return display(bundle, raw=True, display_id=True, metadata=metadata)
    handle.update(bundle, raw=True, metadata=metadata)
    return handle


def show_with_caption(picture: Picture) -> None:
    """Show the picture with its caption; where HTML cannot be shown, a text that describes it."""
    display({"text/html": figure_fragment(picture), "text/plain": picture.alt}, raw=True)


def show_ladder() -> None:
    """Show the loss ladder."""
    rungs = ladder.rungs()
    show_picture(draw_ladder(rungs), ladder.as_text(rungs))


def watcher(vocabulary: Vocabulary) -> Callable[..., None]:
    """A callback for `run_training_loop`: every few seconds it redraws the curve and samples.

    With `at_once` it does so in any case.
    """
    target = milestone.target_loss(vocabulary)
    handles: list[DisplayHandle] = []  # of the curve and the sample
    drawn_at = -math.inf

    def watch(state: TrainState, history: list[Measurement], at_once: bool = False) -> None:
        nonlocal drawn_at
        if time.monotonic() - drawn_at < DRAW_EVERY_S and not at_once:
            return
        step = history[-1].step
        sample = continue_text(
            jax.random.key(step),
            state.apply_fn,
            state.params,
            vocabulary,
            SAMPLE_LENGTH,
            milestone.BLOCK_SIZE,
        )
        curve = draw_loss_curve(history, target)
        summary = f"evaluation loss {history[-1].eval_loss:.2f} after {step:,} steps"
        text = {"text/plain": f"After {step:,} steps:\n{sample.strip()}"}
        if handles:
            show_picture(curve, summary, handles[0])
            handles[1].update(text, raw=True)
        else:
            handles.append(show_picture(curve, summary))
            handles.append(display(text, raw=True, display_id=True))
        drawn_at = time.monotonic()

    return watch
