"""From what a check raised to its result: errors of Flax and JAX are explained."""

from functools import partial
from types import SimpleNamespace

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Check, Report, Verdict
from minigpt_challenge.coach.grading.judge import judge, message_of
from minigpt_challenge.coach.grading.runner import check_in_this_process
from tests import test_task5_training_step as suite
from tests.project.answers.task5_training_step import (
    APPLY,
    GRAD,
    JIT_TRAIN,
    LOGITS,
    LOSSES,
    RETURN,
    edited,
)

ATTENTION = TASKS[1]
DENSE = nn.Dense(2)


@pytest.mark.parametrize(
    ("line", "explanation"),
    [
        ("if x.sum() > 1e9: x = x + 1", "cannot depend on values"),
        ("import numpy; numpy.asarray(x)", "Use `jnp` instead of `np`"),
        ("x = jnp.concatenate([x, x], -1)", "weights were made in the second of the shapes"),
        ("x = self.other(x)", "has no attribute"),
        ("x = nn.Dense(3, use_bias=False)(x)", "nowhere else"),
        ("self.scores = x", "cannot be changed while it runs"),
        ("return self(x)", "calls itself without end"),
        ("x @ x", "must have the same size"),
        ("x + x[:, :-1]", "from the last axis backwards"),
        ('jnp.einsum("BTC,BSC->BTS,", x, x)', "an extra comma"),
        ('jnp.einsum("BTC,SC->BTS", x, x)', "as many letters as it has axes"),
        ("jax.grad(lambda y: y)(x)", "returns one number"),
        ("jax.grad(x.sum())", "a value was passed"),
        ("input()", "A check has no keyboard"),
        ("breakpoint()", "A check has no keyboard"),
    ],
)
def test_an_error_is_explained_and_only_the_learners_lines_are_shown(tmp_path, line, explanation):
    answer = tmp_path / "answer.py"
    text = ATTENTION.solution.read_text(encoding="utf-8")
    answer.write_text(text.replace("        q = self.q", f"        {line}\n        q = self.q"))
    report = check_in_this_process(ATTENTION, answer)
    messages = "\n".join(check.message for check in report.checks)
    assert explanation in messages
    assert "    answer.py:44, in __call__:" in messages or "answer.py:45" in messages
    assert max(len(check.message.splitlines()) for check in report.checks) < 10
    assert "site-packages" not in messages


NO_JIT = (JIT_TRAIN, "def train_step")
ALLOWED = "jax.value_and_grad(lambda s: loss_fn(s.params, s.apply_fn, x, y), allow_int=True)(state)"
ONE_TREE = "jax.value_and_grad(lambda all: loss_fn(*all))((state.params, state.apply_fn, x, y))"
INNER_JIT = "jax.jit(jax.value_and_grad(lambda p: loss_fn(p, state.apply_fn, x, y)))(state.params)"
PICKED = "jnp.take_along_axis(logits, y[..., None], -1)[..., 0]"
LOSS, STEP = suite.test_loss_is_the_mean_cross_entropy, suite.test_input_state_is_untouched
LARGE, OVERFITS = suite.test_loss_survives_large_logits, suite.test_overfits_one_batch
COMPILED = partial(suite.test_is_compiled_once, name="train_step")


def grad_with(options):
    return GRAD, GRAD.replace("(loss_fn)", f"(loss_fn, {options})")


