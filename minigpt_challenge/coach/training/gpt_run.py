"""Train the milestone's GPT: what `minigpt train` and `%ladder 5` share."""

import hashlib
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import flax.linen as nn
import jax
from flax.training.train_state import TrainState

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER
from minigpt_challenge.coach.grading.originality import code_of
from minigpt_challenge.coach.training.result import Run, evaluate_run
from minigpt_challenge.files import locked
from minigpt_challenge.given import fast as fast_module
from minigpt_challenge.given import milestone
from minigpt_challenge.given.checkpoints import Checkpoints
from minigpt_challenge.given.dataset import Dataset
from minigpt_challenge.given.fast import FAST_STEPS, fast_train_state
from minigpt_challenge.given.training import init_train_state

TOKENS = jax.ShapeDtypeStruct((milestone.BATCH_SIZE, milestone.BLOCK_SIZE), "int32")  # a batch

# One folder for each kind of run, so that each can be resumed whatever the other did meanwhile.
CHECKPOINTS_FOLDER = STATE_FOLDER / "checkpoints"
FAST_CHECKPOINTS_FOLDER = STATE_FOLDER / "checkpoints_fast"
# One run of either kind at a time: both write to my_gpt/ and use the whole machine.
ALREADY_TRAINING = (
    "{holder} is training in this folder, and two runs would overwrite each other's files. Wait "
    "until it is done, or stop it (Ctrl-C; in a notebook the stop button). To train two at once, "
    "use a second clone."
)


def train(
    mini_gpt: type[nn.Module],
    steps_module: ModuleType,
    data: Dataset,
    *,
    author: str,
    seed: int = 0,
    num_iterations: int | None = None,
    fast: bool = False,
    fresh: bool = False,
    report: Callable[[str], None] = print,
    **options: Any,
) -> Run:
    """Train or resume the saved run; then evaluate it and generate a sample.

    Args:
        mini_gpt: the class.
        steps_module: has `train_step` and `eval_step`.
        data: the text.
        author: who wrote the code; only a run of the same author is resumed.
        seed: for the initial weights and the batches.
        num_iterations: the maximum number of steps; if None, as many as the recipe says.
        fast: use the recipe of `given/fast.py`.
        fresh: start from the beginning, even if there is a saved run.
        report: called with a message about what is trained, and when a run is resumed or set aside.
        options: for `run_training_loop`: show_progress, on_measure.

    Raises:
        UserError: see `evaluate_run`.
        LockHeld: another process is training in this folder.
    """
    model = milestone.build(mini_gpt, data.vocabulary.size)
    initial = initial_state(model)
    report(description(initial, data))
    max_steps = limit_steps(num_iterations or (FAST_STEPS if fast else milestone.MAX_STEPS))
    train_and_eval = steps_module.train_step, steps_module.eval_step
    identity = run_identity(initial, train_and_eval, data, author, seed)
    if fast:
        identity |= {
            "the number of steps (which sets the learning rates of --fast)": str(max_steps),
            "the recipe of --fast": _fingerprint(code_of(Path(fast_module.__file__))),
        }
    folder = FAST_CHECKPOINTS_FOLDER if fast else CHECKPOINTS_FOLDER
    checkpoints = Checkpoints(folder, identity, report)
    with locked(CHECKPOINTS_FOLDER, ALREADY_TRAINING, timeout=0):
        if fresh:
            _set_aside(checkpoints)
        state, history = milestone.train(
            model,
            data,
            *train_and_eval,
            max_steps,
            milestone.target_loss(data.vocabulary),
            seed=seed,
            make_state=partial(fast_train_state, num_steps=max_steps) if fast else None,
            checkpoints=checkpoints,
            **options,
        )
    return evaluate_run(model, state, history, data, seed, resumable_until=max_steps)


def initial_state(model: nn.Module) -> TrainState:
    """The shapes and dtypes of a plain run's initial state; nothing is computed."""
    return jax.eval_shape(
        lambda key, x: init_train_state(model, model.init(key, x), milestone.LEARNING_RATE),
        jax.random.key(0),
        TOKENS,
    )


def description(state: TrainState, data: Dataset) -> str:
    """What is about to be trained, in a few words: sizes, parameters, device, target."""
    number = sum(leaf.size for leaf in jax.tree.leaves(state.params))
    target = milestone.target_loss(data.vocabulary)
    sizes = milestone.SIZES
    return (
        f"{sizes['num_layers']} layers of {sizes['num_heads']} heads, {sizes['hidden_dim']} wide, "
        f"context {sizes['block_size']}: {number:,} parameters, on {jax.devices()[0].platform}. "
        f"{f'Target: an evaluation loss below {target}. ' if target else ''}Compiling …"
    )


def _set_aside(checkpoints: Checkpoints) -> None:
    """Set the saved run aside, if there is one, and report it."""
    if aside := checkpoints.set_aside():
        checkpoints.report(
            f"Starting from the beginning. The saved run is now in {aside}."
            f"{checkpoints.disk_usage_note()}"
        )


def limit_steps(num_steps: int) -> int:
    """At most MINIGPT_STEPS, an environment variable that keeps the tests short."""
    return min(num_steps, int(os.environ.get("MINIGPT_STEPS", num_steps)))


def run_identity(
    state: TrainState, steps: tuple[Callable, ...], data: Dataset, author: str, seed: int
) -> dict[str, str]:
    """What a run depends on, for `Checkpoints`. Code is compared by its jaxprs, not by its text.

    `state` is an `initial_state`.
    """
    jaxprs = [str(jax.make_jaxpr(step)(state, TOKENS, TOKENS)) for step in steps]
    text = data.vocabulary.characters.encode() + data.train.tobytes() + data.evaluation.tobytes()
    return {
        "the text": hashlib.sha256(text).hexdigest(),
        "the seed": str(seed),
        "the learning rate": str(milestone.LEARNING_RATE),
        "the code": _fingerprint(*jaxprs, str(jax.tree.structure(state.params))),
        "the author of the code": author,
    }


def _fingerprint(*programs: str) -> str:
    """A hash without the addresses that functions are printed with: they differ in each process."""
    return hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", "\n".join(programs)).encode()).hexdigest()
