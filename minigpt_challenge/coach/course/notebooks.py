"""Build the notebooks from the Markdown in `notebooks/source/`, which authors edit.

The source is Jupytext Markdown: a python fence is a code cell, two blank lines separate text
cells. A placeholder `{{name}}` is replaced by text that is defined once elsewhere: the stub, the
set-up cell, the badge, the URL of the repository.
"""

import re
from urllib.parse import urlsplit

from minigpt_challenge.coach.course.curriculum import ROAD, ROOT, Task, repository_url
from minigpt_challenge.coach.course.stubs import BadSource, cut_stub

# Text that every notebook shows at its top, and above its stub.
SAVE_A_COPY = (
    "**In Colab, first choose *File → Save a copy in Drive*:** changes to a notebook opened from "
    "GitHub are lost. Tick KEEP_ON_DRIVE below to keep the files, checkpoints and progress of all "
    "notebooks on your Drive, too."
)
ABOUT_THE_CELL = (
    "Running the cell backs up the file `minigpt_challenge/tasks/{stem}.py`, writes the cell to "
    "it, loads it and checks it: the result appears below the cell. You can also edit that file "
    "and leave the cell alone: the file is what is checked. In a new runtime, run the set-up cell "
    "and then this one again."
)
ABOUT_THE_CHECK = (
    "Your cell above shows only the failure to read first. This shows every check of your file."
)
SETUP_SOURCE = ROOT / "notebooks" / "source" / "setup.py"
WHERE_TO_GO = ROOT / "notebooks" / "source" / "where_to_go.md"


def colab_url(task: Task) -> str:
    """The URL that opens the task's notebook in Colab."""
    owner_and_name = urlsplit(repository_url()).path.strip("/")
    return (
        f"https://colab.research.google.com/github/{owner_and_name}/blob/main/notebooks/"
        f"{task.stem}.ipynb"
    )


def colab_badge(task: Task) -> str:
    """The Open-in-Colab badge, in Markdown."""
    picture = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open in Colab]({picture})]({colab_url(task)})"


def where_to_open(task: Task) -> str:
    """Links to the task's notebook, in Markdown."""
    return f"(open it [in Colab]({colab_url(task)}) or [on your machine]({task.notebook.name}))"


def build_notebook(task: Task) -> str:
    """The text of the task's .ipynb file: without outputs, and the same bytes every time.

    Raises:
        BadSource: the source is missing, or has an unknown placeholder.
    """
    import jupytext  # here, since only authors have these two installed
    import nbformat

    notebook = jupytext.reads(_fill_source(task), fmt="md")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{task.stem}-{number}"
        if cell.source.startswith("# @title"):  # Colab shows a form instead of the code
            cell.metadata["jupyter"] = {"source_hidden": True}
    notebook.metadata = nbformat.from_dict(
        {
            "colab": {"name": f"{task.stem}.ipynb", "provenance": []},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def _fill_source(task: Task) -> str:
    """The source with all placeholders replaced, those in the replacements included."""
    source = task.notebook_source
    if not source.exists():
        raise BadSource(f"{source.relative_to(ROOT)} is missing")
    next_task = next((other for other in ROAD if other.number == task.number + 1), None)
    values = {
        "badge": colab_badge(task),
        "number": str(task.number),
        "save_a_copy": SAVE_A_COPY,
        "about_the_cell": ABOUT_THE_CELL.format(stem=task.stem),
        "about_the_check": ABOUT_THE_CHECK,
        "setup": SETUP_SOURCE.read_text(encoding="utf-8").strip(),
        "repository": repository_url(),
        "folder": repository_url().rsplit("/", 1)[-1],
        "where_to_go": WHERE_TO_GO.read_text(encoding="utf-8").strip(),
        "pictures": f"{repository_url()}/raw/main/pictures",
    }
    if task.solution.exists():
        values["stub"] = cut_stub(task).strip()
    if next_task:
        values["next"] = (
            f"**Task {next_task.number}, {next_task.title}** {where_to_open(next_task)}"
        )

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise BadSource(f"{source.name}: unknown placeholder {match[0]}")
        return fill(values[match[1]])

    def fill(text: str) -> str:
        return re.sub(r"\{\{(\w+)\}\}", value, text)

    return fill(source.read_text(encoding="utf-8"))
