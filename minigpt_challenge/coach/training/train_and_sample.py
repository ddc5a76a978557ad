"""`minigpt train` and `minigpt sample`: the learner's five tasks together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import jax
from flax import serialization
from rich.console import Console
from rich.text import Text

from minigpt_challenge.coach.course.curriculum import (
    GPT_TASKS,
    ROOT,
    SOLUTIONS_FOLDER,
    TASKS_FOLDER,
    Task,
)
from minigpt_challenge.coach.course.stubs import is_stub_error
from minigpt_challenge.coach.grading.judge import learners_frames, message_of
from minigpt_challenge.coach.records.saved_run import WEIGHTS
from minigpt_challenge.coach.runtime.loading import tasks_from
from minigpt_challenge.coach.training import gpt_run
from minigpt_challenge.coach.training.finish import finish
from minigpt_challenge.errors import UserError
from minigpt_challenge.given import milestone
from minigpt_challenge.given.dataset import load_data
from minigpt_challenge.given.sampling import continue_text
from minigpt_challenge.given.vocabulary import Vocabulary


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
        )
    finish(console, run, data.vocabulary, solutions=solutions)
    return run.reached


def sample(console: Console, prompt: str | None, length: int, seed: int) -> None:
    """Generate text with the saved weights.

    Raises:
        UserError: there are no weights, they are damaged, they no longer fit the learner's code,
            or the prompt has a character that the model has never seen.
    """
    if not WEIGHTS.exists():
        raise UserError("There are no weights yet: train your GPT with `minigpt train` first.")
    try:
        saved = serialization.msgpack_restore(WEIGHTS.read_bytes())
        params, vocabulary = saved["params"], Vocabulary(saved["characters"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{WEIGHTS.relative_to(ROOT)} is damaged: train again with `minigpt train`."
        ) from error
    if prompt is not None:
        _check_prompt(prompt, vocabulary)
    with gpt_modules(saved["solutions"]) as modules:
        model = milestone.build(modules["task4_blocks"].MiniGPT, vocabulary.size)
        text = continue_text(
            jax.random.key(seed),
            model.apply,
            params,
            vocabulary,
            length,
            milestone.BLOCK_SIZE,
            prompt or "",
        )
    console.print(Text(text))


def _check_prompt(prompt: str, vocabulary: Vocabulary) -> None:
    if not prompt:
        raise UserError("The prompt is empty. Leave it out, or give at least one character.")
    unknown = "".join(sorted(set(prompt) - set(vocabulary.characters)))
    if unknown:
        raise UserError(
            f"The model has never seen {unknown!r}. It knows {vocabulary.characters!r}."
        )


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
