"""`minigpt train`: the learner's five tasks together."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
from minigpt_challenge.coach.training.plan import Plan
from minigpt_challenge.errors import UserError
from minigpt_challenge.given.dataset import load_data
from minigpt_challenge.given.training_run import Measurement

PRINT_EVERY_S = 5.0


def train(console: Console, plan: Plan) -> bool:
    """Train, save the loss curve and the weights, print a sample.

    Returns:
        whether the loss on the whole evaluation text is below the target, if there is one.

    Raises:
        UserError: the learner's code cannot be trained; the message says why.
        DataError: there is no text to learn from, or too little of it.
    """
    data = load_data(plan.data)
    with gpt_modules(plan.solutions) as modules, gpt_run.only_this_process(plan):
        run = gpt_run.train(
            modules["task4_blocks"].MiniGPT,
            modules["task5_training_step"],
            data,
            plan,
            author="the reference" if plan.solutions else "the learner",
            report=lambda message: console.print(message, markup=False, soft_wrap=True),
            show_progress=console.is_terminal,
            on_measure=None if console.is_terminal else _printer(),
        )
        finish(console, run, data.vocabulary)
    return run.reached


def _printer() -> gpt_run.OnMeasure:
    """Prints a line every so often, for a pipe or a file: a bar would be a line of many frames."""
    printed_at = -math.inf

    def show(_: TrainState, history: list[Measurement]) -> None:
        nonlocal printed_at
        if time.monotonic() - printed_at < PRINT_EVERY_S:
            return
        printed_at = time.monotonic()
        step, train_loss, eval_loss, _seconds = history[-1]
        print(f"step {step:,}: loss {train_loss:.3f}, evaluation {eval_loss:.3f}", flush=True)

    return show


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
