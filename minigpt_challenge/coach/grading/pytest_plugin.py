"""The pytest plugin that checks a task: options, the fixtures `task` and `reference`, verdicts.

`pytest` checks the learner's files, `pytest --solutions` the reference. A check of code that is
not started is reported as skipped, with the words "not started".

JAX, and modules that import it, are imported inside functions: pytest loads this plugin at every
start, even if no check runs, and `pytest_configure` must set JAX's environment first.
"""

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from minigpt_challenge.coach.course.curriculum import (
    SOLUTIONS_FOLDER,
    TASKS,
    TASKS_FOLDER,
    Task,
    task_by_stem,
)
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading.results import Hooks, Writer
from minigpt_challenge.coach.grading.selection import matches
from minigpt_challenge.coach.runtime import devices, limits
from minigpt_challenge.coach.runtime.compilation import quick_compilation
from minigpt_challenge.coach.runtime.loading import solution, task_module
from minigpt_challenge.coach.runtime.patched_modules import restore_patched_modules
from minigpt_challenge.errors import UserError

NONE_CHOSEN = pytest.StashKey[bool]()  # whether `--only` matches no check of the suite
TIMED_OUT = pytest.StashKey[bool]()  # whether a check has reached the soft limit
LIMIT_DIVISOR = 30  # of the soft limit from then on: most checks run into the same endless loop
MAX_PRINTED = 4_000  # characters: the end of a check's output


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("miniGPT Challenge")
    group.addoption(
        "--solutions", action="store_true", help="check the reference instead of your own files"
    )
    group.addoption("--answer", metavar="FILE", help="check this file instead of the task's own")
    group.addoption("--only", metavar="WORDS", help="run only checks whose names match")
    group.addoption(
        "--limit",
        type=float,
        metavar="S",
        help="limit this process to S seconds of processor time, and its memory and output",
    )
    group.addoption(
        "--soft-limit",
        type=float,
        metavar="S",
        help="interrupt a check after S seconds of processor time, and those after it much sooner",
    )
    group.addoption(
        "--verdicts", metavar="FILE", help="append each check's verdict to FILE, a JSON line each"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the checks that `--only` does not match."""
    if words := config.getoption("--only"):
        chosen = [item for item in items if matches(words, _check_name(item))]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        config.stash[NONE_CHOSEN] = bool(items) and not chosen
        items[:] = chosen


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(Hooks)


def pytest_configure(config: pytest.Config) -> None:
    if file := config.getoption("--verdicts"):
        config.pluginmanager.register(Writer(Path(file)))
    if "jax" not in sys.modules:  # JAX reads the environment once, when it is imported
        for task in TASKS:
            os.environ.update(devices.environment(task) | os.environ)
    if seconds := config.getoption("--limit"):
        limits.limit_this_process(seconds)


@pytest.fixture(scope="session")
def tasks_folder(request: pytest.FixtureRequest) -> Path:
    """The folder of the files that are checked."""
    return _answers_folder(request.config)


class MissingName(UserError):
    """The learner's file does not define something that the task asks for."""


class Answer:
    """The learner's module, with an error message that names what the module does not define."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._module, name)
        except AttributeError:
            file = Path(str(self._module.__file__)).name
            raise MissingName(f"{file} defines no `{name}`, which this task asks for.") from None


@pytest.fixture(scope="module")
def task(request: pytest.FixtureRequest) -> Iterator[Answer]:
    """The module that is checked; what it imports from earlier tasks is the reference."""
    import jax

    current_task = _checked_task(request.path)
    answer = _answer_file(request.config, current_task)
    with (
        task_module(current_task, answer, SOLUTIONS_FOLDER) as module,
        jax.default_matmul_precision("highest"),
        quick_compilation(),
    ):
        yield Answer(module)


@pytest.fixture(scope="module")
def reference(request: pytest.FixtureRequest) -> ModuleType:
    """The solution of the same task."""
    return solution(_checked_task(request.path).number)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Guard the set-up too: the fixture `task` runs the learner's file."""
    with _guard(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with _guard(item):
        return (yield)


@contextmanager
def _guard(item: pytest.Item) -> Iterator[None]:
    """Limit the time of the learner's code, and restore the shared modules that it patches."""
    if not _is_check(item):
        yield
        return
    import flax.linen  # noqa: F401  only modules that are imported are restored
    import optax  # noqa: F401

    limit, wait = item.config.getoption("--soft-limit"), float(limits.MAX_WAIT)
    if limit and TIMED_OUT in item.config.stash:
        limit, wait = max(1.0, limit / LIMIT_DIVISOR), max(1.0, wait / LIMIT_DIVISOR)
    with restore_patched_modules(), limits.time_limit(limit, wait) if limit else nullcontext():
        try:
            yield
        except limits.TimeLimitReached:
            item.config.stash[TIMED_OUT] = True
            raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not _is_check(item) or report.when == "teardown":
        return report
    error = call.excinfo.value if call.excinfo else None
    if error is None and report.when == "setup":
        return report
    from minigpt_challenge.coach.grading.judge import judge

    answer = _answer_file(item.config, _checked_task(item.path))
    check = judge(_check_name(item), error, answer, report.capstdout[-MAX_PRINTED:])
    report.user_properties.append(("verdict", check.verdict.value))
    if check.verdict is Verdict.NOT_STARTED:
        report.outcome = "skipped"
        skip = (str(item.path), None, f"not started: {check.message}")
        report.longrepr = skip  # type: ignore[assignment]  # a line number may be missing
    elif error is not None:
        report.outcome = "failed"  # even if the learner's code called `pytest.skip`
        report.longrepr = f"{check.verdict.words}: {check.message}"
    item.config.hook.pytest_minigpt_check(check=check)
    return report


def pytest_collection_finish(session: pytest.Session) -> None:
    """Report all names first, so that a check that never ends is known to have no result."""
    names = [_check_name(item) for item in session.items if _is_check(item)]
    none_chosen = session.config.stash.get(NONE_CHOSEN, False)
    session.config.hook.pytest_minigpt_suite(names=names, none_chosen=none_chosen)


def _check_name(item: pytest.Item) -> str:
    return item.name.removeprefix("test_")


def _answers_folder(config: pytest.Config) -> Path:
    return SOLUTIONS_FOLDER if config.getoption("--solutions") else TASKS_FOLDER


def _answer_file(config: pytest.Config, task: Task) -> Path:
    """The file to check for this task."""
    answer = config.getoption("--answer")
    return Path(answer) if answer else _answers_folder(config) / f"{task.stem}.py"


def _is_check(item: pytest.Item) -> bool:
    """Whether this is a check of a task, not one of the project's own tests."""
    return _task_of(item.path) is not None and "task" in getattr(item, "fixturenames", ())


def _task_of(suite: Path) -> Task | None:
    return task_by_stem(suite.stem.removeprefix("test_"))


def _checked_task(suite: Path) -> Task:
    """The task of a suite that uses the fixtures `task` and `reference`."""
    task = _task_of(suite)
    if task is None:
        raise pytest.UsageError(f"{suite.name} is no task's suite: its name is no task's.")
    return task
