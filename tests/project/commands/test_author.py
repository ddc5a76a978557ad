"""What is built is in step with its sources. (For authors: `pytest -m author`.)"""

import json
import re
from pathlib import Path

import pytest

from minigpt_challenge.coach.commands import author
from minigpt_challenge.coach.course import notebooks
from minigpt_challenge.coach.course.curriculum import ROAD, ROOT, TASKS
from minigpt_challenge.coach.course.stubs import BadSource

BUILT = [
    path.relative_to(ROOT)
    for path in (*(task.stub for task in TASKS), *(task.notebook for task in ROAD), author.README)
]


@pytest.mark.author
def test_nothing_is_out_of_step():
    stale = [str(path.relative_to(ROOT)) for path in author.out_of_step()]
    assert not stale, f"run `minigpt author`: {stale}"


@pytest.mark.author
def test_the_repository_is_named_in_one_place():
    name = notebooks.repository_url().removeprefix("https://")
    built = {str(path) for path in BUILT}
    sources = [
        path
        for pattern in ("*.md", "*.toml", "*.py", ".ci/*")
        for path in ROOT.rglob(pattern)
        if path.is_file() and not {".venv", ".minigpt"} & set(path.parts)
    ]
    naming = {str(path.relative_to(ROOT)) for path in sources if name in path.read_text()}
    assert naming - built == {"pyproject.toml"}


@pytest.mark.author
@pytest.mark.parametrize("first", [0, 1])
def test_built_files_that_were_changed_are_noticed_and_no_others(workshop, first):
    workshop.minigpt("author")  # the clone's notebooks may be out of step themselves
    changed = BUILT[first::2]
    for path in changed:
        file = workshop.root / path
        if path.suffix == ".ipynb":
            file.write_text(file.read_text().replace("Shakespeare", "Marlowe", 1) + " ")
        elif path.suffix == ".md":
            file.write_text(file.read_text().replace("| 1 |", "| I |", 1))
        else:
            file.write_text(file.read_text() + "\n# drifted\n")
    checked = workshop.minigpt("author", "--check")
    assert checked.returncode == 1
    noticed = [Path(line.removeprefix("out of step: ")) for line in checked.stdout.splitlines()]
    assert sorted(noticed) == sorted(workshop.root / path for path in changed)


@pytest.mark.author
def test_building_mends_and_keeps_what_was_there(workshop):
    stub = workshop.stub(TASKS[0])
    stub.write_text("my own work\n")
    built = workshop.minigpt("author")
    assert built.returncode == 0, built.stderr
    assert "the old text is kept in" in built.stdout
    (kept,) = (workshop.root / ".minigpt" / "history" / stub.stem).iterdir()
    assert kept.read_text() == "my own work\n"
    assert workshop.minigpt("author", "--check").returncode == 0


@pytest.mark.parametrize("task", ROAD, ids=lambda task: task.stem)
def test_a_notebook_has_no_outputs_and_no_placeholder_left(task):
    notebook = json.loads(notebooks.build_notebook(task))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code and all(not cell["outputs"] for cell in code)
    assert all(cell["execution_count"] is None for cell in code)
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    assert not re.search(r"\{\{\w+\}\}", text)
    assert notebooks.colab_url(task) in text
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


def test_building_twice_gives_the_same_bytes():
    assert notebooks.build_notebook(ROAD[2]) == notebooks.build_notebook(ROAD[2])


def test_an_unknown_placeholder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "SETUP_SOURCE", tmp_path / "setup.py")
    notebooks.SETUP_SOURCE.write_text("{{nonsense}}")
    with pytest.raises(BadSource, match=r"unknown placeholder \{\{nonsense\}\}"):
        notebooks.build_notebook(ROAD[1])
