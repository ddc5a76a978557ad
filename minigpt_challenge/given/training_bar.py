"""The line that shows how far a training run is."""

import sys

from tqdm import tqdm

from minigpt_challenge.given.training_run import TrainingRun

# Narrow enough for 60 columns. There is no bar: most runs stop at their target, before the last
# step.
FORMAT = "{desc}, {elapsed}{postfix}"


class TrainingBar:
    """A context in which the line is shown.

    Args:
        run: the run at its start.
        num_iterations: the maximum number of steps.
        target_loss: the loss at which the run stops before that; None if it does not.
        is_shown: whether to show anything.
    """

    def __init__(
        self, run: TrainingRun, num_iterations: int, target_loss: float | None, is_shown: bool
    ) -> None:
        at_most = "" if target_loss is None else "at most "
        self._steps = f"of {at_most}{max(run.done, num_iterations):,} steps"
        # Notebooks show the standard error in red.
        self._bar = tqdm(
            desc=f"{run.done:,} {self._steps}",
            bar_format=FORMAT,
            disable=not is_shown,
            file=sys.stdout,
        )
        self.show(run)

    def show(self, run: TrainingRun) -> None:
        """Show the step and both losses."""
        self._bar.set_description_str(f"{run.done:,} {self._steps}", refresh=False)
        self._bar.set_postfix_str(
            f"loss {run.smooth_loss:.2f}, evaluation {run.history[-1].eval_loss:.2f}"
        )

    def __enter__(self) -> "TrainingBar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
