"""Whether a task's file is the learner's own work, or the reference under another name."""

import ast
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import Task

DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef


def is_the_reference(task: Task, answer: Path) -> bool:
    """Whether the file says what the solution says, but for comments, docstrings and layout.

    A short task has few good answers, so equal code proves nothing by itself: it is for a teacher
    to weigh, never a reason to refuse.
    """
    try:
        return _bare(answer) == _bare(task.solution)
    except (OSError, SyntaxError, ValueError):
        return False


def _bare(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.dump(tree)
