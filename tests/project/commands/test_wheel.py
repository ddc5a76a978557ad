"""The wheel, installed into an empty environment, is enough to learn with."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv

import pytest

from minigpt_challenge.coach.course.challenge_files import installed_release
from minigpt_challenge.coach.course.curriculum import ROOT, TASKS

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.newest]

EMBEDDING = TASKS[0]
SOLUTION = EMBEDDING.solution.relative_to(ROOT)
STUB, SUITE = EMBEDDING.stub.relative_to(ROOT), EMBEDDING.tests.relative_to(ROOT)


def run(folder, *command):
    """Run a command there, without the variables that say where this clone is."""
    variables = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=variables, capture_output=True, encoding="utf-8"
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The `bin` of a new environment with the wheel, which finds all other packages in this one."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--quiet")
    code, output = run(ROOT, *pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    if "No matching distribution found for hatchling" in output:
        pytest.skip(f"hatchling cannot be fetched here: {output}")
    assert code == 0, output
    venv.create(folder / "venv", symlinks=True)
    (wheel,) = folder.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    code, output = run(folder, *pip, "--python", python, "install", "--no-deps", wheel)
    assert code == 0, output
    (packages,) = (folder / "venv").glob("lib/*/site-packages")
    # What this folder's own .pth files add, such as an editable installation, is not added there.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent


def test_it_carries_what_a_learner_needs(environment, tmp_path):
    minigpt = environment / "minigpt"
    code, output = run(tmp_path, minigpt, "check", "1")
    assert code == 1 and "`minigpt init FOLDER`" in output

    code, output = run(tmp_path, environment / "minigpt-challenge", "init", "gpt")
    assert code == 0 and "    cd gpt\n" in output, output
    folder = tmp_path / "gpt"
    for name, content in installed_release().files.items():
        assert (folder / name).read_bytes() == content, name

    code, output = run(folder, minigpt, "check", "1")
    assert code == 1 and "Task 1 · Embedding: not started" in output
    shutil.copy(folder / SOLUTION, folder / STUB)
    code, output = run(folder, minigpt, "check", "1")
    assert code == 0 and "Task 1 · Embedding: passed" in output
    assert "passed" in run(folder / "tests", minigpt)[1]

    # -P: as the command `pytest`, which does not look for packages in the current folder.
    code, output = run(folder, environment / "python", "-P", "-m", "pytest", "-q", SUITE)
    assert code == 0 and " passed" in output and "skipped" not in output, output
    (folder / STUB).write_text("x = 1\n")
    code, output = run(folder, environment / "python", "-P", "-m", "pytest", "-q", SUITE)
    assert code == 1 and "defines no `TokenAndPositionEmbedding`" in output, output

    assert "Up to date" in run(folder, minigpt, "update")[1]
    assert (folder / STUB).read_text() == "x = 1\n"
