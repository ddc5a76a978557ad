"""Broken and hostile code: a verdict in words, within a time limit, and nothing else is harmed."""

import json
import re
import time

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading import runner
from minigpt_challenge.coach.grading.runner import check_in_own_process, check_in_this_process

pytestmark = pytest.mark.slow

ATTENTION = TASKS[1]
START = "    def __call__(self, x: jax.Array) -> jax.Array:"


def spoiled(line):
    """The solution, with a line at the start of every `__call__` (or of the file)."""
    solution = ATTENTION.solution.read_text(encoding="utf-8")
    return solution.replace(
        "        q = self.query(x)", f"        {line}\n        q = self.query(x)"
    )


HOSTILE = {
    "endless loop": ("while True: pass", "endless loop"),
    "endless recursion": ("return self(x)", "RecursionError"),
    "sys.exit": ("import sys; sys.exit(0)", "SystemExit"),
    "os._exit": ("import os; os._exit(0)", "ended by itself, with exit code 0"),
    "flood of output": ("while True: print('x' * 10**6)", "File too large"),
    "gigabytes": ("import numpy; jnp.asarray(numpy.ones(10**10)).sum()", "MemoryError"),
    "patched jnp": ("jnp.tril = lambda x: x", "replaced jax.numpy.tril"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "exit code 2"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_from_the_command_line_a_verdict_in_words_is_given_in_time(name, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "TIME_LIMIT", 15)
    line, words = HOSTILE[name]
    answer = tmp_path / "answer.py"
    answer.write_text(spoiled(line), encoding="utf-8")
    start = time.perf_counter()
    report = check_in_own_process(ATTENTION, answer)
    assert time.perf_counter() - start < 30
    assert report.verdict is Verdict.COULD_NOT_RUN
    assert words in "\n".join(check.message for check in report.checks)
    suite = ATTENTION.tests.read_text(encoding="utf-8")
    assert len(report.checks) == suite.count("\ndef test_")  # none is forgotten
    json.dumps(report.as_json())


@pytest.mark.parametrize("name", ["endless loop", "endless recursion", "sys.exit", "patched jnp"])
def test_in_a_notebook_the_kernel_lives_on(name, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "TIME_LIMIT", 1 if name == "endless loop" else 60)
    line, words = HOSTILE[name]
    words = "interrupted after 1 seconds" if name == "endless loop" else words
    answer = tmp_path / "answer.py"
    answer.write_text(spoiled(line), encoding="utf-8")
    report = check_in_this_process(ATTENTION, answer)
    assert report.verdict is Verdict.COULD_NOT_RUN
    assert words in "\n".join(check.message for check in report.checks)
    monkeypatch.setattr(runner, "TIME_LIMIT", 60)
    again = check_in_this_process(ATTENTION, ATTENTION.solution)
    assert again.verdict is Verdict.PASSED, "what the hostile code did outlives it"


def test_in_a_notebook_an_endless_loop_is_waited_for_once(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "TIME_LIMIT", 5)
    answer = tmp_path / "answer.py"
    answer.write_text(spoiled("while True: pass"), encoding="utf-8")
    said = "\n".join(check.message for check in check_in_this_process(ATTENTION, answer).checks)
    limits = [int(n) for n in re.findall(r"interrupted after (\d+) seconds", said)]
    assert limits[0] == 5 and len(limits) > 10 and set(limits[1:]) == {1}


def test_files_in_the_working_folder_are_out_of_reach(workshop):
    text = spoiled(
        "import os, shutil; [shutil.rmtree(p, True) or os.path.isfile(p) and "
        "os.remove(p) for p in os.listdir('.')]"
    )
    workshop.stub(ATTENTION).write_text(text, encoding="utf-8")
    before = sorted(path for path in workshop.root.rglob("*.py"))
    checked = workshop.minigpt("check", "2", "--json")
    assert json.loads(checked.stdout)["task"] == "task2_attention"
    assert sorted(path for path in workshop.root.rglob("*.py")) == before


def test_prints_of_the_learner_do_not_spoil_the_json(workshop):
    workshop.stub(ATTENTION).write_text(spoiled("print('look')"), encoding="utf-8")
    assert json.loads(workshop.minigpt("check", "2", "--json").stdout)["verdict"] == "passed"
