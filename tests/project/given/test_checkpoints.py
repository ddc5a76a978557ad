"""A training run that is killed, stopped, damaged or changed: what becomes of it."""

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

from minigpt_challenge.given.bigram import SimpleDecoder
from minigpt_challenge.given.checkpoints import Checkpoints
from minigpt_challenge.given.training import run_training_loop

V = 5
TEXT = jnp.tile(jnp.arange(V), 100)


@pytest.fixture
def said():
    return []


@pytest.fixture
def checkpoints(tmp_path, said):
    return Checkpoints(tmp_path / "run", {"the text": "one"}, said.append)


def train(num_iterations, checkpoints=None, **options):
    return run_training_loop(
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


def test_a_run_in_two_parts_ends_like_an_unbroken_one(checkpoints, said):
    train(20, checkpoints)
    state, history = train(40, checkpoints)
    unbroken, its_history = train(40)
    assert history == its_history
    assert state.step == unbroken.step == 40
    assert said == ["Going on with the run that was kept: 20 steps are done."]


def test_the_best_state_is_kept_as_well_as_the_last(checkpoints):
    from minigpt_challenge.given import steps

    def spoiling_step(state, x, y):
        if state.step < 20:
            return steps.train_step(state, x, y)
        worse = {"params": {"next_token_logits": {"embedding": jnp.zeros((V, V))}}}
        return state.replace(step=state.step + 1, params=worse), jnp.float32(0)

    train(30, checkpoints, train_step=spoiling_step, steps_per_call=1)
    state, history = train(40, checkpoints, train_step=spoiling_step, steps_per_call=1)
    assert state.step == 20 and history[-1].step == 40


def test_a_run_at_its_goal_is_not_trained_on(checkpoints):
    first = train(1000, checkpoints, target_loss=1.0)[1]
    assert first[-1].step < 1000
    assert train(1000, checkpoints, target_loss=1.0)[1] == first


def test_a_run_of_another_text_is_set_aside_and_named(checkpoints, said):
    train(20, checkpoints)
    other = Checkpoints(checkpoints.folder, {"the text": "another"}, said.append)
    assert train(10, other)[1] == train(10)[1]
    (aside,) = checkpoints.folder.parent.glob("run_until_*")
    assert "reached step 20, but the text changed since" in said[0]
    assert str(aside) in said[0]
    assert (aside / "20").is_dir()


def test_a_run_that_was_told_apart_by_other_things_is_not_said_to_have_changed(checkpoints, said):
    train(20, Checkpoints(checkpoints.folder, {"the settings": "some"}, said.append))
    assert train(10, checkpoints)[1] == train(10)[1]
    assert "reached step 20, but what this challenge tells runs apart by changed since" in said[0]


def test_how_much_room_the_runs_take_is_said_from_the_second_on(checkpoints, said):
    train(10, checkpoints)
    for text in ("another", "a third"):
        train(10, Checkpoints(checkpoints.folder, {"the text": text}, said.append))
    assert "set aside there so far" not in said[0]
    assert "(2 runs were set aside there so far and take 0 MB." in said[1]


def test_a_full_disk_is_named_and_leaves_the_checkpoint_before(checkpoints, said, monkeypatch):
    train(10, checkpoints)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(ocp.CheckpointManager, "save", full)
        with pytest.raises(OSError) as caught:
            train(20, checkpoints)
    assert caught.value.filename == str(checkpoints.folder)
    assert train(20, checkpoints)[1] == train(20)[1]
    assert said == ["Going on with the run that was kept: 10 steps are done."] * 2


@pytest.mark.parametrize("kind", ["files", "arrays", "history"])
def test_a_damaged_checkpoint_is_named_and_set_aside(checkpoints, said, kind):
    train(20, checkpoints)
    if kind == "files":
        spoiled = [path for path in checkpoints.folder.rglob("*") if path.is_file()]
    else:
        spoiled = [path for path in (checkpoints.folder / "20" / kind).rglob("*") if path.is_file()]
    for path in spoiled:
        path.write_bytes(b"")
    assert train(10, checkpoints)[1] == train(10)[1]
    (aside,) = checkpoints.folder.parent.glob("run_until_*")
    assert "is damaged" in said[0] and str(aside) in said[0]


@pytest.mark.slow
def test_minigpt_train_goes_on_until_it_is_told_to_start_anew(workshop, own_text):
    def said(*options):
        done = workshop.minigpt("train", "--solutions", "--data", str(own_text), *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Going on" not in said("--steps", "2")
    assert "Going on" not in said("--steps", "2", "--fast")
    assert "Going on with the run that was kept: 2 steps are done." in said("--steps", "4")
    fast = said("--steps", "2", "--fast")
    assert "Going on with the run that was kept: 2 steps are done." in fast
    assert re.search(r"The former weights \(loss \d\.\d{3}\) are kept", fast)
    assert "the number of steps, by which --fast sets its rates, changed" in said(
        "--steps", "3", "--fast"
    )
    anew = said("--steps", "3", "--fresh")
    assert "Starting anew. The run that was kept here is now in" in anew
    assert "After 3 steps" in anew


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_and_ends_with_the_same_loss(tmp_path):
    script = textwrap.dedent("""
        import json, sys, time
        from pathlib import Path
        sys.path.insert(0, sys.argv[1])
        from tests.project.given.test_checkpoints import Checkpoints, train
        slow = lambda state, history: time.sleep(float(sys.argv[3]))
        kept = Checkpoints(Path(sys.argv[2]), {})
        state, history = train(60, kept, on_measure=slow)
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
    assert first == "Going on with the run that was kept: 10 steps are done."
    assert json.loads(last) == [list(row) for row in train(60)[1]]
