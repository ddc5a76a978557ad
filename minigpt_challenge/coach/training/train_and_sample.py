"""`minigpt train` and `minigpt sample`: the learner's five tasks together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import jax
from flax import serialization
from rich.console import Console
from rich.panel import Panel
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
from minigpt_challenge.coach.records import ladder
from minigpt_challenge.coach.records.saved_run import CURVE, WEIGHTS
from minigpt_challenge.coach.runtime.loading import tasks_from
from minigpt_challenge.coach.training import gpt_run, result
from minigpt_challenge.coach.training.result import Run
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
    """Train, save the loss curve and the weights, write a sample.

    Returns:
        whether the loss on the whole evaluation text is below the target. (A text other than
        Shakespeare has no target: True.)

    Raises:
        UserError: the learner's code cannot be trained; the message says why.
        DataError: there is no text to learn from, or too little of it.
    """
    data = load_data(data_path)
    with code(solutions) as modules:
        run = gpt_run.train(
            modules["task4_blocks"].MiniGPT,
            modules["task5_training_step"],
            data,
            whose="the reference" if solutions else "the learner",
            seed=seed,
            num_iterations=steps,
            fast=fast,
            fresh=fresh,
            say=lambda words: console.print(words, markup=False, soft_wrap=True),
        )
    return keep_and_tell(console, run, data.vocabulary, solutions)


def keep_and_tell(console: Console, run: Run, vocabulary: Vocabulary, solutions: bool) -> bool:
    """Save a finished run, and print what it has come to; returns whether it is at its target."""
    former = result.save(run, vocabulary, solutions)
    console.print(Panel(Text(run.text.strip()), width=72))
    console.print(result.in_words(run), soft_wrap=True)
    console.print(
        f"The curve is in {CURVE.relative_to(ROOT)}, the weights are in "
        f"{WEIGHTS.relative_to(ROOT)}. [bold]minigpt sample[/bold] writes more."
    )
    if former:
        console.print(former, markup=False, soft_wrap=True)
    console.print(verdict(run))
    if run.reached and run.target and not solutions:
        ladder.remember(ladder.Rung(ladder.MILESTONE, run.loss, run.text))
    return run.reached


def verdict(run: Run) -> str:
    """One sentence (Rich markup) about what the run has reached."""
    if run.peeks:
        return "[red]✗ The model looks into the future, so its loss says nothing.[/red]"
    if run.target is None:
        return "(This text is not Shakespeare, so there is no target.)"
    if run.reached:
        return f"[green]✓ Below {run.target}: the milestone is reached.[/green]"
    if run.was_stopped:
        return f"The milestone, a loss below {run.target}, is not reached yet."
    return f"[red]✗ The milestone, a loss below {run.target}, is not reached.[/red]"


def sample(console: Console, prompt: str | None, length: int, seed: int) -> None:
    """Write text with the saved weights.

    Raises:
        UserError: there are no weights, they are damaged, they do not fit the learner's code any
            more, or the prompt has a character that the model has never seen.
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
    if prompt is not None and (not prompt or set(prompt) - set(vocabulary.characters)):
        unknown = "".join(sorted(set(prompt) - set(vocabulary.characters)))
        raise UserError(
            f"The model has never seen {unknown!r}. It knows {vocabulary.characters!r}."
            if unknown
            else "The prompt is empty. Leave it out, or give one character at least."
        ) from None
    with code(saved["solutions"]) as modules:
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


@contextmanager
def code(solutions: bool, *more: Task) -> Iterator[dict[str, ModuleType]]:
    """The modules of the GPT's tasks, and of these, by stem; all of them the learner's own.

    What the learner's code raises while this is open becomes a UserError.
    """
    folder = SOLUTIONS_FOLDER if solutions else TASKS_FOLDER
    try:
        with tasks_from(folder, (*GPT_TASKS, *more)) as modules:
            yield modules
    except UserError:
        raise
    except Exception as error:
        if is_stub_error(error):
            raise UserError(
                f"{error}. It is not written yet; `minigpt` shows the road. "
                "(`minigpt train --solutions` trains the reference.)"
            ) from error
        if not learners_frames(error, folder) and not isinstance(error, SyntaxError):
            raise
        raise UserError(message_of(error, folder)) from error
