"""Make mutants of right answers: one random edit each, drawn from a seed."""

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

TEXT_EDITS = 0.25  # the fraction of edits of the text; the rest are edits of the syntax tree
NO_NAMES = Names()
SKIPPED_FIELDS = ("annotation", "returns", "type_params", "ctx")


@dataclass(frozen=True)
class Mutant:
    """A right answer with one edit.

    Attributes:
        source: the right answer's name in the bank.
        edit: the kind of edit.
        before: the text of the right answer.
        data: the bytes of the file with the edit.
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
        """The difference as `diff -U1` shows it, without its heading."""
        texts = (text.splitlines() for text in (self.before, self.after))
        return "\n".join(list(difflib.unified_diff(*texts, n=1, lineterm=""))[3:])

    @property
    def gist(self) -> str:
        """The same without indentation and line numbers."""
        return "\n".join(
            "@@" if line[:2] == "@@" else f"{line[:1]} {line[1:].strip()}".strip()
            for line in self.difference.splitlines()
        )


def make_mutants(task: Task, seed: int, count: int) -> list[Mutant]:
    """Make `count` different mutants of the task's right answers, the same for the same seed."""
    random, mutants = Random(f"{task.stem} {seed}"), {}
    sources = [answer for answer in bank(task) if answer.right]
    known = {answer.text.encode() for answer in bank(task)}
    while len(mutants) < count:
        source = random.choice(sources)
        if random.random() < TEXT_EDITS:
            edit = random.choice(text.EDITS)
            before, data = source.text, edit(source.text, random)
        else:
            before = ast.unparse(ast.parse(source.text))  # comments are lost
            edit, data = edit_syntax(before, random)
        if data not in known | {before.encode()} | mutants.keys():
            name = edit.__name__.replace("_", " ")
            mutants[data] = Mutant(source.name, name, before, data)
    return list(mutants.values())


def edit_syntax(program: str, random: Random) -> tuple[syntax.Edit, bytes]:
    """Make one random edit of the syntax tree; all kinds of edit are equally likely."""
    tree = ast.parse(program)
    nodes = list(_nodes(tree))
    for edit in random.sample(syntax.EDITS, len(syntax.EDITS)):
        possible = [
            (parent, field, index, replacement)
            for parent, field, index, node, names in nodes
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


def _nodes(
    parent: ast.AST, names: Names = NO_NAMES
) -> Iterator[tuple[ast.AST, str, int | None, ast.AST, Names]]:
    """Each node that may be edited: (parent, the parent's field, index in it, node, names)."""
    if isinstance(parent, ast.ClassDef):
        names = Names(names.local, frozenset(_attributes_of_self(parent)))
    if isinstance(parent, ast.FunctionDef):
        names = Names(names.local | frozenset(_bound_in(parent)), names.attributes)
    for field, value in ast.iter_fields(parent) if not isinstance(parent, ast.JoinedStr) else ():
        if field in SKIPPED_FIELDS:
            continue
        is_list = isinstance(value, list)
        for index, node in enumerate(value if is_list else [value]):
            if isinstance(node, ast.AST) and not _is_docstring(node):
                yield parent, field, index if is_list else None, node, names
                yield from _nodes(node, names)


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


def _attributes_of_self(class_def: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(class_def):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
