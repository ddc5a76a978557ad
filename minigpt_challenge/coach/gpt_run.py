"""Training the milestone's GPT, and judging it: what `minigpt train` and `%ladder 5` share."""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import getsource
from pathlib import Path
from types import ModuleType

import flax.linen as nn
import jax
from flax import serialization
from flax.training.train_state import TrainState

from minigpt_challenge.coach.complaint import Complaint
from minigpt_challenge.coach.curriculum import ROOT, STATE_FOLDER
from minigpt_challenge.coach.history import overwrite
from minigpt_challenge.coach.loss_curve import draw_loss_curve
from minigpt_challenge.given import fast as fast_module
from minigpt_challenge.given import milestone
from minigpt_challenge.given.checkpoints import Checkpoints
from minigpt_challenge.given.dataset import Dataset
from minigpt_challenge.given.fast import FAST_STEPS, fast_train_state
from minigpt_challenge.given.sampling import continue_text
from minigpt_challenge.given.training import Measurement, evaluate, init_train_state
from minigpt_challenge.given.vocabulary import Vocabulary
from minigpt_challenge.locks import locked

FOLDER = ROOT / "my_gpt"
WEIGHTS, CURVE = FOLDER / "weights.msgpack", FOLDER / "loss_curve.png"
SAMPLE = FOLDER / "sample.txt"
CHECKPOINTS_FOLDER = STATE_FOLDER / "checkpoints"
SAMPLE_LENGTH = 500
ANOTHER_TRAINS = (
    "{holder} is training in this folder, and two would spoil each other's run. Wait until it is "
    "done, or stop it there (Ctrl-C; in a notebook the stop button). To train both at once, work "
    "in a second clone."
)


@dataclass(frozen=True)
class Run:
    """A finished run, and what can be said of it.

    Attributes:
        target: the evaluation loss to reach; None where the text is not Shakespeare.
        loss: on the whole evaluation text, by the given step, in nats per character: a loss of
            the learner's own that flatters itself does not help.
        peeks: whether the model looks into the future, so that its loss says nothing.
        text: what it writes.
    """

    model: nn.Module
    state: TrainState
    history: list[Measurement]
    target: float | None
    loss: float
    peeks: bool
    text: str

    @property
    def reached(self) -> bool:
        """Whether it is honest, and at its target. (Without a target: honest.)"""
        return not self.peeks and (self.target is None or self.loss < self.target)


def train(
    mini_gpt: type[nn.Module],
    steps_module: ModuleType,
    data: Dataset,
    *,
    whose: str,
    seed: int = 0,
    num_iterations: int | None = None,
    fast: bool = False,
    fresh: bool = False,
    say: Callable[[str], None] = print,
    on_measure: Callable[[TrainState, list[Measurement]], None] | None = None,
) -> Run:
    """Train, or go on with the run that was interrupted; then judge, and let it write.

    Args:
        mini_gpt: the class.
        steps_module: has `train_step` and `eval_step`.
        data: the text.
        whose: whose code that is; another author's run is not gone on with.
        seed: of the first weights and the batches.
        num_iterations: at most so many steps; the recipe's if None.
        fast: with the recipe of `given/fast.py`.
        fresh: start anew, whatever is kept.
        say: gets a sentence about each thing that is kept, resumed or set aside.
        on_measure: see `run_training_loop`.

    Raises:
        Complaint: see `judged`.
        Taken: another process is training here.
    """
    model = milestone.build(mini_gpt, data.vocabulary.size)
    target = milestone.target_loss(data.vocabulary)
    steps = most_steps(num_iterations or (FAST_STEPS if fast else milestone.MOST_STEPS))
    both = steps_module.train_step, steps_module.eval_step
    recipe = f", fast in {steps} steps by {_fingerprint(getsource(fast_module))}" if fast else ""
    checkpoints = Checkpoints(
        CHECKPOINTS_FOLDER, identity(model, both, data, whose, seed, recipe), say
    )
    with locked(CHECKPOINTS_FOLDER, ANOTHER_TRAINS, patience=0):
        if fresh and (aside := checkpoints.set_aside()):
            say(
                f"Starting anew. The run that was kept here is now in {aside}."
                f"{checkpoints.room_taken()}"
            )
        state, history = milestone.train(
            model,
            data,
            *both,
            steps,
            target,
            seed=seed,
            make_state=partial(fast_train_state, num_steps=steps) if fast else None,
            checkpoints=checkpoints,
            on_measure=on_measure,
        )
    return judged(model, state, history, data, seed)


def judged(
    model: nn.Module,
    state: TrainState,
    history: list[Measurement],
    data: Dataset,
    seed: int,
) -> Run:
    """What can be said of a run that has ended; and let it write.

    Raises:
        Complaint: it was stopped before anything was measured.
    """
    if not history[-1].step:
        raise Complaint(
            "Stopped before the first measurement, so there is nothing to keep. What was saved "
            "before is as it was."
        )
    return Run(
        model,
        state,
        history,
        milestone.target_loss(data.vocabulary),
        loss=evaluate(state, data.evaluation, milestone.BATCH_SIZE, milestone.BLOCK_SIZE),
        peeks=milestone.sees_the_future(
            model, state.params, data.evaluation[: milestone.BLOCK_SIZE]
        ),
        text=continue_text(
            jax.random.key(seed),
            model.apply,
            state.params,
            data.vocabulary,
            SAMPLE_LENGTH,
            milestone.BLOCK_SIZE,
        ),
    )


def save(run: Run, vocabulary: Vocabulary, solutions: bool) -> Path | None:
    """Save the curve, the sample and what `minigpt sample` needs.

    Returns:
        the folder in which the former weights are kept; None where there were none.

    The weights are msgpack, not pickle, so that loading them runs no code.
    """
    packed = {
        "params": jax.device_get(run.state.params),
        "characters": vocabulary.characters,
        "solutions": solutions,
    }
    kept = overwrite(WEIGHTS, serialization.msgpack_serialize(packed))
    overwrite(CURVE, draw_loss_curve(run.history, run.target))
    overwrite(SAMPLE, run.text)
    return kept and kept.parent


def most_steps(wanted: int) -> int:
    """So many steps, or fewer where MINIGPT_STEPS says so: the tests are in a hurry."""
    return min(wanted, int(os.environ.get("MINIGPT_STEPS", wanted)))


def identity(
    model, steps: tuple[Callable, ...], data: Dataset, whose: str, seed: int, recipe: str = ""
) -> dict[str, str]:
    """What a run depends on. Code is compared by what JAX records of it, not by its text."""
    shape = jax.ShapeDtypeStruct((milestone.BATCH_SIZE, milestone.BLOCK_SIZE), "int32")
    state = jax.eval_shape(
        lambda key, x: init_train_state(model, model.init(key, x), milestone.LEARNING_RATE),
        jax.random.key(0),
        shape,
    )
    programs = [str(jax.make_jaxpr(step)(state, shape, shape)) for step in steps]
    text = data.vocabulary.characters.encode() + data.train.tobytes() + data.evaluation.tobytes()
    return {
        "the text": hashlib.sha256(text).hexdigest(),
        "the settings": f"seed {seed}, learning rate {milestone.LEARNING_RATE}{recipe}",
        "the code": _fingerprint(*programs, str(jax.tree.structure(state.params))),
        "whose code it is": whose,
    }


def _fingerprint(*programs: str) -> str:
    """Of what does not change from process to process: functions are printed with an address."""
    return hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", "\n".join(programs)).encode()).hexdigest()
