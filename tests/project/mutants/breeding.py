"""From right answers to mutants: one random edit each, drawn from a seed."""

import ast
import difflib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from random import Random

from minigpt_challenge.coach.course.curriculum import Task
from tests.project.answers.gate import bank
from tests.project.mutants import syntax, text
from tests.project.mutants.syntax import Names

SHARE_OF_TEXT = 0.25  # of the edits; the rest are edits of the syntax tree
NONE_YET = Names()
LITTLE_OF_INTEREST = ("annotation", "returns", "type_params", "ctx")


@dataclass(frozen=True)
class Mutant:
    """A right answer with one edit.

    Attributes:
        source: the right answer's name in the bank.
        edit: what kind of edit it is.
        before: the right answer, as text.
        data: the file with the edit.
    """

    source: str
    edit: str
    before: str
    data: bytes

    @property
    def after(self) -> str:
        return self.data.decode(errors="replace")

    @property
    def difference(self) -> str:
        """What differs, as `diff -U1` shows it, without its heading."""
        both = (t.splitlines() for t in (self.before, self.after))
        return "\n".join(list(difflib.unified_diff(*both, n=1, lineterm=""))[3:])

    @property
    def gist(self) -> str:
        """The same without indentation and the numbers of lines."""
        lines = self.difference.splitlines()
        return "\n".join(
            "@@" if s[:2] == "@@" else f"{s[:1]} {s[1:].strip()}".strip() for s in lines
        )


def bred(task: Task, seed: int, count: int) -> list[Mutant]:
    """So many different mutants of the task's right answers; the same for the same seed."""
    random, mutants = Random(f"{task.stem} {seed}"), {}
    sources = [answer for answer in bank(task) if answer.right]
    known = {answer.text.encode() for answer in bank(task)}
    while len(mutants) < count:
        source = random.choice(sources)
        if random.random() < SHARE_OF_TEXT:
            edit = random.choice(text.EDITS)
            before, data = source.text, edit(source.text, random)
        else:
            before = ast.unparse(ast.parse(source.text))  # comments are lost
            edit, data = edited(before, random)
        if data not in known | {before.encode()} | mutants.keys():
            name = edit.__name__.replace("_", " ")
            mutants[data] = Mutant(source.name, name, before, data)
    return list(mutants.values())


def edited(program: str, random: Random) -> tuple[syntax.Edit, bytes]:
    """The program with one random edit of its syntax tree: any kind of edit is as likely."""
    tree = ast.parse(program)
    places = list(_places(tree))
    for edit in random.sample(syntax.EDITS, len(syntax.EDITS)):
        possible = [
            (parent, field, index, replacement)
            for parent, field, index, node, names in places
            for replacement in edit(node, names)
        ]
        if possible:
            parent, field, index, replacement = random.choice(possible)
            replacement = deepcopy(replacement)
            if index is None:
                setattr(parent, field, replacement)
            elif isinstance(replacement, list):
                getattr(parent, field)[index : index + 1] = replacement
            else:
                getattr(parent, field)[index] = replacement
            return edit, ast.unparse(ast.fix_missing_locations(tree)).encode()
    raise ValueError("nothing to edit")


def _places(
    parent: ast.AST, names: Names = NONE_YET
) -> Iterator[tuple[ast.AST, str, int | None, ast.AST, Names]]:
    """Every node with its parent, the field of the parent that holds it, and where in there."""
    if isinstance(parent, ast.ClassDef):
        names = Names(names.local, frozenset(_kept_in_self(parent)))
    if isinstance(parent, ast.FunctionDef):
        names = Names(names.local | frozenset(_bound_in(parent)), names.kept)
    for field, value in ast.iter_fields(parent) if not isinstance(parent, ast.JoinedStr) else ():
        if field in LITTLE_OF_INTEREST:
            continue
        several = isinstance(value, list)
        for index, node in enumerate(value if several else [value]):
            if isinstance(node, ast.AST) and not _is_docstring(node):
                yield parent, field, index if several else None, node, names
                yield from _places(node, names)


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _bound_in(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.arg) and node.arg != "self":
            yield node.arg
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _kept_in_self(its: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(its):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
