"""No function is longer than a screen. (Ruff's PLR0913 limits the number of parameters.)"""

import ast

import pytest

from minigpt_challenge.coach.course.curriculum import ROOT

MAX_LINES = 60
PACKAGE = ROOT / "minigpt_challenge"
FILES = sorted(path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES)
def test_no_function_is_too_long(file):
    nodes = ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    lines = {
        f"{node.name}, line {node.lineno}": num_lines(node)
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    too_long = {name: number for name, number in lines.items() if number > MAX_LINES}
    assert not too_long, f"{file}: functions of more than {MAX_LINES} lines: {too_long}"


def num_lines(function):
    """Of its body, without the docstring."""
    first = function.body[1 if ast.get_docstring(function) and len(function.body) > 1 else 0]
    return function.end_lineno - first.lineno + 1
