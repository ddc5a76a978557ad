"""The CPU devices for a check are created, or reported as missing, however it is started."""

from pathlib import Path

import jax
import pytest

from minigpt_challenge.coach.course.curriculum import TASKS, task_by_number
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading.judge import judge
from minigpt_challenge.coach.runtime import devices

DATA_PARALLEL = task_by_number(7)
IN_A_NOTEBOOK = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in ["import jax", {first!r}, "%load_ext minigpt_challenge", "%check 7"]:
    assert shell.run_cell(cell).success
"""


def test_pytest_has_enough_devices_for_any_task():
    assert len(jax.devices("cpu")) >= max(task.cpu_devices for task in TASKS)
    assert all(devices.has_enough(task) for task in TASKS)


def test_too_few_devices_are_an_error_that_says_what_to_do():
    with pytest.raises(devices.TooFewDevices) as raised:
        devices.cpu_devices(1000)
    check = judge("a_check", raised.value, Path("answer.py"))
    assert check.verdict is Verdict.COULD_NOT_RUN
    assert check.message.startswith("This check needs 1000 CPU devices, and JAX has ")
    assert "JAX_NUM_CPU_DEVICES=1000" in check.message


@pytest.mark.slow
def test_plain_pytest_creates_devices_and_respects_the_users_number(workshop, monkeypatch):
    arguments = ["-m", "pytest", "--solutions", "tests/test_task7_data_parallel.py", "-k", "mesh"]
    monkeypatch.delenv(devices.SETTING)
    assert workshop.python(*arguments).returncode == 0
    few = workshop.python(*arguments, **{devices.SETTING: "2"})
    assert few.returncode == 1 and "needs 8 CPU devices, and JAX has 2" in few.stdout


def test_a_check_in_its_own_process_creates_devices_and_ignores_the_users_number(workshop):
    workshop.solve(DATA_PARALLEL)
    checked = workshop.minigpt("check", "7", **{devices.SETTING: "2"})
    assert checked.returncode == 0, checked.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "first, own_process",
    [('jax.config.update("jax_num_cpu_devices", 8)', False), ("jax.devices()", True)],
)
def test_a_notebook_checks_in_its_kernel_or_reports_why_not(
    workshop, monkeypatch, first, own_process
):
    workshop.solve(DATA_PARALLEL)
    monkeypatch.delenv(devices.SETTING)
    done = workshop.python("-c", IN_A_NOTEBOOK.format(first=first))
    assert done.returncode == 0, done.stdout
    output = " ".join(done.stdout.split())
    assert "Task 7 · Data parallel: passed" in output
    assert ("JAX was started without the 8 CPU devices" in output) == own_process
