"""Faults of the environment: named with the way out, and no verdict on the learner's code."""

import jax
import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.runtime import environment

pytestmark = [pytest.mark.newest, pytest.mark.slow]

EMBEDDING = TASKS[0]
FATAL = {"JAX_PLATFORMS": "cuda_of_another_machine", "XLA_FLAGS": "junk"}
FORBIDDING = {"JAX_TRANSFER_GUARD": "disallow", "FLAX_RETURN_FROZENDICT": "true"}
CHANGING = {
    "JAX_ENABLE_X64": "true",
    "JAX_DISABLE_JIT": "true",
    "JAX_NUMPY_RANK_PROMOTION": "raise",
}


@pytest.mark.parametrize("name", FATAL | FORBIDDING)
def test_start_names_the_variable(workshop, name):
    value = (FATAL | FORBIDDING)[name]
    done = workshop.minigpt("start", **{name: value})
    said = " ".join(done.stderr.split())
    assert done.returncode == 1
    assert f"with the environment variable {name}={value}" in said and f"`unset {name}`" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", FATAL)
def test_a_check_that_jax_cannot_run_names_the_variable(workshop, name):
    workshop.solve(EMBEDDING)
    done = workshop.minigpt("check", "1", **{name: FATAL[name]})
    assert done.returncode == 1 and not done.stdout
    assert f"{name}={FATAL[name]}" in " ".join(done.stderr.split())
    assert "not started" in workshop.minigpt().stdout  # no verdict was recorded


@pytest.mark.parametrize("settings", [FORBIDDING, CHANGING])
def test_settings_that_change_results_change_no_verdict(workshop, settings):
    workshop.solve(EMBEDDING)
    assert workshop.minigpt("check", "1", **settings).returncode == 0


@pytest.mark.parametrize("name", ["jax", "numpy"])
def test_a_file_that_hides_a_package_is_named(workshop, name):
    workshop.solve(EMBEDDING)
    (workshop.root / f"{name}.py").write_text("")
    for command in (["check", "1"], ["start"]):
        done = workshop.minigpt(*command)
        said = " ".join(done.stderr.split())
        assert done.returncode == 1
        assert f"{name}.py hides the package {name}" in said and "another name" in said


@pytest.mark.parametrize("settings", [{}, FORBIDDING])
def test_an_error_of_the_learners_is_no_fault_of_the_environment(workshop, settings):
    workshop.stub(EMBEDDING).write_text("import flux\n")
    done = workshop.minigpt("check", "1", **settings)
    assert "flux" in done.stdout and "does not work" not in done.stdout + done.stderr


def test_only_errors_of_jax_are_followed_up(monkeypatch):
    monkeypatch.setattr(environment, "fault", lambda: "asked")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert environment.behind(TypeError("ours")) == ""
    assert environment.behind(ImportError("no module named jax.numpy")) == "asked"
    with pytest.raises(RuntimeError) as caught:
        jax.devices("a platform that is not here")
    assert environment.behind(caught.value) == "asked"


def test_a_probe_that_takes_too_long_proves_nothing(monkeypatch):
    monkeypatch.setattr(environment, "TIMEOUT_S", 0.01)
    assert environment.fault() == ""


def test_two_variables_that_are_both_wrong_are_listed(monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "cuda_of_another_machine")
    monkeypatch.setenv("XLA_FLAGS", "junk")
    message = environment.fault()
    assert "Try again without the variables" in message
    assert "JAX_PLATFORMS" in message and "XLA_FLAGS" in message


def test_here_jax_works():
    assert environment.fault() == ""
