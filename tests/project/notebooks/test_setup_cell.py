"""The set-up cell, in a Colab that is played: its folder /content is one of this test's own."""

import os
import subprocess
import sys
from types import ModuleType

import IPython
import pytest

import minigpt_challenge
from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.notebooks import build_notebook, repository_url

INSIDE = "minigpt_challenge/__init__.py"
GIT = ["git", "-c", "user.name=Author", "-c", "user.email=author@example.org"]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """What git clones, in place of the URL in the cell."""
    folder = tmp_path / "repository"
    (folder / INSIDE).parent.mkdir(parents=True)
    (folder / INSIDE).write_text('"""The challenge."""\n')
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "All of it"]):
        subprocess.run([*GIT, *command], cwd=folder, check=True)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{folder}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", repository_url())
    return folder


@pytest.fixture
def content(tmp_path):
    """What is /content in Colab."""
    folder = tmp_path / "content"
    folder.mkdir()
    return folder


@pytest.fixture
def set_up(repository, content, monkeypatch):
    """Runs the set-up cell of notebook 2; returns what it asks of IPython."""
    import nbformat

    asked = []

    class Shell:
        def system(self, command):
            asked.append(command)
            subprocess.run(command, shell=True)

        def run_line_magic(self, name, line):
            asked.append(f"%{name} {line}")

    monkeypatch.setattr(IPython, "get_ipython", Shell)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "minigpt_challenge")  # a new runtime has not imported it
    monkeypatch.chdir(".")
    cells = nbformat.reads(build_notebook(TASKS[1]), as_version=4).cells
    (source,) = [cell.source for cell in cells if cell.source.startswith("# @title Set-up")]
    source = source.replace("/content", str(content))

    def run(keep_on_drive=False):
        source_now = source.replace("KEEP_ON_DRIVE = False", f"KEEP_ON_DRIVE = {keep_on_drive}")
        asked.clear()
        exec(compile(source_now, "set-up", "exec"), {})
        return asked

    return run


@pytest.fixture
def colab(monkeypatch):
    """Makes this look like Colab; returns where a Drive was mounted."""
    mounted = []
    google, colab, drive = (ModuleType(n) for n in ("google", "google.colab", "drive"))
    drive.mount = mounted.append
    colab.drive, google.colab = drive, colab
    for module in (google, colab):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return mounted


def test_outside_colab_nothing_is_fetched(set_up, capsys):
    assert set_up() == ["%load_ext minigpt_challenge", "%welcome 2"]
    assert capsys.readouterr().out == ""


def test_outside_colab_it_says_that_there_is_no_drive_to_keep_things_on(set_up, capsys):
    set_up(keep_on_drive=True)
    assert "no effect outside Colab" in capsys.readouterr().out


def test_in_colab_the_folder_is_in_the_runtime(set_up, colab, content, capsys):
    assert set_up()[-2:] == ["%load_ext minigpt_challenge", "%welcome 2"]
    folder = content / "minigpt-challenge"
    assert (folder / INSIDE).exists() and os.getcwd() == sys.path[0] == str(folder)
    assert list(content.iterdir()) == [folder] and colab == []
    assert capsys.readouterr().out == ""


def test_a_second_set_up_clones_nothing(set_up, colab):
    set_up()
    assert not any("git" in command for command in set_up())


def test_in_colab_the_folder_can_be_on_the_drive(set_up, colab, content):
    set_up(keep_on_drive=True)
    assert (content / "drive/MyDrive/minigpt-challenge" / INSIDE).exists()
    assert colab == [f"{content}/drive"]


def test_a_drive_that_cannot_be_mounted_is_no_reason_to_stop(set_up, colab, content, capsys):
    def refuse(where):
        raise ValueError("mount failed")

    sys.modules["google.colab"].drive.mount = refuse
    set_up(keep_on_drive=True)
    assert (content / "minigpt-challenge" / INSIDE).exists()
    assert "Your Drive cannot be used (mount failed)" in capsys.readouterr().out


def test_a_clone_that_was_killed_is_repeated(set_up, colab, content, capsys):
    left = content / "minigpt-challenge.part"
    (left / ".git").mkdir(parents=True)
    (left / "README.md").write_text("half of")
    set_up()
    assert (content / "minigpt-challenge" / INSIDE).exists() and not left.exists()
    assert capsys.readouterr().out == ""


def test_a_folder_that_lacks_the_package_is_kept_elsewhere(set_up, colab, content, capsys):
    broken = content / "minigpt-challenge"
    (broken / "minigpt_challenge/tasks").mkdir(parents=True)
    (broken / "minigpt_challenge/tasks/task1_embedding.py").write_text("my own work\n")
    set_up()
    (kept,) = content.glob("minigpt-challenge-incomplete-*")
    assert (kept / "minigpt_challenge/tasks/task1_embedding.py").read_text() == "my own work\n"
    assert (broken / INSIDE).exists()
    assert f"What was in it is now in {kept}." in capsys.readouterr().out


def test_offline_it_says_what_to_do_and_leaves_no_half_folder(
    set_up, colab, content, repository, monkeypatch
):
    repository.rename(repository.with_name("gone"))
    monkeypatch.setattr(sys, "path", [])  # nothing is installed
    with pytest.raises(ModuleNotFoundError, match="is the runtime online"):
        set_up()
    assert list(content.iterdir()) == []


def test_a_runtime_that_works_elsewhere_is_not_moved_under_the_learners_feet(
    set_up, colab, monkeypatch
):
    monkeypatch.setitem(sys.modules, "minigpt_challenge", minigpt_challenge)
    before = os.getcwd()
    with pytest.raises(RuntimeError, match="Restart session"):
        set_up(keep_on_drive=True)
    assert os.getcwd() == before
