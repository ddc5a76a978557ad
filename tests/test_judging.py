"""From what a check raised to a verdict in words: Flax's and JAX's own errors, explained."""

import pytest

from minigpt_challenge.coach.checking import check_in_this_process
from minigpt_challenge.coach.curriculum import TASKS
from minigpt_challenge.coach.judging import describe
from minigpt_challenge.coach.verdict import Check, Report, Verdict

ATTENTION = TASKS[1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("if x.sum() > 1e9: x = x + 1", "cannot decide by them"),
        ("import numpy; numpy.asarray(x)", "Use `jnp` in place of `np`"),
        ("x = jnp.concatenate([x, x], -1)", "of another width than it should"),
        ("x = self.other(x)", "has no attribute"),
        ("x = nn.Dense(3, use_bias=False)(x)", "nowhere else"),
        ("self.scores = x", "cannot be changed while it runs"),
        ("return self(x)", "calls itself without end"),
        ("x @ x", "must be of one size"),
        ("x + x[:, :-1]", "from the last axis backwards"),
        ('jnp.einsum("BTC,BSC->BTS,", x, x)', "a comma too many"),
        ('jnp.einsum("BTC,SC->BTS", x, x)', "as many letters as it has axes"),
        ("jax.grad(lambda y: y)(x)", "returns one number"),
        ("jax.grad(x.sum())", "a value came"),
    ],
)
def test_an_error_is_explained_with_the_learners_line_and_no_other(tmp_path, line, words):
    answer = tmp_path / "answer.py"
    text = ATTENTION.solution.read_text(encoding="utf-8")
    answer.write_text(text.replace("        q = self.q", f"        {line}\n        q = self.q"))
    report = check_in_this_process(ATTENTION, answer)
    said = "\n".join(check.message for check in report.checks)
    assert words in said
    assert "    answer.py, line 44, in __call__:" in said or "    answer.py, line 45" in said
    assert max(len(check.message.splitlines()) for check in report.checks) < 10
    assert "site-packages" not in said


def test_what_a_check_cannot_use_is_no_fault_of_the_learners_lines(tmp_path):
    said = describe(TypeError("bad operand"), tmp_path / "answer.py")
    assert said.startswith("This check could not use what your code gave it:")
    assert "TypeError: bad operand" in said


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
def test_the_verdict_on_a_task_is_the_one_that_says_most(verdicts, verdict):
    checks = tuple(Check("check", Verdict(word)) for word in verdicts.split())
    assert Report("task2_attention", 1.0, checks).verdict == verdict
