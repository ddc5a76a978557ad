"""The notebooks as a learner meets them: executed from the first cell to the last.

With the solutions in place they are run with the newest packages and with Colab's; what needs
only one of the two is marked `newest`.
"""

import json

import nbformat
import pytest
from nbclient import NotebookClient
from rich.text import Text

from minigpt_challenge.coach.course.curriculum import ROAD, TASKS, WARM_UP
from minigpt_challenge.coach.training.ladder_recipes import MILESTONE_TASK

EVERY_NOTEBOOK = pytest.mark.parametrize("task", ROAD, ids=lambda task: task.stem)

# What only takes time, by the number of the task: training is proved by the milestone's own test,
# and here it only has to run.
SHORTER = {
    6: [
        ("(naive, 30)", "(naive, 3)"),  # characters, each of which compiles anew
        ("num_iterations=500", "num_iterations=20"),
    ],
    8: [("range(1500)", "range(320)")],
}

# One line of each solution is made wrong. Task 2 adds to the ladder, task 5 is the milestone's.
MISTAKES = {
    TASKS[1]: ("q @ k.swapaxes(-2, -1) / self.head_dim**0.5", "q @ k.swapaxes(-2, -1)"),
    TASKS[4]: ("losses.mean()", "losses.sum()"),
}
UNREADABLE = TASKS[2]


def execute(workshop, task, monkeypatch, written=None):
    """Run all cells in a new kernel; returns all that they print, as plain text, and its outputs.

    Args:
        written: what the learner writes into the `%%task` cell, in place of the stub.
    """
    monkeypatch.setenv("PYTHONPATH", str(workshop.root))
    monkeypatch.setenv("MINIGPT_STEPS", "20")
    notebook = nbformat.read(workshop.root / "notebooks" / task.notebook.name, as_version=4)
    for long, short in SHORTER.get(task.number, []):
        assert any(long in cell.source for cell in notebook.cells)
        for cell in notebook.cells:
            cell.source = cell.source.replace(long, short)
    for cell in notebook.cells:
        if written and cell.source.startswith("%%task"):
            cell.source = f"%%task {task.number}\n{written}"
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(workshop.root / "notebooks")}},
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in outputs]
    return Text.from_ansi("\n".join(texts)).plain, outputs


def pictures(outputs):
    return [output for output in outputs if "image/png" in output.get("data", {})]


@pytest.mark.slow
@EVERY_NOTEBOOK
def test_with_the_solutions_in_place_a_notebook_runs_and_passes(workshop, task, monkeypatch):
    workshop.solve(*TASKS)
    said, outputs = execute(workshop, task, monkeypatch)
    # Twenty steps do not reach the milestone; everything else must be right.
    assert "✗" not in said.replace("✗ The milestone", "") and "Traceback" not in said
    assert "borrowed" not in said and "Not written here" not in said
    if task is not WARM_UP:
        assert f"Task {task.number} · {task.title}: passed" in said
        assert json.loads((workshop.root / ".minigpt" / "progress.json").read_text())
        assert workshop.stub(task).read_text() == task.solution.read_text()
    assert pictures(outputs), "the notebook ends with nothing to see"
    if task.number == MILESTONE_TASK:
        assert "After 20 steps:" in said, "the sample was not updated in place"
        assert (workshop.root / "my_gpt" / "milestone" / "checkpoints" / "20").is_dir()
    elif not task.beyond:
        (rung,) = json.loads((workshop.root / ".minigpt" / "ladder.json").read_text())
        assert 2 < rung["loss"] < 4.17 and len(rung["sample"]) > 100


@pytest.mark.slow
@pytest.mark.newest
@EVERY_NOTEBOOK
def test_untouched_a_notebook_answers_in_words_and_runs_to_its_end(workshop, task, monkeypatch):
    said, outputs = execute(workshop, task, monkeypatch)
    assert "Traceback" not in said and "✗" not in said
    assert pictures(outputs)
    if task is not WARM_UP:
        assert f"Task {task.number} · {task.title}: not started" in said
        assert task.beyond or f"%check {task.number} first" in said
        assert "nn.Module" not in said, "the solution was shown without being asked for"
    earlier = [str(other.number) for other in TASKS if other.number < task.number]
    assert (f"Not written here: task {', '.join(earlier)}." in said) == bool(earlier)


@pytest.mark.slow
@pytest.mark.newest
@pytest.mark.parametrize("task", MISTAKES, ids=lambda task: task.stem)
def test_a_wrong_answer_is_told_and_stays_off_the_ladder(workshop, task, monkeypatch):
    right, wrong = MISTAKES[task]
    solution = task.solution.read_text(encoding="utf-8")
    assert right in solution
    said, _ = execute(workshop, task, monkeypatch, solution.replace(right, wrong))
    assert "Traceback" not in said
    assert f"Task {task.number} · {task.title}: wrong" in said
    assert f"Task {task.number} is wrong. A part joins the ladder when" in said
    assert not (workshop.root / ".minigpt" / "ladder.json").exists()


@pytest.mark.slow
@pytest.mark.newest
def test_what_python_cannot_read_is_told_and_writes_nothing(workshop, monkeypatch):
    before = workshop.stub(UNREADABLE).read_text(encoding="utf-8")
    said, _ = execute(workshop, UNREADABLE, monkeypatch, "class Half(:\n    pass")
    assert "Traceback" not in said
    assert ":2: invalid syntax" in said
    assert workshop.stub(UNREADABLE).read_text(encoding="utf-8") == before
