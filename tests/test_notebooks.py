"""The notebooks as a learner meets them: executed from the first cell to the last."""

import json
import re

import nbformat
import pytest
from nbclient import NotebookClient
from rich.text import Text

from minigpt_challenge.coach.curriculum import ROAD, TASKS

# Training is proved by the milestone's own test; here it only has to run.
FEW_STEPS = (r"num_iterations = MOST_STEPS", "num_iterations = 20")


def execute(workshop, task, monkeypatch):
    """Run all cells in a new kernel; returns all that they print, as plain text."""
    monkeypatch.setenv("PYTHONPATH", str(workshop.root))
    notebook = nbformat.read(workshop.root / "notebooks" / task.notebook.name, as_version=4)
    for cell in notebook.cells:
        cell.source = re.sub(*FEW_STEPS, cell.source)
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(workshop.root / "notebooks")}},
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in outputs]
    return Text.from_ansi("\n".join(texts)).plain


@pytest.mark.slow
@pytest.mark.parametrize("task", ROAD, ids=lambda task: task.stem)
def test_with_the_solutions_in_place_a_notebook_runs_and_passes(workshop, task, monkeypatch):
    workshop.solve(*TASKS)
    said = execute(workshop, task, monkeypatch)
    assert "✗" not in said and "Traceback" not in said
    if task in TASKS:
        assert f"Task {task.number} · {task.title}: passed" in said
        assert json.loads((workshop.root / ".minigpt" / "progress.json").read_text())
    assert workshop.stub(task).read_text() == task.solution.read_text() if task in TASKS else True


@pytest.mark.slow
@pytest.mark.parametrize("task", ROAD, ids=lambda task: task.stem)
def test_untouched_a_notebook_answers_in_words_and_runs_to_its_end(workshop, task, monkeypatch):
    said = execute(workshop, task, monkeypatch)
    assert "Traceback" not in said and "✗" not in said
    if task in TASKS:
        assert f"Task {task.number} · {task.title}: not started" in said
        assert "nn.Module" not in said, "the solution was shown without being asked for"
