"""pytest as the judge: the fixtures `task` and `reference`, and the four verdicts.

`pytest` puts the learner's files on trial, `pytest --solutions` the reference's. A task not
started is reported as skipped, with those words.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType

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
from minigpt_challenge.coach.runtime import devices

INTERRUPTED = pytest.StashKey[bool]()
MAX_PRINTED = 4_000  # characters of a check's output, the last ones
SOONER = 30  # times, after the first interruption: checks mostly fail for the same endless loop


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("miniGPT Challenge")
    group.addoption(
        "--solutions", action="store_true", help="put the reference on trial, not your own files"
    )
    group.addoption("--answer", metavar="FILE", help="put this file on trial, whatever the task")
    group.addoption(
        "--limited", action="store_true", help="limit the memory and output of this process"
    )
    group.addoption(
        "--soft-limit",
        type=float,
        metavar="S",
        help="interrupt a check after S seconds, and each that follows much sooner",
    )
    group.addoption(
        "--verdicts", metavar="FILE", help="append each check's verdict to FILE, a JSON line each"
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(Hooks)


def pytest_configure(config: pytest.Config) -> None:
    if file := config.getoption("--verdicts"):
        config.pluginmanager.register(Writer(Path(file)))
    if "jax" not in sys.modules:  # which reads it once, when it is imported
        for task in TASKS:
            os.environ.update(devices.environment(task) | os.environ)
    if config.getoption("--limited"):
        from minigpt_challenge.coach.runtime.limits import limit_this_process

        limit_this_process()


@pytest.fixture(scope="session")
def tasks_folder(request: pytest.FixtureRequest) -> Path:
    """The folder whose files are on trial."""
    return _folder(request.config)


class Answer:
    """The learner's module. A name that it lacks is asked for in words."""

    def __init__(self, module: ModuleType):
        self._module = module

    def __getattr__(self, name: str):
        from minigpt_challenge.coach.grading.judge import MissingName

        try:
            return getattr(self._module, name)
        except AttributeError:
            file = Path(self._module.__file__).name
            raise MissingName(f"{file} defines no `{name}`, which this task asks for.") from None


@pytest.fixture(scope="module")
def task(request: pytest.FixtureRequest) -> Iterator[Answer]:
    """What is on trial; every earlier task is the reference's."""
    import jax

    from minigpt_challenge.coach.runtime.compilation import without_xla_optimizations
    from minigpt_challenge.coach.runtime.loading import task_module

    its = _task_of(request.path)
    path = _answer(request.config, its)
    with (
        task_module(its, path, SOLUTIONS_FOLDER) as module,
        jax.default_matmul_precision("highest"),
        without_xla_optimizations(),
    ):
        yield Answer(module)


@pytest.fixture(scope="module")
def reference(request: pytest.FixtureRequest) -> ModuleType:
    """The solution of the same task."""
    from minigpt_challenge.coach.runtime.loading import solution

    return solution(_task_of(request.path).number)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item):
    """The learner's file is loaded here."""
    with _guarded(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    with _guarded(item):
        return (yield)


@contextmanager
def _guarded(item: pytest.Item) -> Iterator[None]:
    """The learner's code gets so much time, and may not change what all code shares."""
    if not _is_check(item):
        yield
        return
    import flax.linen  # noqa: F401  what is to be guarded must be there
    import optax  # noqa: F401

    from minigpt_challenge.coach.runtime.limits import time_limit
    from minigpt_challenge.coach.runtime.patched_modules import restore_patched_modules

    limit, start = item.config.getoption("--soft-limit"), time.monotonic()
    if limit and INTERRUPTED in item.config.stash:
        limit = max(1.0, limit / SOONER)
    with restore_patched_modules(), time_limit(limit) if limit else nullcontext():
        try:
            yield
        finally:
            if limit and time.monotonic() - start >= limit:
                item.config.stash[INTERRUPTED] = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    if not _is_check(item) or report.when == "teardown":
        return report
    error = call.excinfo.value if call.excinfo else None
    if error is None and report.when == "setup":
        return report
    from minigpt_challenge.coach.grading.judge import judge

    answer = _answer(item.config, _task_of(item.path))
    check = judge(_name(item), error, answer, report.capstdout[-MAX_PRINTED:])
    report.user_properties.append(("verdict", check.verdict.value))
    if check.verdict is Verdict.NOT_STARTED:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), None, f"not started: {check.message}")
    elif error is not None:
        report.outcome = "failed"  # also where the learner's code called `pytest.skip`
        report.longrepr = f"{check.verdict.words}: {check.message}"
    item.config.hook.pytest_minigpt_check(check=check)
    return report


def pytest_collection_finish(session: pytest.Session) -> None:
    """Report first which checks there are, so that one that never ends is missed."""
    names = [_name(item) for item in session.items if _is_check(item)]
    session.config.hook.pytest_minigpt_suite(names=names)


def _name(item: pytest.Item) -> str:
    return item.name.removeprefix("test_")


def _folder(config: pytest.Config) -> Path:
    return SOLUTIONS_FOLDER if config.getoption("--solutions") else TASKS_FOLDER


def _answer(config: pytest.Config, task: Task) -> Path:
    """The file that is on trial for this task."""
    answer = config.getoption("--answer")
    return Path(answer) if answer else _folder(config) / f"{task.stem}.py"


def _is_check(item: pytest.Item) -> bool:
    """Whether this is a check of a task, rather than one of the project's own tests."""
    return _task_of(item.path) is not None and "task" in getattr(item, "fixturenames", ())


def _task_of(suite: Path) -> Task | None:
    return task_by_stem(suite.stem.removeprefix("test_"))
