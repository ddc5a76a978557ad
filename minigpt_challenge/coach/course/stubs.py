"""Stubs are cut from the solutions, so that the two cannot drift apart."""

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.errors import UserError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB_ERROR = re.compile(r"Task \d+: .+")  # the message of a stub's NotImplementedError


class BadSource(UserError):
    """A source that nothing can be built from; the message says where and why."""


def cut_stub(task: Task) -> str:
    """The text of the task's stub.

    Raises:
        BadSource: the solution's regions are not well formed, or there is none.
    """
    return cut(task.solution.read_text(encoding="utf-8"), task.solution.name, task.number)


def written(task: Task) -> str:
    """The text of the learner's file; empty where it is missing."""
    return text_of(task.stub)


def text_of(file: Path) -> str:
    """The file's text; empty where it is missing, or cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def fingerprint(file: Path) -> str:
    """A hash of the file's text as it is now."""
    return hashlib.sha256(text_of(file).encode()).hexdigest()


def is_as_given(task: Task) -> bool:
    """Whether the learner's file is the stub, word for word."""
    return written(task) == cut_stub(task)


def is_begun(task: Task) -> bool:
    """Whether the learner's file is there, and anything is written in it.

    An older clone's stub, of fewer functions, is not begun either.
    """
    text = written(task)
    return bool(text) and not _is_unwritten(text, task, if_absent=True)


def is_untouched(text: str, task: Task) -> bool:
    """Whether the text is a stub, in whatever words, in which nothing is written yet.

    A function that is gone is work: something else may have taken its place.
    """
    return _is_unwritten(text, task, if_absent=False)


def _is_unwritten(text: str, task: Task, if_absent: bool) -> bool:
    """Whether all that today's stub asks for still raises the stub's error; or is absent."""
    try:
        here = _unwritten(text)
    except (SyntaxError, ValueError):
        return False
    asked = [name for name, unwritten in _unwritten(cut_stub(task)).items() if unwritten]
    return any(here.values()) and all(here.get(name, if_absent) for name in asked)


def cut(solution: str, name: str, number: int) -> str:
    """The solution with every solution region cut out.

    Where a region was, the stub raises NotImplementedError, naming the task and what is missing.

    Args:
        solution: the text of a solution.
        name: its file's name, for the error.
        number: the task's number.

    Raises:
        BadSource: the regions are not well formed, or there is none.
    """
    lines = solution.splitlines()
    owners = _owners(solution)
    stub, start = [], None
    for line_number, line in enumerate(lines, 1):
        where = f"{name}, line {line_number}"
        if line.strip() == BEGIN:
            if start is not None:
                raise BadSource(f"{where}: a region within a region")
            if line_number not in owners:
                raise BadSource(f"{where}: outside any function")
            start = line_number
            indent = line[: len(line) - len(line.lstrip())]
            what = f"Task {number}: write {owners[line_number]}"
            stub.append(f'{indent}raise NotImplementedError("{what}")')
        elif line.strip() == END:
            if start is None:
                raise BadSource(f"{where}: no region to end")
            start = None
        elif start is None:
            stub.append(line)
    if start is not None:
        raise BadSource(f"{name}, line {start}: a region without an end")
    if len(stub) == len(lines):
        raise BadSource(f"{name} has no {BEGIN!r}")
    return "\n".join(stub) + "\n"


def _unwritten(source: str) -> dict[str, bool]:
    """For each function by its name whether it still raises the stub's error."""
    return {
        name: any(map(_raises_stub_error, ast.walk(function)))
        for name, function in _functions(ast.parse(source))
    }


def _raises_stub_error(node: ast.AST) -> bool:
    match node:
        case ast.Raise(
            exc=ast.Call(func=ast.Name("NotImplementedError"), args=[ast.Constant(str(message))])
        ):
            return bool(STUB_ERROR.fullmatch(message))
    return False


def is_stub_error(error: BaseException) -> bool:
    """Whether a stub raised it. (JAX and others raise NotImplementedError as well.)"""
    if not isinstance(error, NotImplementedError):
        return False
    match error.args:
        case [str(message)]:
            return bool(STUB_ERROR.fullmatch(message))
    return False


def _owners(source: str) -> dict[int, str]:
    """For each line, the name of the innermost function around it."""
    return {
        line: name
        for name, function in _functions(ast.parse(source))
        # The END marker is a comment: the region may reach beyond the last statement.
        for line in range(function.lineno, function.end_lineno + 2)
    }


def _functions(node: ast.AST, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ast.FunctionDef]]:
    """All functions with their names, `Class.method` or `function`; an outer one comes first."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            inner = (*names, child.name)
            if isinstance(child, ast.FunctionDef):
                yield ".".join(inner), child
            yield from _functions(child, inner)
