"""docs/promises.md: each sentence of the tasks' docstrings, and the checks that hold it."""

import ast
import inspect
import re
from itertools import chain
from pathlib import Path

import pytest

from minigpt_challenge.coach.course.curriculum import ROOT, TASKS

PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
WORDS = {"input", "explanation", "source", "given"}


def paragraphs(docstring: str) -> list[str]:
    """The paragraphs of a docstring; of "Args" and the like each entry, without the heading."""
    found = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(docstring)):
        heading, *lines = paragraph.split("\n")
        if heading in ("Args:", "Attributes:", "Raises:"):
            entries = re.split(r"\n    (?=\S)", "\n" + "\n".join(lines))[1:]
        elif heading == "Returns:":
            entries = ["\n".join(lines)]
        else:
            entries = [paragraph]
        found += [" ".join(entry.split()) for entry in entries]
    return found


def promises(solution: Path) -> list[tuple[str, str]]:
    """What the docstrings of a solution say, and of what: (name, paragraph)."""
    found = []
    for node in ast.parse(solution.read_text(encoding="utf-8")).body:
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            continue
        methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        names = [(node.name, node), *((f"{node.name}.{part.name}", part) for part in methods)]
        for name, part in names if isinstance(node, ast.ClassDef) else names[:1]:
            if docstring := ast.get_docstring(part):
                found += [(name, text) for text in paragraphs(docstring)]
    return found


def rows(task) -> list[tuple[str, str, str]]:
    """The rows of the task's table: of what, what it says, what holds it."""
    section = PAGE.partition(f"## `{task.solution.name}`\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(.+?)` \| (.+) \| (.+?) \|$", section, re.MULTILINE)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_every_sentence_of_a_docstring_is_held_by_a_check(task):
    listed = [(name, text) for name, text, _ in rows(task)]
    assert listed == promises(task.solution)
    held_by = [re.sub("`", "", held).split(", ") for _, _, held in rows(task)]
    suite = task.tests.read_text(encoding="utf-8")
    checks = set(re.findall(r"^def test_(\w+)", suite, re.MULTILINE))
    assert set(chain(*held_by)) - WORDS <= checks


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_every_check_holds_a_sentence(task):
    suite = task.tests.read_text(encoding="utf-8")
    checks = re.findall(r"^def test_(\w+)", suite, re.MULTILINE)
    held = " ".join(held for *_, held in rows(task))
    assert [check for check in checks if f"`{check}`" not in held] == []


def test_an_entry_is_a_paragraph_of_its_own():
    docstring = """Sum up. It
    is short.

    Args:
        x: float (B,), of
            any size.
        y: the same.

    Returns:
        one,
        and another.
    """
    entries = ["Sum up. It is short.", "x: float (B,), of any size.", "y: the same."]
    assert paragraphs(docstring) == [*entries, "one, and another."]
