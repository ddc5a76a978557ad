"""Tell whether a task's file is the learner's own work or a copy of the reference."""

import ast
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import Task

HAVE_DOCSTRINGS = ast.Module | ast.ClassDef | ast.FunctionDef


def is_the_reference(task: Task, answer: Path) -> bool:
    """Whether the file equals the solution apart from comments, docstrings and layout.

    A short task has few good answers, so equal code alone proves nothing: report it to a teacher,
    and never refuse an answer for it.
    """
    try:
        return code_of(answer) == code_of(task.solution)
    except (OSError, SyntaxError, ValueError):
        return False


def code_of(path: Path) -> str:
    """The file's syntax tree as text, without comments and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, HAVE_DOCSTRINGS) and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.dump(tree)
