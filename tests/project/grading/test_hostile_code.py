"""Broken and hostile code gets a verdict within the time limit, and harms nothing else."""

import json
import re
import time

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading import runner
from minigpt_challenge.coach.grading.runner import check_in_own_process, check_in_this_process
from minigpt_challenge.coach.runtime import limits

pytestmark = pytest.mark.slow

ATTENTION = TASKS[1]


def with_line(line):
    """The solution with this line at the start of each head's `__call__`."""
    solution = ATTENTION.solution.read_text(encoding="utf-8")
    return solution.replace(
        "        q = self.query(x)", f"        {line}\n        q = self.query(x)"
    )


HOSTILE = {
    "endless loop": ("while True: pass", "endless loop"),
    "endless loop in a try": (
        "try:\n            while True: pass\n        except Exception: pass",
        "endless loop",
    ),
    "waiting for ever": ("import time; time.sleep(10**6)", "It was stopped after 0.15 minutes"),
    "endless recursion": ("return self(x)", "RecursionError"),
    "sys.exit": ("import sys; sys.exit(0)", "SystemExit"),
    "os._exit": ("import os; os._exit(0)", "The process ended with exit code 0"),
    "flood of output": ("while True: print('x' * 10**6)", "File too large"),
    "gigabytes": ("import numpy; jnp.asarray(numpy.ones(10**10)).sum()", "MemoryError"),
    "patched jnp": ("jnp.tril = lambda x: x", "replaced jax.numpy.tril"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "exit code 2"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_command_line_gives_a_verdict_within_the_time_limit(name, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "TIME_LIMIT", 9)
    monkeypatch.setattr(limits, "MAX_WAIT", 9 if name == "waiting for ever" else 60)
    line, message = HOSTILE[name]
    answer = tmp_path / "answer.py"
    answer.write_text(with_line(line), encoding="utf-8")
    start = time.perf_counter()
    report = check_in_own_process(ATTENTION, answer)
    assert time.perf_counter() - start < 60
    assert report.verdict is Verdict.COULD_NOT_RUN
    assert message in "\n".join(check.message for check in report.checks)
    suite = ATTENTION.tests.read_text(encoding="utf-8")
    assert len(report.checks) == suite.count("\ndef test_")  # each has a result
    json.dumps(report.as_json())


@pytest.mark.parametrize("name", ["endless loop", "endless recursion", "sys.exit", "patched jnp"])
def test_a_notebooks_kernel_survives(name, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "TIME_LIMIT", 1 if name == "endless loop" else 60)
    line, message = HOSTILE[name]
    message = "interrupted after 1 seconds of processor time" if name == "endless loop" else message
    answer = tmp_path / "answer.py"
    answer.write_text(with_line(line), encoding="utf-8")
    report = check_in_this_process(ATTENTION, answer)
    assert report.verdict is Verdict.COULD_NOT_RUN
    assert message in "\n".join(check.message for check in report.checks)
    monkeypatch.setattr(runner, "TIME_LIMIT", 60)
    again = check_in_this_process(ATTENTION, ATTENTION.solution)
    assert again.verdict is Verdict.PASSED, "the effects of the hostile code remain"


def test_in_a_notebook_only_the_first_check_waits_for_the_whole_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "TIME_LIMIT", 3)
    answer = tmp_path / "answer.py"
    answer.write_text(with_line("while True: pass"), encoding="utf-8")
    checks = check_in_this_process(ATTENTION, answer).checks
    messages = "\n".join(check.message for check in checks)
    limits = [int(n) for n in re.findall(r"interrupted after (\d+) seconds", messages)]
    assert limits[0] == 3 and len(limits) > 10 and set(limits[1:]) == {1}


def test_in_a_notebook_code_that_waits_is_interrupted_too(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_WAIT", 3)
    answer = tmp_path / "answer.py"
    answer.write_text(with_line("import time; time.sleep(10**6)"), encoding="utf-8")
    start = time.perf_counter()
    checks = check_in_this_process(ATTENTION, answer).checks
    assert "Does it wait for something?" in checks[0].message
    assert time.perf_counter() - start < 60  # each check after the first waits for a second


def test_code_cannot_delete_files_in_the_working_folder(workshop):
    text = with_line(
        "import os, shutil; [shutil.rmtree(p, True) or os.path.isfile(p) and "
        "os.remove(p) for p in os.listdir('.')]"
    )
    workshop.stub(ATTENTION).write_text(text, encoding="utf-8")
    before = sorted(path for path in workshop.root.rglob("*.py"))
    checked = workshop.minigpt("check", "2", "--json")
    assert json.loads(checked.stdout)["task"] == "task2_attention"
    assert sorted(path for path in workshop.root.rglob("*.py")) == before


def test_what_the_learner_prints_does_not_break_the_json(workshop):
    workshop.stub(ATTENTION).write_text(with_line("print('look')"), encoding="utf-8")
    assert json.loads(workshop.minigpt("check", "2", "--json").stdout)["verdict"] == "passed"
