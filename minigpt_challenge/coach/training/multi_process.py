"""`minigpt train --coordinator …`: one training run by several processes, on one host or many."""

import hashlib
import io
import os
import socket
import time
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from jax.experimental import multihost_utils
from rich.console import Console

from minigpt_challenge.coach.course.curriculum import task_by_number
from minigpt_challenge.coach.training import gpt_run, result, train_and_sample
from minigpt_challenge.errors import UserError
from minigpt_challenge.given import milestone as setting
from minigpt_challenge.given.dataset import Dataset, load_data
from minigpt_challenge.given.spreading import with_sharded_inputs

PATIENCE = 120  # seconds that a process waits for the others


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is, and where they meet.

    Attributes:
        coordinator: HOST:PORT of process 0.
        number: how many there are.
        id: from 0 to number - 1. Process 0 speaks for all.
    """

    coordinator: str
    number: int
    id: int


def train(
    console: Console,
    processes: Processes,
    solutions: bool,
    steps: int | None,
    data_path: Path | None,
    seed: int,
) -> bool:
    """As `train_and_sample.train`, with the others. Nothing is kept on the way; process 0 saves.

    Returns:
        in process 0 whether the loss is below the target; True in the others, whose part is done.

    Raises:
        UserError: the processes do not meet, do not do the same, or cannot share out the batch.
    """
    _join(console, processes)
    speaks = processes.id == 0
    with nullcontext() if speaks else redirect_stdout(io.StringIO()):
        data = load_data(data_path)
    data_parallel = task_by_number(7)
    with train_and_sample.code(solutions, data_parallel) as modules:
        its_steps, parallel = modules["task5_training_step"], modules[data_parallel.stem]
        mesh = parallel.make_data_mesh()
        _refuse_uneven(mesh.size, data)
        step = parallel.shard_map_train_step(mesh)
        model = setting.build(modules["task4_blocks"].MiniGPT, data.vocabulary.size)
        most = gpt_run.most_steps(steps or setting.MAX_STEPS)
        identity = gpt_run.identity(model, (step, its_steps.eval_step), data, str(solutions), seed)
        _refuse_strangers(identity | {"the number of steps": str(most)})
        if speaks:
            console.print(f"{processes.number} processes, {mesh.size} devices in all.")
        state, history = setting.train(
            model,
            data,
            with_sharded_inputs(step, mesh),
            with_sharded_inputs(its_steps.eval_step, mesh),
            most,
            setting.target_loss(data.vocabulary),
            seed=seed,
            steps_per_call=1,  # between two steps, each process lays out its own share
            show_progress=speaks,
        )
        if not speaks:
            return True
        run = result.judged(model, jax.device_get(state), history, data, seed)
    return train_and_sample.keep_and_tell(console, run, data.vocabulary, solutions)


def _join(console: Console, processes: Processes) -> None:
    """Meet the others; from here on `jax.devices()` are those of all. Nothing of JAX comes before.

    JAX's runtime ends this process, with a trace of its own, where the others do not come. What
    can be known before is said in words.

    Raises:
        UserError: the address is not free for process 0, or cannot be reached from here.
    """
    host, _, port = processes.coordinator.rpartition(":")
    if processes.id:
        _wait_for(host, int(port))
    else:
        _refuse_taken(int(port))
        console.print(
            f"Waiting at {processes.coordinator} for all {processes.number} processes, "
            f"{PATIENCE} seconds at most.",
            soft_wrap=True,
        )
    jax.distributed.initialize(
        processes.coordinator, processes.number, processes.id, initialization_timeout=PATIENCE
    )


def _refuse_taken(port: int) -> None:
    with socket.socket() as trial:
        if os.name != "nt":  # a run that has just ended there is no obstacle
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("", port))
        except OSError as error:
            raise UserError(
                f"Port {port} of this host cannot be used ({error.strerror}). Take another one, "
                "the same for every process."
            ) from error


def _wait_for(host: str, port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > until:
                raise UserError(
                    f"Nobody answers at {host}:{port} ({error.strerror or error}). Has process 0 "
                    "been started on that host, and is the port open to this one?"
                ) from error
        time.sleep(0.5)


def _refuse_uneven(num_devices: int, data: Dataset) -> None:
    """Every batch must be shared out evenly, in training and in evaluation."""
    pieces = (len(data.evaluation) - 1) // setting.BLOCK_SIZE
    for rows, which in (
        (setting.BATCH_SIZE, "a batch"),
        (min(setting.BATCH_SIZE, pieces), "a batch of the evaluation text"),
    ):
        if rows % num_devices:
            raise UserError(
                f"There are {num_devices} devices in all, and {which} has {rows} rows: they cannot "
                "be shared out evenly. Take other numbers of processes, or of devices in each."
            )


def _refuse_strangers(identity: dict[str, str]) -> None:
    """All processes must do the same, or each would wait for what the others never send."""
    hashes = [hashlib.sha256(value.encode()).digest()[:4] for value in identity.values()]
    mine = np.array([int.from_bytes(one) >> 1 for one in hashes], np.int32)
    everyones = multihost_utils.process_allgather(mine).reshape(-1, len(mine))
    others = [name for name, row in zip(identity, everyones.T, strict=True) if len({*row}) > 1]
    if others:
        raise UserError(
            f"The processes do not agree on {' and '.join(others)}. Every host needs the same "
            "files, the same text and the same options."
        )
