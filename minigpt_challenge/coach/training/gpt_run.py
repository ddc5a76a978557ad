"""Train a GPT: what `minigpt train` and `%ladder 5` share."""

import hashlib
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import flax.linen as nn
import jax
from flax.training.train_state import TrainState

from minigpt_challenge.coach.grading.originality import code_of
from minigpt_challenge.coach.training.plan import Plan, stop_at
from minigpt_challenge.coach.training.result import Run, evaluate_run, was_stopped
from minigpt_challenge.coach.training.setting import Setting
from minigpt_challenge.errors import UserError
from minigpt_challenge.files import locked
from minigpt_challenge.given import fast as fast_module
from minigpt_challenge.given.checkpoints import Checkpoints
from minigpt_challenge.given.dataset import Dataset
from minigpt_challenge.given.fast import fast_train_state
from minigpt_challenge.given.training import init_train_state, run_training_loop
from minigpt_challenge.given.training_run import Measurement

ALREADY_TRAINING = (
    "{holder} is training this run, {path}, and two would overwrite each other's files. Wait until "
    "it is done, or stop it (Ctrl-C; in a notebook the stop button). `minigpt train --name NAME` "
    "trains another run beside it."
)

OnMeasure = Callable[[TrainState, list[Measurement]], None]


def train(
    mini_gpt: type[nn.Module],
    steps_module: ModuleType,
    data: Dataset,
    plan: Plan,
    *,
    author: str,
    report: Callable[[str], None] = print,
    show_progress: bool = True,
    on_measure: OnMeasure | None = None,
) -> Run:
    """Train or resume the saved run; then evaluate it and generate a sample.

    Args:
        mini_gpt: the class.
        steps_module: has `train_step` and `eval_step`.
        data: the text.
        plan: what to train.
        author: who wrote the code; only a run of the same author is resumed.
        report: called with messages about what is trained, and when a run is resumed or set aside.
        show_progress: see `run_training_loop`.
        on_measure: see `run_training_loop`.

    Raises:
        UserError: see `evaluate_run`.
    """
    setting, max_steps = plan.setting, limit_steps(plan.max_steps)
    model = mini_gpt(vocab_size=data.vocabulary.size, **setting.sizes)
    initial = initial_state(model, setting)
    report(description(initial, plan, data))
    train_and_eval = steps_module.train_step, steps_module.eval_step
    identity = run_identity(initial, train_and_eval, data, author, plan)
    if plan.fast:
        identity |= {
            "the number of steps (which sets the learning rates of --fast)": str(max_steps),
            "the recipe of --fast": _fingerprint(code_of(Path(fast_module.__file__))),
        }
    checkpoints = Checkpoints(plan.folder.checkpoints, identity, report)
    if plan.fresh:
        _set_aside(checkpoints)
    state, history = run_loop(
        plan,
        model,
        data,
        *train_and_eval,
        checkpoints=checkpoints,
        show_progress=show_progress,
        on_measure=on_measure,
    )
    stopped = was_stopped(history, max_steps, plan.target(data.vocabulary))
    beginning = f"Stopped after {history[-1].step:,} steps, and saved. " if stopped else ""
    if history[-1].step:  # else `evaluate_run` says that there is nothing to evaluate
        report(f"{beginning}Evaluating on the whole evaluation text …")
    try:
        return evaluate_run(model, state, history, data, plan, resumable_until=max_steps)
    except KeyboardInterrupt:
        raise UserError(
            f"Stopped during the evaluation. The run is saved at step {history[-1].step:,}: the "
            "same command evaluates it again."
        ) from None


def run_loop(
    plan: Plan,
    model: nn.Module,
    data: Dataset,
    train_step: Callable,
    eval_step: Callable,
    **options: Any,
) -> tuple[TrainState, list[Measurement]]:
    """Run `run_training_loop` as planned; `options` are passed on to it."""
    setting, max_steps = plan.setting, limit_steps(plan.max_steps)
    return run_training_loop(
        max_steps,
        setting.batch_size,
        setting.block_size,
        setting.learning_rate,
        data.evaluation,
        data.train,
        model,
        train_step=train_step,
        eval_step=eval_step,
        make_state=_maker_of_states(plan, max_steps),
        target_loss=stop_at(plan.target(data.vocabulary)),
        seed=plan.seed,
        **options,
    )


def only_this_process(plan: Plan) -> AbstractContextManager[None]:
    """A context in which no other process trains the same run, or saves what it has reached.

    Raises:
        LockHeld: another process does.
    """
    return locked(plan.folder.checkpoints, ALREADY_TRAINING, timeout=0)


def _maker_of_states(plan: Plan, max_steps: int) -> Callable[[nn.Module, Any], TrainState]:
    """From the model and what `model.init` returned to the initial state."""

    def make_state(model: nn.Module, params: Any) -> TrainState:
        if plan.fast:
            state = fast_train_state(model, params, max_steps)
        else:
            state = init_train_state(model, params, plan.setting.learning_rate)
        return state.replace(apply_fn=plan.setting.apply_of(model))

    return make_state


def initial_state(model: nn.Module, setting: Setting) -> TrainState:
    """The shapes and dtypes of a plain run's initial state; nothing is computed."""
    state = jax.eval_shape(
        lambda key, x: init_train_state(model, model.init(key, x), setting.learning_rate),
        jax.random.key(0),
        setting.tokens,
    )
    return state.replace(apply_fn=setting.apply_of(model))


def description(state: TrainState, plan: Plan, data: Dataset) -> str:
    """What is about to be trained: sizes, parameters, device, target."""
    number = sum(leaf.size for leaf in jax.tree.leaves(state.params))
    target = plan.target(data.vocabulary)
    until = f"until the evaluation loss is below {target:g}, " if target is not None else ""
    return (
        f"Run {plan.folder.name}: {plan.setting}{', --fast' if plan.fast else ''}. {number:,} "
        f"parameters, on {device()}, {until}at most {limit_steps(plan.max_steps):,} steps. "
        "Compiling …"
    )


def device() -> str:
    """What JAX computes on, such as `cpu` or `NVIDIA H100 80GB HBM3`."""
    return jax.devices()[0].device_kind


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
    state: TrainState, steps: tuple[Callable, ...], data: Dataset, author: str, plan: Plan
) -> dict[str, str]:
    """What a run depends on, for `Checkpoints`. Code is compared by its jaxprs, not by its text.

    `state` is an `initial_state`.
    """
    tokens = plan.setting.tokens
    # Printed without colors: a terminal and a pipe must not differ.
    jaxprs = [
        jax.make_jaxpr(step)(state, tokens, tokens).pretty_print(use_color=False) for step in steps
    ]
    text = data.vocabulary.characters.encode() + data.train.tobytes() + data.evaluation.tobytes()
    return {
        "the text": hashlib.sha256(text).hexdigest(),
        "the seed": str(plan.seed),
        "the setting": str(plan.setting),
        "the code": _fingerprint(*jaxprs, str(jax.tree.structure(state.params))),
        "the author of the code": author,
    }


def _fingerprint(*programs: str) -> str:
    """A hash without the addresses that functions are printed with: they differ in each process."""
    return hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", "\n".join(programs)).encode()).hexdigest()
