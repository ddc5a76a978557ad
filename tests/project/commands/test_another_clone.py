"""Two clones: the one in whose folder `minigpt` is run is the one that is checked."""

import json
import os
import subprocess
import sys

import pytest

from minigpt_challenge.coach.course.curriculum import ROOT, TASKS
from minigpt_challenge.coach.runtime.clone import clone_around

pytestmark = pytest.mark.newest

EMBEDDING = TASKS[0]


def check_1(folder):
    """`minigpt check 1`, as installed from ROOT, run in this folder: the JSON that it prints."""
    command = "from minigpt_challenge.coach.commands.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[0] = {str(ROOT)!r}; {command}", "check"]
        + ["1", "--json"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
    )
    return json.loads(done.stdout), done.returncode


@pytest.mark.slow
def test_the_clone_around_the_current_folder_is_checked(workshop):
    assert check_1(workshop.root)[0]["verdict"] == "not_started"
    workshop.solve(EMBEDDING)
    report, exit_code = check_1(workshop.root / "notebooks")
    assert (report["verdict"], exit_code) == ("passed", 0)
    text = workshop.stub(EMBEDDING).read_text(encoding="utf-8")
    workshop.stub(EMBEDDING).write_text(text.replace("what + where", "what"), encoding="utf-8")
    report, exit_code = check_1(workshop.root)
    assert (report["verdict"], exit_code) == ("wrong", 1)


@pytest.mark.slow
def test_pytest_checks_the_clone_that_it_is_run_in(workshop):
    workshop.solve(EMBEDDING)
    done = workshop.python(  # -P: as the command `pytest`, which does not look in this folder
        "-P", "-m", "pytest", "tests/test_task1_embedding.py", "-q", PYTHONPATH=str(ROOT)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout and "skipped" not in done.stdout


def test_other_folders_are_no_clone(tmp_path):
    (tmp_path / "solutions").mkdir()
    assert clone_around(tmp_path) is None
    assert clone_around(ROOT / "notebooks") == ROOT