@pytest.mark.parametrize(
    ("check", "edits", "expected", "absent"),
    [
        (LOSS, [(LOGITS, 'logits = apply_fn({"params": params}, x)')], "as it is", "KeyError"),
        (LOSS, [(LOGITS, 'logits = apply_fn(params["params"], x)')], "as it is", "KeyError"),
        (LOSS, [(JIT_TRAIN, f"loss_fn = jax.jit(loss_fn)\n{JIT_TRAIN}")], "undecorated", " at 0x"),
        (
            LOSS,
            [(LOSSES, "losses = optax.softmax_cross_entropy(logits, y)")],
            "`optax.softmax_cross_entropy_with_integer_labels`",
            "from the last axis backwards",
        ),
        (LOSS, [(LOSSES, "losses = logits - y")], "from the last axis backwards", "one-hot"),
        (STEP, [grad_with("argnums=2")], "holds integers", "not a function"),
        (STEP, [(GRAD, f"loss, grads = {ALLOWED}")], "to the whole state?", "holds integers"),
        (STEP, [grad_with("argnums=1")], "not a function", " at 0x"),
        (STEP, [(GRAD, f"loss, grads = {ONE_TREE}")], "not a function", " at 0x"),
        (STEP, [grad_with("has_aux=True")], "returns (loss, more)", "one number"),
        (STEP, [(APPLY, "state.params = grads")], "returns a new one", "`setup`"),
        (
            LARGE,
            [(LOSSES, f"losses = jnp.log(jnp.exp(logits).sum(-1)) - {PICKED}")],
            "exp applied to the logits as they are",
            "has become 0",
        ),
        (
            LARGE,
            [
                (LOGITS, "logits = jnp.log(jax.nn.softmax(apply_fn(params, x)))"),
                (LOSSES, f"losses = -{PICKED}"),
            ],
            "the smallest probabilities are 0",
            "as they are",
        ),
        (LARGE, [(LOSSES, f"losses = jnp.exp(-{PICKED})")], "should be", "Most likely"),
        (OVERFITS, [(LOSSES, "losses = optax.softmax_cross_entropy(logits, y)")], "one-hot", "60"),
        (OVERFITS, [(RETURN, "return state, (loss, loss)")], "is a tuple of 2", "'<'"),
        (COMPILED, [NO_JIT, (GRAD, f"loss, grads = {INNER_JIT}")], "created again", "in part"),
        (COMPILED, [NO_JIT, (GRAD, f"{GRAD}; float(loss)")], "the Python code", "created again"),
        (
            COMPILED,
            [
                (JIT_TRAIN, "applied = jax.jit(TrainState.apply_gradients)\ndef train_step"),
                (APPLY, "state = applied(state, grads=grads)"),
            ],
            "the Python code",
            "created again",
        ),
    ],
)
def test_a_mistake_in_the_training_step_is_explained(tmp_path, check, edits, expected, absent):
    answer, names = tmp_path / "answer.py", {}
    answer.write_text(edited(*edits), encoding="utf-8")
    exec(compile(edited(*edits), answer, "exec"), names)
    with pytest.raises(Exception) as caught:
        check(SimpleNamespace(**names))
    message = judge("check", caught.value, answer).message
    assert expected in message
    assert absent not in message


@pytest.mark.parametrize(
    ("call", "explanation"),
    [
        (
            lambda x: DENSE.apply({"params": DENSE.init(jax.random.key(0), x)}, x),
            "pass it to `apply` as it is",
        ),
        (lambda x: jax.grad(lambda s: s["x"].sum())({"x": x, "step": 1}), "holds integers"),
        (lambda x: jnp.square(jax.grad(lambda i: 1.0, allow_int=True)(1)), "without `allow_int`"),
        (lambda x: jax.grad(lambda s: s[0].sum())((x, DENSE.apply)), "not a function"),
        (lambda x: jax.jit(lambda x, f: f(x))(x, DENSE.apply), "leave it undecorated"),
        (lambda x: jax.grad(lambda x: (x.sum(), x))(x), "was (Array(2., dtype=float32), Array(…, "),
    ],
)
def test_a_mistake_with_a_real_model_is_explained_too(tmp_path, call, explanation):
    with pytest.raises(Exception) as caught:
        call(jnp.ones((1, 2)))
    assert explanation in message_of(caught.value, tmp_path / "answer.py")


def test_an_error_outside_the_learners_lines_says_that_the_check_failed(tmp_path):
    message = message_of(TypeError("bad operand"), tmp_path / "answer.py")
    assert message.startswith("Python raised this when the check used your code:")
    assert "TypeError: bad operand" in message


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ("passed passed", "passed"),
        ("passed not_started", "not_started"),
        ("not_started could_not_run passed", "could_not_run"),
        ("could_not_run wrong not_started", "wrong"),
        ("", "could_not_run"),
    ],
)
def test_the_verdict_on_a_task_is_that_of_its_most_serious_check(verdicts, verdict):
    checks = tuple(Check("check", Verdict(value)) for value in verdicts.split())
    assert Report(ATTENTION, 1.0, checks).verdict == verdict


@pytest.mark.parametrize(("below", "is_hidden"), [("", False), ("    return 1\n", True)])
def test_a_raise_that_hides_code_is_named(tmp_path, below, is_hidden):
    answer, names = tmp_path / "answer.py", {}
    text = f'def setup():\n    raise NotImplementedError("Task 2: write setup")\n{below}'
    answer.write_text(text, encoding="utf-8")
    exec(compile(text, answer, "exec"), names)
    with pytest.raises(NotImplementedError) as caught:
        names["setup"]()
    check = judge("check", caught.value, answer)
    assert check.verdict is Verdict.NOT_STARTED
    assert "The `raise` is in line 2" in check.message
    assert ("the code below it is never reached" in check.message) == is_hidden
