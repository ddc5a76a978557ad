"""`minigpt train`: the learner's five tasks together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from flax.training.train_state import TrainState
from rich.console import Console

from minigpt_challenge.coach.course.curriculum import (
    GPT_TASKS,
    SOLUTIONS_FOLDER,
    TASKS_FOLDER,
    Task,
)
from minigpt_challenge.coach.course.stubs import is_stub_error
from minigpt_challenge.coach.grading.judge import learners_frames, message_of
from minigpt_challenge.coach.runtime.loading import tasks_from
from minigpt_challenge.coach.training import gpt_run
from minigpt_challenge.coach.training.finish import finish
from minigpt_challenge.errors import UserError
from minigpt_challenge.given.dataset import load_data
from minigpt_challenge.given.training import Measurement


def train(
    console: Console,
    solutions: bool,
    steps: int | None,
    data_path: Path | None,
    seed: int,
    fast: bool,
    fresh: bool,
) -> bool:
    """Train, save the loss curve and the weights, print a sample.

    Returns:
        whether the loss on the whole evaluation text is below the target. (A text other than
        Shakespeare has no target: True.)

    Raises:
        UserError: the learner's code cannot be trained; the message says why.
        DataError: there is no text to learn from, or too little of it.
    """
    data = load_data(data_path)
    with gpt_modules(solutions) as modules:
        run = gpt_run.train(
            modules["task4_blocks"].MiniGPT,
            modules["task5_training_step"],
            data,
            author="the reference" if solutions else "the learner",
            seed=seed,
            num_iterations=steps,
            fast=fast,
            fresh=fresh,
            report=lambda message: console.print(message, markup=False, soft_wrap=True),
            show_progress=console.is_terminal,
            on_measure=None if console.is_terminal else _print_measurement,
        )
    finish(console, run, data.vocabulary, solutions=solutions)
    return run.reached


def _print_measurement(_: TrainState, history: list[Measurement]) -> None:
    """A line for a pipe or a file, where a bar would be a long line of frames."""
    step, train_loss, eval_loss = history[-1]
    print(f"step {step:,}: loss {train_loss:.3f}, evaluation {eval_loss:.3f}", flush=True)


@contextmanager
def gpt_modules(solutions: bool, *more_tasks: Task) -> Iterator[dict[str, ModuleType]]:
    """Load the modules of the GPT's tasks and of `more_tasks`, without borrowing any.

    Yields them by stem. What the learner's code raises inside becomes a UserError.
    """
    folder = SOLUTIONS_FOLDER if solutions else TASKS_FOLDER
    try:
        with tasks_from(folder, (*GPT_TASKS, *more_tasks)) as modules:
            yield modules
    except UserError:
        raise
    except Exception as error:
        if is_stub_error(error):
            raise UserError(
                f"{error}. It is not written yet; `minigpt` shows what is left. "
                "(`minigpt train --solutions` trains the reference.)"
            ) from error
        if not learners_frames(error, folder) and not isinstance(error, SyntaxError):
            raise
        raise UserError(message_of(error, folder)) from error
