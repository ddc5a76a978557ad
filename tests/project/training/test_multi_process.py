"""One training run by several processes gives the result of one process."""

import socket
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import serialization
from jax.sharding import AxisType

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.runtime.devices import cpu_devices
from minigpt_challenge.coach.training import multi_process
from minigpt_challenge.coach.training.setting import MILESTONE
from minigpt_challenge.errors import UserError
from minigpt_challenge.given.milestone import BLOCK_SIZE
from minigpt_challenge.given.spreading import with_sharded_inputs


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def train(workshop, own_text, *arguments, devices=1):
    options = ["--steps", "3", "--data", str(own_text), *arguments]
    return workshop.minigpt("train", *options, JAX_NUM_CPU_DEVICES=str(devices))


def train_together(workshop, own_text, number, devices, *each):
    """Train with several processes, and wait for all; `each` has further arguments for each one."""
    where = ["--coordinator", f"127.0.0.1:{free_port()}", "--num-processes", str(number)]
    with ThreadPoolExecutor(number) as pool:
        running = [
            pool.submit(
                train,
                workshop,
                own_text,
                *where,
                "--process-id",
                str(id),
                *(each[id] if each else ()),
                devices=devices,
            )
            for id in range(number)
        ]
        return [future.result() for future in running]


def weights(workshop, run):
    file = workshop.root / "my_gpt" / run / "weights.msgpack"
    return serialization.msgpack_restore(file.read_bytes())


def final_loss(trained):
    return float(trained.stdout.split("evaluation text is ")[1].split(":")[0])


@pytest.mark.slow
@pytest.mark.newest
def test_several_processes_learn_the_same_as_one(workshop, own_text):
    workshop.solve(*TASKS)
    first, other = train_together(workshop, own_text, 2, 2)
    assert first.returncode == 0, first.stderr
    assert other.returncode == 0, other.stderr
    assert "2 processes, 4 devices in total" in first.stdout
    assert "After" not in other.stdout and "own text" not in other.stdout
    assert "steps" not in other.stderr
    params = weights(workshop, "text_own_text-processes2")["params"]
    alone = train(workshop, own_text)
    assert alone.returncode == 0, alone.stderr
    assert final_loss(first) == pytest.approx(final_loss(alone), abs=1e-3)
    # Three steps of Adam move a weight by up to 3e-3. Where a gradient is almost 0, its rounding
    # error is amplified.
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=3e-4),
        params,
        weights(workshop, "text_own_text")["params"],
    )


@pytest.mark.slow
@pytest.mark.newest
def test_processes_that_do_not_agree_are_rejected(workshop, own_text):
    seeds = (["--solutions", "--seed", "0"], ["--solutions", "--seed", "1"])
    for trained in train_together(workshop, own_text, 2, 2, *seeds):
        assert trained.returncode == 1
        assert "do not agree on the seed" in trained.stderr.replace("\n", " ")


def test_an_unwritten_task_is_named(workshop, own_text):
    workshop.solve(*TASKS[:5])
    (trained,) = train_together(workshop, own_text, 1, 1)
    assert trained.returncode == 1
    assert "Task 7: write make_data_mesh" in trained.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--process-id", "0"], "belong together"),
        (["--coordinator", "a:1", "--num-processes", "2"], "belong together"),
        (["--coordinator", "a", "--num-processes", "2", "--process-id", "0"], "HOST:PORT"),
        (["--coordinator", "a:b", "--num-processes", "2", "--process-id", "0"], "HOST:PORT"),
        (["--coordinator", "a:1", "--num-processes", "2", "--process-id", "2"], "there is no 2"),
        (
            ["--coordinator", "a:1", "--num-processes", "2", "--process-id", "1", "--fresh"],
            "always starts from the beginning",
        ),
    ],
)
def test_wrong_options_are_rejected(workshop, own_text, arguments, message):
    trained = train(workshop, own_text, *arguments)
    assert trained.returncode == 2
    assert message in " ".join(trained.stderr.replace("│", "").split())


def test_a_used_port_and_a_silent_host_are_reported(workshop, own_text, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {port} of this host cannot be used"):
            multi_process._check_port_is_free(port)
        multi_process._wait_for_coordinator("127.0.0.1", port)
    monkeypatch.setattr(multi_process, "TIMEOUT_S", 0)
    with pytest.raises(UserError, match="No answer from 127.0.0.1"):
        multi_process._wait_for_coordinator("127.0.0.1", port)


@pytest.mark.parametrize("blocks, devices, fits", [(40, 4, True), (40, 3, False), (6, 4, False)])
def test_batches_that_cannot_be_split_evenly_are_rejected(blocks, devices, fits):
    data = SimpleNamespace(evaluation=jnp.zeros(blocks * BLOCK_SIZE + 1, int))
    if fits:
        multi_process._check_batches_split_evenly(devices, data, MILESTONE)
    else:
        with pytest.raises(UserError, match=f"There are {devices} devices in total"):
            multi_process._check_batches_split_evenly(devices, data, MILESTONE)


def test_a_step_with_sharded_inputs_gets_the_whole_state_and_its_rows():
    mesh = jax.make_mesh(
        (4,), ("data",), axis_types=(AxisType.Auto,), devices=tuple(cpu_devices(4))
    )
    seen = []

    def step(state, x, y):
        seen.append((state["w"], x, y))
        return {"w": state["w"] + 1}, x.sum() + y.sum()

    x = jnp.arange(24).reshape(8, 3)
    state, loss = with_sharded_inputs(step, mesh)({"w": np.arange(5.0)}, x, x + 1)
    assert loss == (2 * x + 1).sum()
    (whole, rows, _) = seen[0]
    assert [shard.data.shape for shard in whole.addressable_shards] == [(5,)] * 4
    assert [shard.data.shape for shard in rows.addressable_shards] == [(2, 3)] * 4
    np.testing.assert_array_equal(rows, x)
    with_sharded_inputs(step, mesh)(state, x, x)
    assert seen[1][0] is state["w"], "the state was moved again"
