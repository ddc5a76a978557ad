"""The built files are up to date with their sources. (For authors: `pytest -m author`.)"""

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
def test_nothing_is_out_of_date():
    outdated = [str(path.relative_to(ROOT)) for path in author.outdated()]
    assert not outdated, f"run `minigpt author`: {outdated}"


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
def test_exactly_the_changed_files_are_listed(workshop, first):
    workshop.minigpt("author")  # the notebooks in this clone may be out of date
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
    listed = [Path(line.removeprefix("out of date: ")) for line in checked.stdout.splitlines()]
    assert sorted(listed) == sorted(workshop.root / path for path in changed)


@pytest.mark.author
def test_building_saves_the_previous_text(workshop):
    stub = workshop.stub(TASKS[0])
    stub.write_text("my own work\n")
    built = workshop.minigpt("author")
    assert built.returncode == 0, built.stderr
    assert "the previous text is saved in" in built.stdout
    (saved,) = (workshop.root / ".minigpt" / "history" / stub.stem).iterdir()
    assert saved.read_text() == "my own work\n"
    assert workshop.minigpt("author", "--check").returncode == 0


@pytest.mark.parametrize("section", ["TASKS", "BIGRAM", "WHERE TO GO"])
def test_what_stands_between_markers_in_the_readme_is_built(section):
    readme = author.fill_sections(author.README.read_text(encoding="utf-8"))
    begin, end = f"<!-- BEGIN {section} -->\n", f"<!-- END {section} -->"
    built = readme.partition(begin)[2].partition(end)[0]
    assert len(built) > 300
    assert author.fill_sections(readme.replace(built, "drifted\n")) == readme
    with pytest.raises(BadSource, match=f"README.md has no {begin.strip()} … {end}"):
        author.fill_sections(readme.replace(end, ""))


def test_the_readme_quotes_the_warm_ups_model():
    code = author.BIGRAM.read_text(encoding="utf-8").partition("class SimpleDecoder")
    assert len(code[2]) > 500
    assert code[1] + code[2] in author.README.read_text(encoding="utf-8")


@pytest.mark.parametrize("task", ROAD, ids=lambda task: task.stem)
def test_a_notebook_has_no_outputs_and_no_placeholders(task):
    notebook = json.loads(notebooks.build_notebook(task))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code and all(not cell["outputs"] for cell in code)
    assert all(cell["execution_count"] is None for cell in code)
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    assert not re.search(r"\{\{\w+\}\}", text)
    assert notebooks.colab_url(task) in text
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


@pytest.mark.parametrize("task", ROAD, ids=lambda task: task.stem)
def test_the_set_up_is_folded_and_nothing_else(task):
    cells = json.loads(notebooks.build_notebook(task))["cells"]
    (folded,) = [cell for cell in cells if cell["metadata"].get("jupyter", {}).get("source_hidden")]
    assert "".join(folded["source"]).startswith("# @title Set-up")


def test_the_next_notebook_is_linked_in_colab_and_next_to_this_one():
    text = notebooks.build_notebook(TASKS[0])
    assert f"[in Colab]({notebooks.colab_url(TASKS[1])})" in text
    assert f"[on your machine]({TASKS[1].notebook.name})" in text


def test_building_twice_gives_the_same_bytes():
    assert notebooks.build_notebook(ROAD[2]) == notebooks.build_notebook(ROAD[2])


def test_an_unknown_placeholder_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "SETUP_SOURCE", tmp_path / "setup.py")
    notebooks.SETUP_SOURCE.write_text("{{nonsense}}")
    with pytest.raises(BadSource, match=r"unknown placeholder \{\{nonsense\}\}"):
        notebooks.build_notebook(ROAD[1])
