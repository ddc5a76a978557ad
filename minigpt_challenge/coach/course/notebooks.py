"""Notebooks are built from the Markdown in `notebooks/source/`, which is what authors edit.

The source is Jupytext's Markdown: a fence of python is a code cell, two blank lines part one
text cell from the next. In it, `{{name}}` stands for what is written once elsewhere: the stub,
the set-up cell, the badge, the address of the repository.
"""

import re
from urllib.parse import urlsplit

from minigpt_challenge.coach.course.curriculum import ROAD, ROOT, Task, repository
from minigpt_challenge.coach.course.stubs import BadSource, cut_stub

# What every notebook says at its top, and above its stub: written once.
SAVE_A_COPY = (
    "**In Colab, first choose *File → Save a copy in Drive*:** a notebook opened from GitHub keeps "
    "nothing. Tick KEEP_ON_DRIVE below, and the files, checkpoints and progress stay on your Drive "
    "too, for all notebooks."
)
ABOUT_THE_CELL = (
    "Running the cell keeps what the file `minigpt_challenge/tasks/{stem}.py` held, writes the "
    "cell to it, and loads it. You may also edit that file and leave the cell alone: the file is "
    "what is checked. In a new runtime, run the cell again."
)
SETUP_SOURCE = ROOT / "notebooks" / "source" / "setup.py"


def colab_address(task: Task) -> str:
    """Where the task's notebook opens in Colab."""
    owner_and_name = urlsplit(repository()).path.strip("/")
    return (
        f"https://colab.research.google.com/github/{owner_and_name}/blob/main/notebooks/"
        f"{task.stem}.ipynb"
    )


def badge(task: Task) -> str:
    """The Open-in-Colab badge, in Markdown."""
    picture = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open in Colab]({picture})]({colab_address(task)})"


def build_notebook(task: Task) -> str:
    """The text of the task's .ipynb file: no outputs, the same bytes every time.

    Raises:
        BadSource: the source is missing, or has a `{{name}}` that stands for nothing.
    """
    import jupytext
    import nbformat

    notebook = jupytext.reads(_filled(task), fmt="md")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{task.stem}-{number}"
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


def _filled(task: Task) -> str:
    """The source with everything in place that is written elsewhere."""
    source = task.notebook_source
    if not source.exists():
        raise BadSource(f"{source.relative_to(ROOT)} is missing")
    following = next((other for other in ROAD if other.number == task.number + 1), None)
    values = {
        "badge": badge(task),
        "number": str(task.number),
        "save_a_copy": SAVE_A_COPY,
        "about_the_cell": ABOUT_THE_CELL.format(stem=task.stem),
        "setup": SETUP_SOURCE.read_text(encoding="utf-8").strip(),
        "repository": repository(),
        "folder": repository().rsplit("/", 1)[-1],
        "pictures": f"{repository()}/raw/main/pictures",
    }
    if task.solution.exists():
        values["stub"] = cut_stub(task).strip()
    if following:
        values["next"] = f"[{following.title}]({colab_address(following)})"

    def value(match: re.Match) -> str:
        if match[1] not in values:
            raise BadSource(f"{source.name}: {match[0]} stands for nothing")
        return _fill(values[match[1]])

    def _fill(text: str) -> str:
        return re.sub(r"\{\{(\w+)\}\}", value, text)

    return _fill(source.read_text(encoding="utf-8"))
