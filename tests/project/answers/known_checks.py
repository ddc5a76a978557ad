"""Checks whose result is known, because the code that they use was checked in another answer.

Most answers in a bank differ from the solution in one function. A check that uses no other part of
the file gives the same result as before, so it is not run again. What a check uses is found in two
steps: the names that it takes from the learner's module are recorded while it runs, and from there
the text is followed, from each definition to all that it names.
"""

import ast
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from minigpt_challenge.coach.course.verdict import Check, Reason

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# With these, code can use what it does not name.
UNTRACEABLE = {"eval", "exec", "globals", "vars", "locals", "sys", "inspect", "importlib"}
# In a module, a class or a default, these can keep something from one check for the next.
CONTAINERS = (ast.Dict, ast.List, ast.Set)
MAKE_CONTAINERS = {"dict", "list", "set", "defaultdict", "deque", "count", "cache", "lru_cache"}


class Code:
    """The text of an answer, taken apart."""

    def __init__(self, text: str) -> None:
        self._behind: dict[frozenset[str], str] = {}
        self._whole = text
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            self._traceable = False
            return
        definitions = [node for node in tree.body if isinstance(node, DEFINITIONS)]
        self._texts = {node.name: ast.dump(node) for node in definitions}
        self._uses = {node.name: _names_in(node) for node in definitions}
        untraceable = bool(_names_in(tree) & UNTRACEABLE) or _changes_globals(tree)
        skeleton = _WithoutBodies().visit(tree)
        self._skeleton, self._run_by_import = ast.dump(skeleton), _names_in(skeleton)
        self._traceable = not (untraceable or _can_keep_something(skeleton))

    def behind(self, names: frozenset[str]) -> str:
        """The text without the bodies of functions that do not run when these names are used.

        All else stays, because the import runs it. An answer that reaches for code by other means
        than its name, or could change something while it runs, stays whole.
        """
        if not self._traceable:
            return self._whole
        if names not in self._behind:
            reached: set[str] = set()
            waiting = (names | self._run_by_import) & self._texts.keys()
            while waiting:
                name = waiting.pop()
                reached.add(name)
                waiting |= (self._uses[name] & self._texts.keys()) - reached
            bodies = [self._texts[name] for name in sorted(reached)]
            self._behind[names] = "\n".join([self._skeleton, *bodies])
        return self._behind[names]


class KnownChecks:
    """The results of a task's checks, by the check's name, the names it takes, and their code."""

    def __init__(self) -> None:
        self._known: dict[str, dict[frozenset[str], dict[str, Check]]] = defaultdict(dict)

    def find(self, name: str, code: Code) -> Check | None:
        """The result of this check for an answer; None if it has to run."""
        found = (known.get(code.behind(names)) for names, known in self._known[name].items())
        return next(filter(None, found), None)

    def add(self, code: Code, names: dict[str, set[str]], checks: Iterable[Check]) -> None:
        """Remember the results of an answer, with the names that each check took.

        After an endless loop nothing is certain: the later checks had less time.
        """
        checks = [*checks]
        if any(check.reason in (Reason.TIME_LIMIT, Reason.SUITE_FAILED) for check in checks):
            return
        for check in checks:
            taken = frozenset(names[check.name])
            if "__file__" not in taken:  # the whole text, or an error about what is missing
                self._known[check.name].setdefault(taken, {})[code.behind(taken)] = check


class Recorder:
    """A pytest plugin for one answer: leaves out the known checks, records what the others use.

    Attributes:
        suite: the names of all checks, in order.
        known: the results of the checks that were left out, by name.
        names: for each check that ran, the names that it and its fixtures took from the module.
    """

    def __init__(self, known_checks: KnownChecks, code: Code) -> None:
        self._known_checks, self._code = known_checks, code
        self._recordings: list[set[str]] = []
        self._by_fixtures: dict[str, set[str]] = {}
        self.suite: list[str] = []
        self.known: dict[str, Check] = {}
        self.names: dict[str, set[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what is known, but not all: a suite without checks is an error."""
        self.suite = [_check_name(item) for item in items]
        for name in self.suite:
            if check := self._known_checks.find(name, self._code):
                self.known[name] = check
        items[:] = [item for item in items if _check_name(item) not in self.known] or items[:1]

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, Any, object]:
        """Record for all checks that use the fixture: only the first of them sets it up."""
        with self._recording() as taken:
            self._by_fixtures[fixturedef.argname] = taken  # also if it raises an error
            answer = yield
        if fixturedef.argname == "task":
            self._watch(answer._module)
        return answer

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Function) -> Generator[None, object, object]:
        """Record what the check takes."""
        with self._recording() as taken:
            result = yield
        by_fixtures = [self._by_fixtures.get(fixture, set()) for fixture in item.fixturenames]
        self.names[_check_name(item)] = taken.union(*by_fixtures)
        return result

    @contextmanager
    def _recording(self) -> Generator[set[str], None, None]:
        taken: set[str] = set()
        self._recordings.append(taken)
        try:
            yield taken
        finally:
            self._recordings.pop()

    def _watch(self, module: ModuleType) -> None:
        """Record every name that is taken from the module."""
        recordings = self._recordings

        class Watched(ModuleType):
            def __getattribute__(self, name: str) -> Any:
                for taken in recordings:
                    taken.add(name)
                return super().__getattribute__(name)

        module.__class__ = Watched


class _WithoutBodies(ast.NodeTransformer):
    """Leaves nothing of a function but what its definition runs: decorators, defaults."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = [ast.Pass()]
        return node


def _changes_globals(tree: ast.Module) -> bool:
    """Whether a function assigns to a global, or to an attribute of a function or a class."""
    defined = {node.name for node in tree.body if isinstance(node, DEFINITIONS)}
    return any(
        isinstance(node, (ast.Global, ast.Nonlocal))
        or isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id in defined
        for node in ast.walk(tree)
    )


def _can_keep_something(skeleton: ast.Module) -> bool:
    """Whether the module, a class, a default or a decorator has a container to keep things in."""
    places = [
        place
        for node in ast.walk(skeleton)
        for place in [*getattr(node, "decorator_list", ()), node]
        if place is not node or isinstance(node, (ast.Assign, ast.AnnAssign, ast.arguments))
    ]
    return any(
        getattr(part, "id", getattr(part, "attr", None)) in MAKE_CONTAINERS
        or isinstance(part, CONTAINERS)
        and isinstance(place, (ast.Assign, ast.AnnAssign, ast.arguments))
        for place in places
        for part in ast.walk(place)
    )


def _names_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _check_name(item: pytest.Item) -> str:
    return item.name.removeprefix("test_")
