"""The set-up cell, in a Colab that is played."""

import sys
from types import ModuleType

import IPython
import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.notebooks import build_notebook


@pytest.fixture
def set_up(monkeypatch):
    """Runs the set-up cell of notebook 2; returns what it asks of IPython."""
    import nbformat

    asked = []

    class Shell:
        def system(self, command):
            asked.append(command)

        def run_line_magic(self, name, line):
            asked.append(f"%{name} {line}")

    monkeypatch.setattr(IPython, "get_ipython", Shell)
    monkeypatch.chdir(".")
    cells = nbformat.reads(build_notebook(TASKS[1]), as_version=4).cells
    (source,) = [cell.source for cell in cells if cell.source.startswith("# @title Set-up")]

    def run(keep_on_drive=False):
        source_now = source.replace("KEEP_ON_DRIVE = False", f"KEEP_ON_DRIVE = {keep_on_drive}")
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


def test_in_colab_the_folder_is_in_the_runtime(set_up, colab):
    clone, *_ = set_up()
    assert clone.startswith("git clone") and clone.endswith(" '/content/minigpt-challenge'")
    assert colab == []


def test_in_colab_the_folder_can_be_on_the_drive(set_up, colab):
    clone, *_ = set_up(keep_on_drive=True)
    assert clone.endswith(" '/content/drive/MyDrive/minigpt-challenge'")
    assert colab == ["/content/drive"]


def test_a_drive_that_cannot_be_mounted_is_no_reason_to_stop(set_up, colab, capsys):
    def refuse(where):
        raise ValueError("mount failed")

    sys.modules["google.colab"].drive.mount = refuse
    clone, *_ = set_up(keep_on_drive=True)
    assert clone.endswith(" '/content/minigpt-challenge'")
    assert "Your Drive cannot be used (mount failed)" in capsys.readouterr().out


def test_a_runtime_that_works_elsewhere_is_not_moved_under_the_learners_feet(
    set_up, colab, monkeypatch
):
    monkeypatch.setattr("os.path.isdir", lambda folder: True)
    with pytest.raises(RuntimeError, match="Restart session"):
        set_up(keep_on_drive=True)
