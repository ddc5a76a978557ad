"""What a notebook shows while it trains: a curve that grows in place, and what the model writes."""

from collections.abc import Callable

import jax
from flax.training.train_state import TrainState
from IPython.display import display

from minigpt_challenge.coach.records import ladder
from minigpt_challenge.coach.reports.charts import draw_ladder, draw_loss_curve
from minigpt_challenge.given import milestone
from minigpt_challenge.given.sampling import continue_text
from minigpt_challenge.given.training import Measurement
from minigpt_challenge.given.vocabulary import Vocabulary

SAMPLE_LENGTH = 160


def show_picture(png: bytes, words: str, into=None):
    """Show a PNG, and in its place words where no picture can be shown; returns the handle.

    Args:
        into: the handle of a picture shown before, to be replaced by this one.
    """
    bundle = {"image/png": png, "text/plain": words}
    if into is None:
        return display(bundle, raw=True, display_id=True, metadata={"image/png": {"width": 720}})
    into.update(bundle, raw=True, metadata={"image/png": {"width": 720}})
    return into


def show_ladder() -> None:
    """Show the loss ladder as it stands."""
    rungs = ladder.rungs()
    show_picture(draw_ladder(rungs), ladder.as_text(rungs))


def watcher(vocabulary: Vocabulary) -> Callable[[TrainState, list[Measurement]], None]:
    """For `run_training_loop`: at each measurement, draws the curve anew and writes a little."""
    target = milestone.target_loss(vocabulary)
    shown = []

    def watch(state: TrainState, history: list[Measurement]) -> None:
        step = history[-1].step
        written = continue_text(
            jax.random.key(step),
            state.apply_fn,
            state.params,
            vocabulary,
            SAMPLE_LENGTH,
            milestone.BLOCK_SIZE,
        )
        curve = draw_loss_curve(history, target)
        words = f"evaluation loss {history[-1].eval_loss:.2f} after {step:,} steps"
        text = {"text/plain": f"After {step:,} steps:\n{written.strip()}"}
        if shown:
            show_picture(curve, words, into=shown[0])
            shown[1].update(text, raw=True)
        else:
            shown.append(show_picture(curve, words))
            shown.append(display(text, raw=True, display_id=True))

    return watch
