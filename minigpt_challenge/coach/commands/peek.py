"""The reference, shown on demand and never by accident; each showing is noted."""

import difflib

from rich.console import Console
from rich.syntax import Syntax

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.stubs import BEGIN, END
from minigpt_challenge.coach.records import help_used


def show_solution(console: Console, task: Task) -> None:
    """Print the reference."""
    help_used.note_peek(task)
    _print(console, _reference(task), "python")


def show_difference(console: Console, task: Task) -> None:
    """Print how the learner's file would have to change to become the reference."""
    mine = task.stub.read_text(encoding="utf-8", errors="replace").splitlines()
    theirs = _reference(task).splitlines()
    lines = list(difflib.unified_diff(mine, theirs, "yours", "the reference", lineterm=""))
    if not lines:
        console.print("Your file and the reference are the same.")
        return
    help_used.note_peek(task)
    _print(console, "\n".join(lines), "diff")


def _reference(task: Task) -> str:
    """The solution without the marks that stubs are cut by."""
    lines = task.solution.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.strip() not in (BEGIN, END))


def _print(console: Console, text: str, language: str) -> None:
    """Print code in colours: no line is cut or padded, and there is no background of its own."""
    highlighted = Syntax("", language, theme="ansi_light").highlight(text)
    highlighted.rstrip()
    console.print(highlighted, soft_wrap=True)
