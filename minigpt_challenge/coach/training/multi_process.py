"""`minigpt train --coordinator …`: one training run by several processes, on one host or many."""

import hashlib
import io
import os
import socket
import time
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass

import jax
import numpy as np
from jax.experimental import multihost_utils
from rich.console import Console

from minigpt_challenge.coach.course.curriculum import task_by_number
from minigpt_challenge.coach.training.finish import finish
from minigpt_challenge.coach.training.gpt_run import (
    initial_state,
    limit_steps,
    run_identity,
    run_loop,
)
from minigpt_challenge.coach.training.learners_gpt import gpt_modules
from minigpt_challenge.coach.training.plan import Plan
from minigpt_challenge.coach.training.result import evaluate_run
from minigpt_challenge.coach.training.setting import Setting
from minigpt_challenge.errors import UserError
from minigpt_challenge.given.dataset import Dataset, load_data
from minigpt_challenge.given.spreading import with_sharded_inputs

TIMEOUT_S = 120  # for the processes to connect
POLL_S = 0.5  # between two attempts to reach process 0


@dataclass(frozen=True)
class Processes:
    """The processes that train together, and which of them this is.

    Attributes:
        coordinator: HOST:PORT of process 0.
        number: how many there are.
        id: from 0 to number - 1. Only process 0 prints and saves.
    """

    coordinator: str
    number: int
    id: int


def train(console: Console, processes: Processes, plan: Plan) -> bool:
    """Train together with the other processes, without checkpoints; process 0 saves the result.

    Returns:
        in process 0 whether the loss is below the target; in the others True.

    Raises:
        UserError: the processes cannot connect, do not agree, or cannot split the batch evenly.
    """
    _connect(console, processes)
    is_first = processes.id == 0
    with nullcontext() if is_first else redirect_stdout(io.StringIO()):
        data = load_data(plan.data)
    data_parallel, setting = task_by_number(7), plan.setting
    with gpt_modules(plan.solutions, data_parallel) as modules:
        eval_step, parallel = modules["task5_training_step"].eval_step, modules[data_parallel.stem]
        mesh = parallel.make_data_mesh()
        _check_batches_split_evenly(mesh.size, data, setting)
        step = parallel.shard_map_train_step(mesh)
        mini_gpt = modules["task4_blocks"].MiniGPT
        model = mini_gpt(vocab_size=data.vocabulary.size, **setting.sizes)
        max_steps, target = limit_steps(plan.max_steps), plan.target(data.vocabulary)
        initial, author = initial_state(model, setting), str(plan.solutions)
        identity = run_identity(initial, (step, eval_step), data, author, plan)
        _check_agreement(
            identity | {"the number of steps": str(max_steps), "the target": str(target)}
        )
        if is_first:
            console.print(f"{processes.number} processes, {mesh.size} devices in total.")
        state, history = run_loop(
            plan,
            model,
            data,
            with_sharded_inputs(step, mesh),
            with_sharded_inputs(eval_step, mesh),
            steps_per_call=1,  # before every step each process places its own rows
            show_progress=is_first and console.is_terminal,
        )
        if not is_first:
            return True
        run = evaluate_run(model, jax.device_get(state), history, data, plan)
    finish(console, run, data.vocabulary)
    return run.reached


def _connect(console: Console, processes: Processes) -> None:
    """Connect to the other processes. Afterwards `jax.devices()` are the devices of all.

    Must come before any other use of JAX. If a process is missing, JAX's runtime ends this one
    with a traceback; what can be found out earlier is raised here.

    Raises:
        UserError: process 0 cannot use its port, or the others cannot reach it.
    """
    host, _, port = processes.coordinator.rpartition(":")
    if processes.id:
        _wait_for_coordinator(host, int(port))
    else:
        _check_port_is_free(int(port))
        console.print(
            f"Waiting at {processes.coordinator} for all {processes.number} processes, at most "
            f"{TIMEOUT_S} seconds.",
            soft_wrap=True,
        )
    jax.distributed.initialize(
        processes.coordinator, processes.number, processes.id, initialization_timeout=TIMEOUT_S
    )


def _check_port_is_free(port: int) -> None:
    with socket.socket() as trial:
        if os.name != "nt":  # a run that has just ended there does not block the port
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("", port))
        except OSError as error:
            raise UserError(
                f"Port {port} of this host cannot be used ({error.strerror}). Choose another one, "
                "the same for every process."
            ) from error


def _wait_for_coordinator(host: str, port: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise UserError(
                    f"No answer from {host}:{port} ({error.strerror or error}). Is process 0 "
                    "running on that host, and is the port open to this one?"
                ) from error
        time.sleep(POLL_S)


def _check_batches_split_evenly(num_devices: int, data: Dataset, setting: Setting) -> None:
    """Every batch must be split evenly, in training and in evaluation."""
    blocks = (len(data.evaluation) - 1) // setting.block_size
    for rows, batch in (
        (setting.batch_size, "a batch"),
        (min(setting.batch_size, blocks), "a batch of the evaluation text"),
    ):
        if rows % num_devices:
            raise UserError(
                f"There are {num_devices} devices in total, and {batch} has {rows} rows, which "
                "cannot be split evenly. Change the number of processes or of devices in each."
            )


def _check_agreement(identity: dict[str, str]) -> None:
    """All processes must run the same program, or each would wait for what the others never send.

    Raises:
        UserError: a value of `identity` differs between processes.
    """
    digests = [hashlib.sha256(value.encode()).digest()[:4] for value in identity.values()]
    own = np.array([int.from_bytes(digest) >> 1 for digest in digests], np.int32)
    gathered = multihost_utils.process_allgather(own).reshape(-1, len(own))  # (processes, values)
    differing = [name for name, row in zip(identity, gathered.T, strict=True) if len({*row}) > 1]
    if differing:
        raise UserError(
            f"The processes do not agree on {' and '.join(differing)}. Every host needs the same "
            "files, the same text and the same options."
        )
