"""Cut the stubs from the solutions, so that the two stay in sync."""

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.errors import damaged
from minigpt_challenge.errors import UserError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB_ERROR = re.compile(r"Task \d+: .+")  # the message of a stub's NotImplementedError


class BadSource(UserError):
    """A source file is malformed; the message says where and why."""


def cut_stub(task: Task) -> str:
    """The text of the task's stub.

    Raises:
        BadSource: the solution is missing or damaged, or has no solution regions, or malformed
            ones.
    """
    name = f"solutions/{task.solution.name}"
    try:
        return remove_solutions(task.solution.read_text(encoding="utf-8"), name, task.number)
    except (OSError, SyntaxError) as error:
        raise BadSource(damaged(name, f"is missing or damaged ({error})")) from error


def read_learner_file(task: Task) -> str:
    """The text of the learner's file; empty if it is missing."""
    return read_or_empty(task.stub)


def read_or_empty(file: Path) -> str:
    """The text of the file; empty if it is missing or cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def fingerprint(file: Path) -> str:
    """A hash of the file's text as it is now."""
    return hashlib.sha256(read_or_empty(file).encode()).hexdigest()


def is_as_given(task: Task) -> bool:
    """Whether the learner's file is exactly the current stub."""
    return read_learner_file(task) == cut_stub(task)


def is_started(task: Task) -> bool:
    """Whether the learner's file exists and at least one function is implemented.

    An older version of the stub, with fewer functions, is not started either.
    """
    text = read_learner_file(task)
    return bool(text) and not _is_unimplemented(text, task, if_absent=True)


def is_untouched(text: str, task: Task) -> bool:
    """Whether the text is a stub, of any version, with nothing implemented yet.

    A missing function counts as work: the learner may have replaced it by something else.
    """
    return _is_unimplemented(text, task, if_absent=False)


def _is_unimplemented(text: str, task: Task, if_absent: bool) -> bool:
    """Whether all functions of the current stub still raise its error.

    Args:
        text: the text of a learner's file.
        task: the task that it belongs to.
        if_absent: what a function counts as that the text does not have.
    """
    try:
        found = _unimplemented(text)
    except (SyntaxError, ValueError):
        return False
    required = [name for name, missing in _unimplemented(cut_stub(task)).items() if missing]
    return any(found.values()) and all(found.get(name, if_absent) for name in required)


def remove_solutions(solution: str, name: str, number: int) -> str:
    """Replace each solution region by `raise NotImplementedError(…)`.

    The error names the task and the function to write.

    Args:
        solution: the text of a solution.
        name: the name of its file, for error messages.
        number: the task's number.

    Raises:
        BadSource: there are no solution regions, or malformed ones.
    """
    lines = solution.splitlines()
    functions = _enclosing_functions(solution)
    stub, start = [], None
    for line_number, line in enumerate(lines, 1):
        where = f"{name}, line {line_number}"
        if line.strip() == BEGIN:
            if start is not None:
                raise BadSource(f"{where}: nested solution region")
            if line_number not in functions:
                raise BadSource(f"{where}: solution region outside any function")
            start = line_number
            indent = line[: len(line) - len(line.lstrip())]
            message = f"Task {number}: write {functions[line_number]}"
            stub.append(f'{indent}raise NotImplementedError("{message}")')
        elif line.strip() == END:
            if start is None:
                raise BadSource(f"{where}: {END!r} without {BEGIN!r}")
            start = None
        elif start is None:
            stub.append(line)
    if start is not None:
        raise BadSource(f"{name}, line {start}: {BEGIN!r} without {END!r}")
    if len(stub) == len(lines):
        raise BadSource(f"{name} has no {BEGIN!r}")
    return "\n".join(stub) + "\n"


def _unimplemented(source: str) -> dict[str, bool]:
    """Map the name of each function to whether it still raises the stub's error."""
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


def _enclosing_functions(source: str) -> dict[int, str]:
    """Map each line inside a function to the name of the innermost one."""
    return {
        line: name
        for name, function in _functions(ast.parse(source))
        # The END marker is a comment, so a region may end one line after the last statement.
        for line in range(function.lineno, (function.end_lineno or function.lineno) + 2)
    }


def _functions(node: ast.AST, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield all functions with their names, `Class.method` or `function`, outer ones first."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            inner = (*names, child.name)
            if isinstance(child, ast.FunctionDef):
                yield ".".join(inner), child
            yield from _functions(child, inner)
