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

from minigpt_challenge.coach.complaint import Complaint
from minigpt_challenge.coach.curriculum import ROOT, SOLUTIONS_FOLDER, TASKS_FOLDER
from minigpt_challenge.coach.history import overwrite
from minigpt_challenge.coach.judging import describe, is_unwritten, learners_frames
from minigpt_challenge.coach.loading import tasks_from
from minigpt_challenge.coach.loss_curve import draw_loss_curve
from minigpt_challenge.given import milestone
from minigpt_challenge.given.dataset import load_data
from minigpt_challenge.given.sampling import generate
from minigpt_challenge.given.training import evaluate
from minigpt_challenge.given.vocabulary import SHAKESPEARE, Vocabulary

FOLDER = ROOT / "my_gpt"
WEIGHTS, CURVE = FOLDER / "weights.msgpack", FOLDER / "loss_curve.png"
SAMPLE = FOLDER / "sample.txt"
SAMPLE_LENGTH = 500


def train(
    console: Console, solutions: bool, steps: int | None, data_path: Path | None, seed: int
) -> bool:
    """Train; save the loss curve, the weights and a sample of what the model writes.

    Returns:
        whether the loss on the whole evaluation text is below the target. (A text other than
        Shakespeare has no target: True.)

    Raises:
        Complaint: the learner's code cannot be trained; the message says why.
        DataError: there is no text to learn from, or too little of it.
    """
    data = load_data(data_path)
    is_shakespeare = data.vocabulary == SHAKESPEARE
    target = milestone.TARGET_LOSS if is_shakespeare else None
    with _code(solutions) as (gpt, steps_module):
        model = milestone.build(gpt, data.vocabulary.size)
        state, history = milestone.train(
            model,
            data,
            steps_module.train_step,
            steps_module.eval_step,
            steps or milestone.MOST_STEPS,
            target,
            seed,
        )
        # By the given step: a loss of the learner's own that flatters itself does not help.
        loss = evaluate(state, data.evaluation, milestone.BATCH_SIZE, milestone.BLOCK_SIZE)
        peeks = milestone.sees_the_future(
            model, state.params, data.evaluation[: milestone.BLOCK_SIZE]
        )
        text = _continue(model, state.params, data.vocabulary, None, SAMPLE_LENGTH, seed)
        kept = [
            overwrite(CURVE, draw_loss_curve(history, target)),
            overwrite(WEIGHTS, _packed(state.params, data.vocabulary, solutions)),
            overwrite(SAMPLE, text),
        ]
    console.print(Panel(Text(text.strip()), width=72))
    console.print(
        f"After {history[-1].step:,} steps the loss on the whole evaluation text is {loss:.3f}.\n"
        f"The curve is in {CURVE.relative_to(ROOT)}, the weights are in "
        f"{WEIGHTS.relative_to(ROOT)}. [bold]minigpt sample[/bold] writes more."
    )
    if former := next(filter(None, kept), None):
        console.print(f"The former ones are kept in {former.parents[1]}.", soft_wrap=True)
    if peeks:
        console.print("✗ The model looks into the future, so its loss says nothing.", style="red")
        return False
    if target is None:
        return True
    reached = loss < target
    if reached:
        console.print(f"✓ Below {target}: the milestone is reached.", style="green")
    else:
        console.print(f"✗ The milestone, a loss below {target}, is not reached.", style="red")
    return reached


def sample(console: Console, prompt: str | None, length: int, seed: int) -> None:
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
    if prompt is not None and (not prompt or set(prompt) - set(vocabulary.characters)):
        unknown = "".join(sorted(set(prompt) - set(vocabulary.characters)))
        raise Complaint(
            f"The model has never seen {unknown!r}. It knows {vocabulary.characters!r}."
            if unknown
            else "The prompt is empty. Leave it out, or give one character at least."
        ) from None
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
    except Exception as error:
        if is_unwritten(error):
            raise Complaint(
                f"{error}. It is not written yet; `minigpt` shows the road. "
                "(`minigpt train --solutions` trains the reference.)"
            ) from error
        if not learners_frames(error, folder) and not isinstance(error, SyntaxError):
            raise
        raise Complaint(describe(error, folder)) from error


def _continue(model, params, vocabulary: Vocabulary, prompt: str | None, length, seed) -> str:
    """Go on from the prompt; without one, from the vocabulary's first character, a line break."""
    start = vocabulary.encode(prompt or vocabulary.characters[0])
    key = jax.random.key(seed)
    tokens = generate(key, model.apply, params, start, length, milestone.BLOCK_SIZE)
    return vocabulary.decode(tokens)


def _packed(params, vocabulary: Vocabulary, solutions: bool) -> bytes:
    """What `sample` needs, as msgpack: no pickle, so that loading it runs no code."""
    return serialization.msgpack_serialize(
        {
            "params": jax.device_get(params),
            "characters": vocabulary.characters,
            "solutions": solutions,
        }
    )
