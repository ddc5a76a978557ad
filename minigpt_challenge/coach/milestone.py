"""`minigpt train` and `minigpt sample`: the learner's five tasks together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import flax.linen as nn
import jax
from flax import serialization
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from minigpt_challenge.atomic import write_bytes
from minigpt_challenge.coach.complaint import Complaint
from minigpt_challenge.coach.curriculum import ROOT, SOLUTIONS_FOLDER, TASKS_FOLDER
from minigpt_challenge.coach.judging import describe, learners_frames
from minigpt_challenge.coach.loading import tasks_from
from minigpt_challenge.coach.loss_curve import draw_loss_curve
from minigpt_challenge.given import milestone
from minigpt_challenge.given.dataset import load_data
from minigpt_challenge.given.sampling import generate
from minigpt_challenge.given.training import evaluate, run_training_loop
from minigpt_challenge.given.vocabulary import SHAKESPEARE, Vocabulary

FOLDER = ROOT / "my_gpt"
WEIGHTS, CURVE = FOLDER / "weights.msgpack", FOLDER / "loss_curve.png"
SAMPLE_LENGTH = 500


def train(
    console: Console, solutions: bool, steps: int | None, data_path: Path | None, seed: int
) -> bool:
    """Train, save the loss curve and the weights, write a sample.

    Returns:
        whether the loss on the whole evaluation text is below the target. (A text other than
        Shakespeare has no target: True.)

    Raises:
        Complaint: the learner's code cannot be trained; the message says why.
        DataError: there is no text to learn from, or too little of it.
    """
    data = load_data(data_path)
    console.print(data.edition, soft_wrap=True)
    target = milestone.TARGET_LOSS if _is_shakespeare(data.vocabulary) else None
    with _code(solutions) as (gpt, steps_module):
        model = milestone.build(gpt, data.vocabulary.size)
        state, history = run_training_loop(
            steps or milestone.MOST_STEPS,
            milestone.BATCH_SIZE,
            milestone.BLOCK_SIZE,
            milestone.LEARNING_RATE,
            data.evaluation,
            data.train,
            model,
            train_step=steps_module.train_step,
            eval_step=steps_module.eval_step,
            target_loss=target and target - milestone.MARGIN,
            seed=seed,
        )
        # By the given step: a loss of the learner's own that flatters itself does not help.
        loss = evaluate(state, data.evaluation, milestone.BATCH_SIZE, milestone.BLOCK_SIZE)
        write_bytes(CURVE, draw_loss_curve(history, target))
        _save(state.params, data.vocabulary, solutions)
        text = _continue(
            model, state.params, data.vocabulary, data.vocabulary.characters[0], SAMPLE_LENGTH, seed
        )
    console.print(Panel(Text(text.strip()), width=72))
    console.print(
        f"After {history[-1].step:,} steps the loss on the whole evaluation text is {loss:.3f}.\n"
        f"The curve is in {CURVE.relative_to(ROOT)}, the weights are in "
        f"{WEIGHTS.relative_to(ROOT)}. [bold]minigpt sample[/bold] writes more."
    )
    if target is None:
        return True
    reached = loss < target
    verdict = (
        f"✓ Below {target}: the milestone is reached."
        if reached
        else (f"✗ The milestone, a loss below {target}, is not reached.")
    )
    console.print(verdict, style="green" if reached else "red")
    return reached


def sample(console: Console, prompt: str, length: int, seed: int) -> None:
    """Write text with the saved weights.

    Raises:
        Complaint: there are no weights, they are damaged, they do not fit the learner's code any
            more, or the prompt has a character that the model has never seen.
    """
    if not WEIGHTS.exists():
        raise Complaint("There are no weights yet: train your GPT with `minigpt train` first.")
    try:
        saved = serialization.msgpack_restore(WEIGHTS.read_bytes())
        params, vocabulary = saved["params"], Vocabulary(saved["characters"])
    except (ValueError, KeyError, TypeError) as error:
        raise Complaint(
            f"{WEIGHTS.relative_to(ROOT)} is damaged: train again with `minigpt train`."
        ) from error
    if not prompt or set(prompt) - set(vocabulary.characters):
        raise Complaint(
            "The prompt must be made of the characters that the model has seen, one at least: "
            f"{vocabulary.characters!r}"
        )
    with _code(saved["solutions"]) as (gpt, _):
        model = milestone.build(gpt, vocabulary.size)
        text = _continue(model, params, vocabulary, prompt, length, seed)
    console.print(Text(text))


@contextmanager
def _code(solutions: bool) -> Iterator[tuple[type[nn.Module], ModuleType]]:
    """MiniGPT and the module of the training steps, all five tasks the learner's own.

    What the learner's code raises while this is open becomes a Complaint.
    """
    folder = SOLUTIONS_FOLDER if solutions else TASKS_FOLDER
    try:
        with tasks_from(folder) as modules:
            yield modules["task4_blocks"].MiniGPT, modules["task5_training_step"]
    except NotImplementedError as error:
        raise Complaint(
            f"{error}. It is not written yet; `minigpt` shows the road. "
            "(`minigpt train --solutions` trains the reference.)"
        ) from error
    except Exception as error:
        if not learners_frames(error, folder) and not isinstance(error, SyntaxError):
            raise
        raise Complaint(describe(error, folder)) from error


def _continue(model, params, vocabulary: Vocabulary, prompt: str, length: int, seed: int) -> str:
    start = vocabulary.encode(prompt)
    key = jax.random.key(seed)
    tokens = generate(key, model.apply, params, start, length, milestone.BLOCK_SIZE)
    return vocabulary.decode(tokens)


def _is_shakespeare(vocabulary: Vocabulary) -> bool:
    return vocabulary == SHAKESPEARE


def _save(params, vocabulary: Vocabulary, solutions: bool) -> None:
    record = {
        "params": jax.device_get(params),
        "characters": vocabulary.characters,
        "solutions": solutions,
    }
    write_bytes(WEIGHTS, serialization.msgpack_serialize(record))
