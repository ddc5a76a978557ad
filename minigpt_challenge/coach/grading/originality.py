"""Tell whether a task's file is the learner's own work or the reference."""

import ast
import re
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER, Task

HAVE_DOCSTRINGS = ast.Module | ast.ClassDef | ast.FunctionDef
# A module or a path of the reference, such as `solutions.task1_embedding` or "../solutions".
IN_SOLUTIONS = re.compile(rf"(^|[./\\]){SOLUTIONS_FOLDER.name}($|[./\\])")


def is_the_reference(task: Task, answer: Path) -> bool:
    """Whether the file equals the solution apart from comments, docstrings and layout, or loads it.

    A short task has few good answers, so equal code alone proves nothing: report it to a teacher,
    and never refuse an answer for it.
    """
    try:
        tree = _without_docstrings(answer)
        return ast.dump(tree) == code_of(task.solution) or _loads_a_solution(tree)
    except (OSError, SyntaxError, ValueError):
        return False


def code_of(path: Path) -> str:
    """The file's syntax tree as text, without comments and docstrings."""
    return ast.dump(_without_docstrings(path))


def _without_docstrings(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, HAVE_DOCSTRINGS) and ast.get_docstring(node):
            node.body = node.body[1:]
    return tree


def _loads_a_solution(tree: ast.Module) -> bool:
    """Whether the code imports from `solutions/`, or has its name in a string."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module or ''}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.append(node.value)
    own_loader = any(name.endswith("coach.runtime.loading.solution") for name in names)
    return own_loader or any(IN_SOLUTIONS.search(name) for name in names)
