"""The challenge's own damage is named, and not held against the learner."""

import subprocess

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.runtime.given_files import damage_behind

pytestmark = [pytest.mark.slow, pytest.mark.newest]
EMBEDDING, BLOCKS, KV_CACHE = TASKS[0], TASKS[3], TASKS[5]
BLAMELESS = "your own file is not to blame"


@pytest.fixture
def repository(workshop):
    """A workshop under git, with tasks 1 and 4 solved."""
    workshop.solve(EMBEDDING, BLOCKS)
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "All"],
    ):
        subprocess.run(["git", *command], cwd=workshop.root, check=True)
    return workshop


def solution_in(workshop, task):
    return workshop.root / "solutions" / task.solution.name


def said(workshop, *arguments):
    done = workshop.minigpt("check", *arguments)
    return " ".join((done.stdout + done.stderr).split())


def test_a_solution_that_raises_an_error_is_named(repository):
    file = solution_in(repository, EMBEDDING)
    text = file.read_text(encoding="utf-8")
    assert "        return what + where" in text
    file.write_text(text.replace("        return what + where", "        1 / 0"), encoding="utf-8")
    message = said(repository, "4")
    assert "Task 4 · Blocks: could not run" in message and BLAMELESS in message
    assert "git checkout solutions/task1_embedding.py" in message
    assert "✗" not in message


@pytest.mark.parametrize("number", ["1", "4"])
def test_a_solution_that_python_cannot_read_is_named(repository, number):
    with solution_in(repository, EMBEDDING).open("a", encoding="utf-8") as file:
        file.write("def (")
    message = said(repository, number)
    assert BLAMELESS in message and "git checkout solutions/task1_embedding.py" in message
    assert "Traceback" not in message


def test_without_git_the_advice_is_to_update(workshop):
    solution_in(workshop, EMBEDDING).write_text("def (", encoding="utf-8")
    message = said(workshop, "1")
    assert "Delete it, and `minigpt update` brings it back" in message and "git" not in message


@pytest.mark.parametrize(
    "name", ["tests/test_task1_embedding.py", "minigpt_challenge/given/cached_gpt.py"]
)
def test_an_empty_suite_or_given_file_is_named(repository, name):
    (repository.root / name).write_text("", encoding="utf-8")
    message = said(repository, "6" if "given" in name else "1")
    assert f"git checkout {name}" in message


def test_a_given_file_that_was_changed_is_not_blamed_for_the_learners_error(repository):
    given = repository.root / "minigpt_challenge" / "given" / "cached_gpt.py"
    given.write_text(given.read_text(encoding="utf-8") + "\n# mine\n", encoding="utf-8")
    repository.solve(KV_CACHE)
    stub = repository.stub(KV_CACHE)
    text = stub.read_text(encoding="utf-8")
    assert "        B, T, _ = x.shape" in text
    stub.write_text(text.replace("        B, T, _ = x.shape", "        1 / 0"), encoding="utf-8")
    message = said(repository, "6")
    assert "ZeroDivisionError" in message and BLAMELESS not in message


def test_an_error_that_is_its_own_cause_is_no_endless_loop(tmp_path):
    with pytest.raises(ValueError) as caught:
        try:
            raise ValueError("mine")
        except ValueError as error:
            raise error from error
    assert damage_behind(caught.value, tmp_path) == ""


def test_an_error_in_the_learners_file_is_theirs(repository):
    stub = repository.stub(EMBEDDING)
    text = stub.read_text(encoding="utf-8")
    stub.write_text(text.replace("        return what + where", "        1 / 0"), encoding="utf-8")
    message = said(repository, "1")
    assert "ZeroDivisionError" in message and BLAMELESS not in message
