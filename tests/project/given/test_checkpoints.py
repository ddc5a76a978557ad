"""Resuming a run that was killed or stopped, or whose checkpoint is damaged or outdated."""

import json
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import jax.numpy as jnp
import orbax.checkpoint as ocp
import pytest

from minigpt_challenge.given import steps
from minigpt_challenge.given.bigram import SimpleDecoder
from minigpt_challenge.given.checkpoints import Checkpoints
from minigpt_challenge.given.training import run_training_loop
from minigpt_challenge.given.training_run import Measurement

V = 5
TEXT = jnp.tile(jnp.arange(V), 100)


@pytest.fixture
def messages():
    return []


@pytest.fixture
def checkpoints(tmp_path, messages):
    return Checkpoints(tmp_path / "run", {"the text": "one"}, messages.append)


def train(num_iterations, checkpoints=None, **options):
    state, history = run_training_loop(
        num_iterations,
        batch_size=4,
        block_size=6,
        learning_rate=0.03,
        eval_data=TEXT[-80:],
        train_data=TEXT[:-80],
        model=SimpleDecoder(V),
        eval_every=10,
        show_progress=False,
        checkpoints=checkpoints,
        **options,
    )
    # How many steps a call has depends on the time, and so do the last digits of a mean.
    return state, [
        Measurement(step, round(train_loss, 4), eval_loss)
        for step, train_loss, eval_loss, _ in history
    ]


def test_a_resumed_run_ends_like_an_uninterrupted_one(checkpoints, messages):
    train(20, checkpoints)
    state, history = train(40, checkpoints)
    uninterrupted, uninterrupted_history = train(40)
    assert history == uninterrupted_history
    assert state.step == uninterrupted.step == 40
    assert messages == ["Resuming the saved run: 20 steps are done."]


def test_the_best_state_is_saved_with_the_last(checkpoints):
    def worsening_step(state, x, y):
        if state.step < 20:
            return steps.train_step(state, x, y)
        worse = {"params": {"next_token_logits": {"embedding": jnp.zeros((V, V))}}}
        return state.replace(step=state.step + 1, params=worse), jnp.float32(0)

    train(30, checkpoints, train_step=worsening_step, steps_per_call=1)
    state, history = train(40, checkpoints, train_step=worsening_step, steps_per_call=1)
    assert state.step == 20 and history[-1].step == 40


def test_a_run_at_its_target_is_not_trained_further(checkpoints):
    first = train(1000, checkpoints, target_loss=1.0)[1]
    assert first[-1].step < 1000
    assert train(1000, checkpoints, target_loss=1.0)[1] == first


def test_a_run_on_another_text_is_set_aside_and_reported(checkpoints, messages):
    train(20, checkpoints)
    other = Checkpoints(checkpoints.folder, {"the text": "another"}, messages.append)
    assert train(10, other)[1] == train(10)[1]
    (aside,) = checkpoints.folder.parent.glob("run_until_*")
    assert "is at step 20, but the text changed since" in messages[0]
    assert str(aside) in messages[0]
    assert (aside / "20").is_dir()


def test_a_run_with_other_identity_keys_is_set_aside_and_reported(checkpoints, messages):
    train(20, Checkpoints(checkpoints.folder, {"the settings": "some"}, messages.append))
    assert train(10, checkpoints)[1] == train(10)[1]
    assert "is at step 20, but the version of the challenge changed since" in messages[0]


def test_disk_usage_is_reported_from_the_second_run_set_aside(checkpoints, messages):
    train(10, checkpoints)
    for text in ("another", "a third"):
        train(10, Checkpoints(checkpoints.folder, {"the text": text}, messages.append))
    assert "have been set aside" not in messages[0]
    assert "(2 runs have been set aside there and take 0 MB." in messages[1]


def test_a_full_disk_names_the_folder_and_leaves_the_checkpoint_before(
    checkpoints, messages, monkeypatch
):
    train(10, checkpoints)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(ocp.CheckpointManager, "save", full)
        with pytest.raises(OSError) as caught:
            train(20, checkpoints)
    assert caught.value.filename == str(checkpoints.folder)
    assert train(20, checkpoints)[1] == train(20)[1]
    assert messages == ["Resuming the saved run: 10 steps are done."] * 2


@pytest.mark.parametrize("kind", ["files", "arrays", "record"])
def test_a_damaged_checkpoint_is_set_aside_and_reported(checkpoints, messages, kind):
    train(20, checkpoints)
    if kind == "files":
        damaged = [path for path in checkpoints.folder.rglob("*") if path.is_file()]
    else:
        damaged = [path for path in (checkpoints.folder / "20" / kind).rglob("*") if path.is_file()]
    for path in damaged:
        path.write_bytes(b"")
    assert train(10, checkpoints)[1] == train(10)[1]
    (aside,) = checkpoints.folder.parent.glob("run_until_*")
    assert "is damaged" in messages[0] and str(aside) in messages[0]


@pytest.mark.slow
@pytest.mark.newest
def test_minigpt_train_resumes_without_fresh(workshop, own_text):
    def output(*options):
        done = workshop.minigpt("train", "--solutions", "--data", str(own_text), *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Resuming" not in output("--steps", "2")
    assert "Resuming" not in output("--steps", "2", "--fast")
    resumed = output("--steps", "4")
    assert "Resuming the saved run: 2 steps are done." in resumed
    assert re.search(r"The previous weights \(loss \d\.\d{3}\) of this run are saved", resumed)
    assert "the number of steps (which sets the learning rates of --fast) changed" in output(
        "--steps", "3", "--fast"
    )
    fresh = output("--steps", "3", "--fresh")
    assert "Starting from the beginning. The saved run is now in" in fresh
    assert "After 3 steps" in fresh


@pytest.mark.slow
def test_a_killed_run_resumes_and_ends_with_the_same_losses(tmp_path):
    script = textwrap.dedent("""
        import json, sys, time
        from pathlib import Path
        sys.path.insert(0, sys.argv[1])
        from minigpt_challenge.given import training
        from tests.project.given.test_checkpoints import Checkpoints, train
        slow = lambda state, history: time.sleep(float(sys.argv[3]))
        training.SAVE_EVERY_S = 0
        checkpoints = Checkpoints(Path(sys.argv[2]), {})
        state, history = train(60, checkpoints, on_measure=slow)
        print(json.dumps(history))
    """)
    root = Path(__file__).resolve().parents[3]

    def run(folder, seconds):
        return subprocess.Popen(
            [sys.executable, "-c", script, str(root), str(tmp_path / folder), str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )

    victim = run("killed", 3)
    deadline = time.monotonic() + 100
    while not (tmp_path / "killed" / "10").is_dir():
        assert time.monotonic() < deadline and victim.poll() is None
        time.sleep(0.05)
    victim.kill()
    assert victim.wait() != 0

    first, *_, last = run("killed", 0).communicate()[0].strip().splitlines()
    assert first == "Resuming the saved run: 10 steps are done."
    assert json.loads(last) == [list(row) for row in train(60)[1]]
