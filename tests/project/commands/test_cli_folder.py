"""`minigpt init` and `minigpt update`, run as a learner runs them."""

import os
import subprocess
import sys

import pytest

from minigpt_challenge.coach.commands.folder import NEWEST, init
from minigpt_challenge.coach.course.challenge_files import Release, installed_release, version
from minigpt_challenge.coach.course.curriculum import ROOT, TASKS
from minigpt_challenge.coach.course.stubs import cut_stub

pytestmark = pytest.mark.newest

EMBEDDING = TASKS[0]


def minigpt(folder, *arguments, root=ROOT):
    """`minigpt …`, as installed from `root`, run in this folder."""
    command = "from minigpt_challenge.coach.commands.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", command, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "100"},
        capture_output=True,
        encoding="utf-8",
    )


def test_init_says_what_to_type_and_the_folder_is_run_from_then_on(tmp_path):
    done = minigpt(tmp_path, "init", "my gpt")
    assert done.returncode == 0, done.stderr
    assert "cd 'my gpt'\n    pip install -e .\n    minigpt start\n" in done.stdout
    folder = tmp_path / "my gpt"
    for name, content in installed_release().files.items():
        assert (folder / name).read_bytes() == content
    assert "not started" in minigpt(folder).stdout
    assert (folder / "minigpt_challenge" / "__pycache__").exists()  # it was this package that ran
    assert f"Up to date: version {version()}" in minigpt(folder / "notebooks", "update").stdout
    refused = minigpt(tmp_path, "init", "my gpt")
    assert refused.returncode == 1 and "minigpt update" in refused.stderr


def test_the_stubs_are_as_given_even_where_they_come_from_is_not(workshop, tmp_path):
    workshop.solve(EMBEDDING)
    done = minigpt(tmp_path, "init", "gpt", root=workshop.root)
    assert done.returncode == 0, done.stderr
    stub = tmp_path / "gpt" / EMBEDDING.stub.relative_to(ROOT)
    assert stub.read_text(encoding="utf-8") == cut_stub(EMBEDDING)


def test_init_in_the_current_folder_leads_nowhere_else(tmp_path):
    done = minigpt(tmp_path, "init", ".")
    assert done.returncode == 0 and "cd " not in done.stdout
    assert (tmp_path / "solutions" / "task1_embedding.py").exists()


def test_update_tells_what_it_wrote_and_what_it_left(tmp_path):
    release = installed_release()
    stub, suite = "minigpt_challenge/tasks/task1_embedding.py", "tests/test_task1_embedding.py"
    init(tmp_path, Release("0.0.1", release.files | {stub: b"old", suite: b"old", "gone": b""}))
    (tmp_path / stub).write_bytes(b"mine")
    done = minigpt(tmp_path / "tests", "update")
    assert done.returncode == 0, done.stderr
    assert f"Version {version()} (before: 0.0.1). Files written: 1; removed: 1." in done.stdout
    assert f"The new ones are in update_{version()}/:\n\n    {stub}\n" in done.stdout
    assert "run it again" in done.stdout
    assert (tmp_path / stub).read_bytes() == b"mine"


def test_the_folder_s_own_package_says_how_to_get_a_newer_one(tmp_path):
    init(tmp_path, installed_release())
    done = minigpt(tmp_path, "update", root=tmp_path)
    assert done.returncode == 1 and NEWEST in done.stderr


def test_elsewhere_update_says_what_to_do(tmp_path, workshop):
    assert "minigpt init FOLDER" in minigpt(tmp_path, "update").stderr
    assert "was not written by `minigpt init`" in minigpt(workshop.root, "update").stderr
    (workshop.root / ".git").mkdir()
    assert "git pull" in minigpt(workshop.root, "update").stderr


@pytest.mark.parametrize("arguments", [[], ["check", "1"], ["hint", "1"], ["start"]])
def test_a_package_that_is_installed_alone_says_what_to_do(workshop, tmp_path, arguments):
    (workshop.root / "minigpt_challenge" / "challenge_files").mkdir()  # as in a wheel
    done = minigpt(tmp_path, *arguments, root=workshop.root)
    assert done.returncode == 1 and done.stdout == ""
    assert "`minigpt init FOLDER`" in done.stderr and "Traceback" not in done.stderr
    assert minigpt(tmp_path, "--help", root=workshop.root).returncode == 0


def test_a_notebook_does_not_work_on_a_package_that_is_installed_alone(workshop):
    (workshop.root / "minigpt_challenge" / "challenge_files").mkdir()
    script = "import minigpt_challenge as m; m.load_ipython_extension(None)"
    assert "-m pip install -e ." in workshop.python("-c", script).stderr
