"""The training loop, the given step, and generation."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.training.train_state import TrainState

from minigpt_challenge.coach.checks import random_inputs
from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER
from minigpt_challenge.coach.runtime.loading import tasks_from
from minigpt_challenge.given import steps, training
from minigpt_challenge.given.bigram import SimpleDecoder
from minigpt_challenge.given.checkpoints import Checkpoints
from minigpt_challenge.given.many_steps import BadStep
from minigpt_challenge.given.sampling import generate
from minigpt_challenge.given.sources import DataError
from minigpt_challenge.given.training import (
    evaluate,
    init_train_state,
    run_training_loop,
)
from minigpt_challenge.given.training_run import Measurement, TrainingRun

V = 5
TEXT = jnp.tile(jnp.arange(V), 100)  # 0 1 2 3 4 0 1 …: a bigram can predict it perfectly


def train(num_iterations=40, **options):
    settings = dict(batch_size=4, block_size=6, learning_rate=0.3, eval_every=10)
    return run_training_loop(
        num_iterations,
        eval_data=TEXT[-80:],
        train_data=TEXT[:-80],
        model=SimpleDecoder(V),
        **dict(show_progress=False) | settings | options,
    )


def losses(history):
    """The measurements without their times."""
    return [measured[:3] for measured in history]


def test_the_loss_falls_and_is_measured():
    state, history = train()
    assert [measured.step for measured in history] == [0, 10, 20, 30, 40]
    assert history[0].eval_loss == pytest.approx(np.log(V), abs=0.5)
    assert history[-1].eval_loss < 0.1
    assert evaluate(state, TEXT[-80:], 4, 6) == pytest.approx(history[-1].eval_loss, rel=0.2)


def test_a_nan_loss_at_the_start_does_not_hide_a_better_state():
    def nan_at_first(state, x, y):
        return jnp.where(state.step == 0, jnp.nan, steps.eval_step(state, x, y))

    state, history = train(eval_step=nan_at_first)
    assert np.isnan(history[0].eval_loss)
    assert state.step > 0 and history[-1].eval_loss < 0.1


def test_the_state_with_the_best_evaluation_loss_is_returned():
    def worsening_step(state, x, y):
        """Train for 20 steps, then shrink the params at every step."""
        if state.step < 20:
            return steps.train_step(state, x, y)
        worse = jax.tree.map(lambda leaf: leaf * 0.9, state.params)
        return state.replace(step=state.step + 1, params=worse), jnp.float32(0)

    state, history = train(train_step=worsening_step, steps_per_call=1)
    best = min(history, key=lambda measured: measured.eval_loss)
    assert best.step == 20 and history[-1].eval_loss > best.eval_loss
    assert state.step == 20


def test_it_stops_at_the_target():
    _, history = train(num_iterations=1000, target_loss=0.5)
    assert history[-1].eval_loss <= 0.5 < history[-2].eval_loss
    assert history[-1].step < 1000


def test_a_compiled_loop_gives_the_same_result_as_single_steps():
    state, history = train(25, steps_per_call=7)
    single, single_history = train(25, steps_per_call=1)
    np.testing.assert_allclose(losses(history), losses(single_history), rtol=1e-4)
    assert state.step == single.step == 25
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), state.params, single.params
    )


def test_a_compiled_loop_is_traced_once_for_any_number_of_steps():
    traced = []

    def recording_step(state, x, y):
        traced.append(x.shape)
        return steps.train_step(state, x, y)

    train(25, train_step=recording_step, steps_per_call=7)  # 7, 3, 7, 3 and 5 of them
    assert traced == [(4, 6)]


@pytest.mark.parametrize(
    "step",
    [
        lambda state, x, y: steps.train_step(state, x, y)[::-1],
        lambda state, x, y: steps.train_step(state, x, y)[0],
        lambda state, x, y: (state.params, steps.train_step(state, x, y)[1]),
        lambda state, x, y: (steps.train_step(state, x, y)[0], jnp.zeros(y.shape)),
        lambda state, x, y: None,
    ],
    ids=["loss first", "no loss", "params, no state", "a loss for each token", "nothing"],
)
def test_a_step_that_returns_something_else_raises(step):
    with pytest.raises(BadStep, match="should return two things"):
        train(train_step=step)


def test_make_state_replaces_the_initial_state():
    def without_progress(model, params):
        return TrainState.create(apply_fn=model.apply, params=params, tx=optax.sgd(0.0))

    _, history = train(make_state=without_progress)
    assert history[-1].eval_loss == history[0].eval_loss


def test_an_interrupted_run_keeps_the_step_it_is_at(tmp_path):
    def interrupted_step(state, x, y):
        if state.step == 25:
            raise KeyboardInterrupt
        return steps.train_step(state, x, y)

    checkpoints = Checkpoints(tmp_path / "run", {}, lambda message: None)
    state, history = train(train_step=interrupted_step, steps_per_call=1, checkpoints=checkpoints)
    assert [measured.step for measured in history] == [0, 10, 20, 25]
    assert state.step == 25
    assert (tmp_path / "run" / "25").is_dir()


def test_a_second_interrupt_during_the_measurement_loses_nothing(tmp_path):
    stopped = False

    def interrupted_step(state, x, y):
        nonlocal stopped
        if state.step == 25:
            stopped = True
            raise KeyboardInterrupt
        return steps.train_step(state, x, y)

    def interrupted_evaluation(state, x, y):
        if stopped:
            raise KeyboardInterrupt
        return steps.eval_step(state, x, y)

    checkpoints = Checkpoints(tmp_path / "run", {}, lambda message: None)
    both = dict(steps_per_call=1, checkpoints=checkpoints)
    _, history = train(train_step=interrupted_step, eval_step=interrupted_evaluation, **both)
    assert history[-1].step == 20 and (tmp_path / "run" / "25").is_dir()
    _, resumed = train(**both)
    assert np.allclose(losses(resumed), losses(train()[1]), atol=1e-4)


def test_an_interrupted_step_that_has_consumed_its_state_leaves_the_best_one(tmp_path):
    donating = jax.jit(steps.train_step.__wrapped__, donate_argnums=0)

    def interrupted_step(state, x, y):
        step = int(state.step)
        result = donating(state, x, y)
        if step == 25:
            raise KeyboardInterrupt
        return result

    checkpoints = Checkpoints(tmp_path / "run", {}, lambda message: None)
    state, history = train(train_step=interrupted_step, steps_per_call=1, checkpoints=checkpoints)
    assert history[-1].step == 20 and np.isfinite(evaluate(state, TEXT[-80:], 4, 6))


def test_a_run_is_saved_every_few_seconds_also_between_measurements(tmp_path, monkeypatch):
    clock = iter(range(0, 10_000, 4))  # each look at it is four seconds later
    monkeypatch.setattr(training.time, "monotonic", lambda: next(clock))
    saved = []
    checkpoints = Checkpoints(tmp_path / "run", {}, lambda message: None)
    monkeypatch.setattr(Checkpoints, "save", lambda self, checkpoint: saved.append(checkpoint.step))
    train(30, steps_per_call=1, eval_every=15, checkpoints=checkpoints)
    assert saved[-1] == 30 and 15 not in saved[:2] and len(saved) > 5
    assert all(
        2 <= later - earlier <= 4 for earlier, later in zip(saved, saved[1:-1], strict=False)
    )


def test_the_same_seed_gives_the_same_losses():
    first, again, other = (losses(train(seed=seed)[1]) for seed in (3, 3, 4))
    assert np.allclose(first, again) and not np.allclose(first, other)


def test_the_last_step_is_measured():
    assert [measured.step for measured in train(num_iterations=13)[1]] == [0, 10, 13]


def test_the_bar_shows_the_step_and_both_losses(capsys):
    _, history = run_training_loop(
        10, 4, 6, 0.3, TEXT[-80:], TEXT[:-80], SimpleDecoder(V), eval_every=5
    )
    shown = capsys.readouterr().out
    last = history[-1]
    assert "10 of 10 steps, 0" in shown
    assert f"evaluation {last.eval_loss:.2f}" in shown


def test_the_line_of_a_run_with_a_target_is_honest_about_its_end_and_narrow(capsys):
    train(num_iterations=4_000, target_loss=0.5, show_progress=True)
    lines = [line.strip() for line in capsys.readouterr().out.split("\r") if "steps" in line]
    assert "of at most 4,000 steps" in lines[0] and max(map(len, lines)) <= 62


def test_the_loss_that_is_shown_does_not_jump():
    state = TrainState.create(apply_fn=None, params={}, tx=optax.sgd(1.0))
    run = TrainingRun(state, state, 4.0, [Measurement(0, 4.0, 4.0)])
    shown = []
    for step in range(1, 200):
        run.advance(state, step, 3.0 + step % 2, 0.01)  # every second batch is harder
        shown.append(run.smooth_loss)
    assert np.abs(np.diff(shown[50:])).max() < 0.05 and shown[-1] == pytest.approx(3.5, abs=0.1)


def test_a_call_takes_about_a_second():
    state = TrainState.create(apply_fn=None, params={}, tx=optax.sgd(1.0))
    run = TrainingRun(state, state, 4.0, [Measurement(0, 4.0, 4.0)])
    assert run.steps_in_a_second(50, 1.0) == 1
    run.advance(state, 1, 4.0, 20.0)  # it compiles, so its time tells nothing
    assert run.steps_in_a_second(50, 1.0) == 1
    run.advance(state, 2, 4.0, 0.1)
    assert run.steps_in_a_second(50, 1.0) == 10 and run.steps_in_a_second(4, 1.0) == 4
    run.advance(state, 3, 4.0, 7.0)
    assert run.steps_in_a_second(50, 1.0) == 1


def test_a_text_shorter_than_a_block_raises():
    with pytest.raises(DataError, match="too short"):
        run_training_loop(5, 4, 90, 0.1, TEXT[-80:], TEXT[:-80], SimpleDecoder(V))


def test_the_given_step_equals_the_reference():
    model = SimpleDecoder(V)
    x, y = (random_inputs.tokens(3, 4, vocab_size=V, seed=seed) for seed in (0, 1))
    state = init_train_state(model, random_inputs.params(model, x), learning_rate=0.1)
    with tasks_from(SOLUTIONS_FOLDER) as modules:
        expected, expected_loss = modules["task5_training_step"].train_step(state, x, y)
    new, loss = steps.train_step(state, x, y)
    assert float(loss) == pytest.approx(float(expected_loss), rel=1e-5)
    assert new.step == expected.step == 1
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), new.params, expected.params
    )
    assert float(steps.eval_step(state, x, y)) == pytest.approx(float(expected_loss), rel=1e-5)


def test_the_state_has_adam_with_the_learning_rate():
    params = {"params": {"w": jnp.zeros(3)}}
    state = init_train_state(SimpleDecoder(V), params, learning_rate=0.25)
    after = state.apply_gradients(grads={"params": {"w": jnp.array([1.0, -2.0, 3.0])}})
    # Adam's first step has the size of the learning rate and the sign of the gradient.
    np.testing.assert_allclose(after.params["params"]["w"], [-0.25, 0.25, -0.25], atol=1e-4)
    assert isinstance(state.tx, optax.GradientTransformation)


class TestGenerate:
    """`generate`, with a model that always predicts the last token plus 1."""

    @staticmethod
    def apply_fn(params, tokens):
        return 1e3 * jax.nn.one_hot((tokens + 1) % V, V)

    def test_it_continues_the_prompt(self):
        text = generate(jax.random.key(0), self.apply_fn, {}, [3, 1], 6, block_size=4)
        np.testing.assert_array_equal(text, [3, 1, 2, 3, 4, 0, 1, 2])

    def test_it_sees_the_last_block_and_nothing_older(self):
        def count_twos(params, tokens):
            """Predict 4 where there is a 2 at or before the position, else 0."""
            seen = jnp.cumsum(tokens == 2, axis=-1) > 0
            return 1e3 * jax.nn.one_hot(jnp.where(seen, 4, 0), V)

        text = generate(jax.random.key(0), count_twos, {}, [2, 1], 6, block_size=4)
        np.testing.assert_array_equal(text, [2, 1, 4, 4, 4, 0, 0, 0])

    def test_the_model_is_compiled_once(self):
        shapes = []

        def recording(params, tokens):
            shapes.append(tokens.shape)
            return self.apply_fn(params, tokens)

        generate(jax.random.key(0), recording, {}, [1], 9, block_size=4)
        assert shapes == [(1, 4)]

    def test_the_key_determines_the_text(self):
        def uniform(params, tokens):
            return jnp.zeros((*tokens.shape, V))

        def text(seed):
            return list(generate(jax.random.key(seed), uniform, {}, [0], 20, block_size=4))

        assert text(0) == text(0) != text(1)

    def test_an_empty_prompt_raises(self):
        with pytest.raises(ValueError, match="prompt is empty"):
            generate(jax.random.key(0), self.apply_fn, {}, [], 3, block_size=4)
