"""Training the milestone's GPT: what `minigpt train` and `%ladder 5` share."""

import hashlib
import os
import re
from collections.abc import Callable
from functools import partial
from inspect import getsource
from types import ModuleType

import flax.linen as nn
import jax
from flax.training.train_state import TrainState

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER
from minigpt_challenge.coach.training.result import Run, judged
from minigpt_challenge.files import locked
from minigpt_challenge.given import fast as fast_module
from minigpt_challenge.given import milestone
from minigpt_challenge.given.checkpoints import Checkpoints
from minigpt_challenge.given.dataset import Dataset
from minigpt_challenge.given.fast import FAST_STEPS, fast_train_state
from minigpt_challenge.given.training import Measurement, init_train_state

# A folder for each kind of run, so that either goes on whatever the other did in between.
CHECKPOINTS_FOLDER = STATE_FOLDER / "checkpoints"
FAST_CHECKPOINTS_FOLDER = STATE_FOLDER / "checkpoints_fast"
# One run at a time, of whatever kind: each ends in my_gpt/, and takes all of the machine.
ANOTHER_TRAINS = (
    "{holder} is training in this folder, and two would be in each other's way. Wait until it is "
    "done, or stop it there (Ctrl-C; in a notebook the stop button). To train both at once, work "
    "in a second clone."
)


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
        UserError: see `judged`.
        LockHeld: another process is training here.
    """
    model = milestone.build(mini_gpt, data.vocabulary.size)
    target = milestone.target_loss(data.vocabulary)
    steps = most_steps(num_iterations or (FAST_STEPS if fast else milestone.MAX_STEPS))
    both = steps_module.train_step, steps_module.eval_step
    depends_on = identity(model, both, data, whose, seed)
    if fast:
        depends_on |= {
            "the number of steps, by which --fast sets its rates,": str(steps),
            "the recipe of --fast": _fingerprint(getsource(fast_module)),
        }
    checkpoints = Checkpoints(
        FAST_CHECKPOINTS_FOLDER if fast else CHECKPOINTS_FOLDER, depends_on, say
    )
    with locked(CHECKPOINTS_FOLDER, ANOTHER_TRAINS, timeout=0):
        if fresh and (aside := checkpoints.set_aside()):
            say(
                f"Starting anew. The run that was kept here is now in {aside}."
                f"{checkpoints.disk_usage_note()}"
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
    return judged(model, state, history, data, seed, kept_until=steps)


def most_steps(wanted: int) -> int:
    """So many steps, or fewer where MINIGPT_STEPS says so: the tests are in a hurry."""
    return min(wanted, int(os.environ.get("MINIGPT_STEPS", wanted)))


def identity(
    model, steps: tuple[Callable, ...], data: Dataset, whose: str, seed: int
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
        "the seed": str(seed),
        "the learning rate": str(milestone.LEARNING_RATE),
        "the code": _fingerprint(*programs, str(jax.tree.structure(state.params))),
        "whose code it is": whose,
    }


def _fingerprint(*programs: str) -> str:
    """Of what does not change from process to process: functions are printed with an address."""
    return hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", "\n".join(programs)).encode()).hexdigest()
