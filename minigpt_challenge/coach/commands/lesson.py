"""A task's notebook as a text to read: for people who work in a terminal."""

import json
import re

from rich.console import Console
from rich.markdown import Markdown

from minigpt_challenge.coach.course.curriculum import ROAD, ROOT, TASKS, Task
from minigpt_challenge.coach.course.errors import damaged
from minigpt_challenge.coach.course.notebooks import (
    ABOUT_THE_CELL,
    ABOUT_THE_CHECK,
    SAVE_A_COPY,
    where_to_open,
)
from minigpt_challenge.errors import UserError

MAX_WIDTH = 90  # columns
RUN_A_CELL = (
    "*(In a terminal: where the text says to run a cell, start `python -i` in this folder and "
    "paste its code.)*"
)
BADGE = re.compile(r"^\[!\[Open in Colab\].*\n?", re.MULTILINE)
PICTURE = re.compile(r"!\[(.*?)\]\((.*?)\)")
# What a cell that has a magic in its first line becomes.
IN_A_TERMINAL = {
    "%%task": "**Write it in `{path}`.**",
    "%check": "`minigpt check {n}` checks your file, `minigpt watch {n}` whenever you save it.",
    "%hint": "`minigpt hint {n}` gives the next hint.",
    "%solution": "`minigpt solution {n}` shows the reference, if you confirm it.",
    "%ladder": "(The ladder is in the notebook: `%ladder {n}`. `minigpt train` trains your GPT.)",
    "%progress": "`minigpt` shows how far you are.",
}
REMOVE_THE_HASH = "Remove the `#` and run the cell; run it again for each further hint. "
FOLDED = re.compile(r"<details><summary>(.*?)</summary>\s*(.*?)\s*</details>", re.DOTALL)


def show(console: Console, task: Task) -> None:
    """Print the lesson; if the output is not a terminal, as Markdown."""
    text = lesson(task)
    if not console.is_terminal:
        console.print(text, markup=False, soft_wrap=True)
        return
    # Rich knows no formulas, and takes the underscores in them for emphasis.
    text = re.sub(r"\$\$(.+?)\$\$", r"```latex\n\1\n```", text, flags=re.DOTALL)
    text = re.sub(r"\$([^$\n]+)\$", r"`\1`", text)
    shown = Markdown(text, hyperlinks=False, code_theme="ansi_light")
    console.print(shown, width=min(console.width, MAX_WIDTH))


def lesson(task: Task) -> str:
    """The lesson in Markdown. What is folded in the notebook, such as answers, is at the end."""
    path = ROOT / "notebooks" / f"{task.stem}.ipynb"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(damaged(path.relative_to(ROOT).as_posix(), "was damaged")) from error
    parts = (
        _text("".join(cell["source"]), task)
        if cell["cell_type"] == "markdown"
        else _code("".join(cell["source"]), task)
        for cell in cells
    )
    title, *rest = (part for part in parts if part)
    text = "\n\n".join([title, RUN_A_CELL, *rest])
    folded: list[str] = []

    def number(match: re.Match[str]) -> str:
        folded.append(f"{len(folded) + 1}. **{match[1]}.** {match[2]}")
        return f"*({match[1]}: number {len(folded)} at the end.)*"

    text = FOLDED.sub(number, text)
    return "\n\n".join([text, *(["## Folded in the notebook"] if folded else []), *folded]) + "\n"


def _text(source: str, task: Task) -> str:
    about_the_cell = ABOUT_THE_CELL.format(stem=task.stem)
    for in_notebooks_only in (SAVE_A_COPY, about_the_cell, ABOUT_THE_CHECK, REMOVE_THE_HASH):
        source = source.replace(f"{in_notebooks_only} ", "").replace(in_notebooks_only, "")
    for other in ROAD:
        source = source.replace(where_to_open(other), f"(`minigpt read {other.number}`)")
    return PICTURE.sub(r"[Picture](\2): \1", BADGE.sub("", source)).strip()


def _code(source: str, task: Task) -> str:
    """A cell's code in a fence; nothing for a cell that has a meaning in notebooks only."""
    first, _, code = source.partition("\n")
    magic = first.removeprefix("# ").partition(" ")[0]
    if magic in IN_A_TERMINAL:
        path = task.stub.relative_to(ROOT).as_posix() if task.number else ""
        return IN_A_TERMINAL[magic].format(n=task.number, path=path)
    if magic == "@title":
        return ""
    if magic == "%%play":  # the magic brings the learner's names along
        source = _imports(code, task) + code
    return f"```python\n{source.strip()}\n```"


def _imports(code: str, task: Task) -> str:
    """Lines that import what the code uses of this task and of the earlier ones."""
    lines = []
    for each in TASKS[: task.number]:
        if names := [name for name in each.writes if re.search(rf"\b{name}\b", code)]:
            lines.append(f"from {each.module} import {', '.join(names)}\n")
    return "".join(lines)
