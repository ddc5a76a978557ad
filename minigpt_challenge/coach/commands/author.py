"""For authors: all files that are built from others, and which of them are out of date.

solutions/taskN_….py         → minigpt_challenge/tasks/taskN_….py
notebooks/source/taskN_….md  → notebooks/taskN_….ipynb
curriculum, pyproject.toml   → the task table in README.md
"""

import re
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import ROAD, ROOT, TASKS
from minigpt_challenge.coach.course.notebooks import build_notebook, colab_badge
from minigpt_challenge.coach.course.stubs import BadSource, cut_stub
from minigpt_challenge.coach.records.history import overwrite

README = ROOT / "README.md"
TABLE = re.compile(r"(?<=<!-- BEGIN TASKS -->\n).*(?=<!-- END TASKS -->)", re.DOTALL)


def built_texts() -> dict[Path, str]:
    """The text that each built file should have.

    Raises:
        BadSource: a file cannot be built; the message says which and why.
    """
    texts = {task.stub: cut_stub(task) for task in TASKS}
    texts |= {task.notebook: build_notebook(task) for task in ROAD}
    readme = README.read_text(encoding="utf-8")
    if not TABLE.search(readme):
        raise BadSource("README.md has no <!-- BEGIN TASKS --> … <!-- END TASKS -->")
    texts[README] = TABLE.sub(lambda _: task_table(), readme)
    return texts


def outdated() -> list[Path]:
    """The built files that differ from what their sources give."""
    return [
        path
        for path, text in built_texts().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def build() -> list[tuple[Path, Path | None]]:
    """Write the outdated files; return each path, and where its previous text is saved."""
    texts = built_texts()
    return [(path, overwrite(path, texts[path])) for path in outdated()]


def task_table() -> str:
    """The README's table of tasks, in Markdown."""
    rows = ["| | task | what you write | notebook |", "| --- | --- | --- | --- |"]
    beyond = "| | *Beyond the milestone: what you meet next in real JAX code.* | | |"
    for task in ROAD:
        if task.beyond and beyond not in rows:
            rows.append(beyond)
        writes = ", ".join(f"`{name}`" for name in task.writes) or "nothing: run it"
        title = f"**{task.title}.** {task.goal}"
        rows.append(f"| {task.number} | {title} | {writes} | {colab_badge(task)} |")
    return "\n".join(rows) + "\n"
