"""Check a task: run its suite with pytest, in a process of its own or in this one."""

import contextlib
import gc
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

import pytest

from minigpt_challenge.coach.course.curriculum import ROOT, Task
from minigpt_challenge.coach.course.stubs import fingerprint
from minigpt_challenge.coach.course.verdict import Check, Reason, Report
from minigpt_challenge.coach.grading import results
from minigpt_challenge.coach.runtime import compilation, devices, limits, snapshot
from minigpt_challenge.coach.runtime import environment as environment_of
from minigpt_challenge.coach.runtime.clone import search_path
from minigpt_challenge.coach.runtime.error_text import in_one_line

TIME_LIMIT = 120  # seconds of processor time

# A learner's own settings of pytest must not change a verdict, and a second process must not
# reserve all of a GPU's memory, as JAX does by default.
PLAIN_PYTEST = {
    "PYTEST_ADDOPTS": "",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}


def check_in_own_process(task: Task, answer: Path, *options: str, **environment: str) -> Report:
    """Check the file in a new process, so that a crash or an endless loop does not affect this one.

    Args:
        task: whose suite to run.
        answer: the file.
        options: further options of pytest.
        environment: variables to set in that process.
    """
    with waiting_process(task, warm=False, **environment) as check:
        return check(answer, *options)


@contextlib.contextmanager
def waiting_process(
    task: Task, warm: bool = True, **environment: str
) -> Iterator[Callable[..., Report]]:
    """Start a process that waits for a file to check: `minigpt watch` has one ready.

    Args:
        task: whose suite to run, once.
        warm: whether it checks the solution while it waits, to load and compile everything.
        environment: variables to set in that process.

    Yields:
        a function from the file, and further options of pytest, to the report. It is called once;
        the process ends with this context.
    """
    with tempfile.TemporaryDirectory(prefix="minigpt-") as folder:
        verdicts, output, work = (Path(folder, name) for name in ("verdicts", "output", "work"))
        work.mkdir()
        process = _start_worker(task, work, output, environment)

        def check(answer: Path, *options: str) -> Report:
            start = time.perf_counter()
            copy = snapshot.take(answer, Path(folder, "answer"))
            written = f"--verdicts={verdicts}", f"--limit={TIME_LIMIT}"
            _send(process, *_arguments(task, copy), *written, *options)
            reason, ending = _wait(process)
            printed = output.read_text(encoding="utf-8", errors="replace")
            collected = results.read(verdicts)
            checks = results.checks_in_order(collected, reason, ending, printed)
            return _report(task, start, checks, copy)

        if warm:
            _send(process, *_arguments(task, task.solution))
        try:
            yield check
        finally:
            _end(process)
            compilation.trim()


def _start_worker(
    task: Task, work: Path, output: Path, environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start `worker.py` in the folder `work`; all that it prints goes to the file `output`."""
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "minigpt_challenge.coach.grading.worker"],
            cwd=work,
            env={
                **compilation.CACHE_ENVIRONMENT,
                **environment_of.of_a_check(),
                **PLAIN_PYTEST,
                **search_path(),
                **devices.environment(task),
                **environment,
            },
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            encoding="utf-8",
        )


def _send(process: subprocess.Popen[str], *arguments: str) -> None:
    """Let the worker run pytest with these arguments."""
    assert process.stdin  # a pipe, as `_start_worker` made it
    with contextlib.suppress(BrokenPipeError):  # `_wait` reports that the process has ended
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()


def _wait(process: subprocess.Popen[str]) -> tuple[Reason, str]:
    """Wait until the worker ends, or end it when it has waited too long.

    Returns:
        why it ended, and the same in a sentence.
    """
    assert process.stdin
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(limits.MAX_WAIT)
    except subprocess.TimeoutExpired:
        return Reason.TIME_LIMIT, limits.waited_too_long(limits.MAX_WAIT)
    finally:
        _end(process)
    if hasattr(signal, "SIGXCPU") and process.returncode == -signal.SIGXCPU:
        return Reason.TIME_LIMIT, (
            f"It was stopped after {TIME_LIMIT} seconds of processor time. Is there an endless "
            "loop, or a Python loop in a compiled function, where `jax.lax.scan` belongs?"
        )
    return Reason.PROCESS_ENDED, f"The process ended with exit code {process.returncode}."


def check_in_this_process(task: Task, answer: Path, *plugins: object) -> Report:
    """Check the file here, as a notebook must: a second process could not share its TPU.

    Args:
        task: whose suite to run.
        answer: the file.
        plugins: further plugins of pytest.

    Raises:
        KeyboardInterrupt: the user has stopped it.
    """
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="minigpt-") as folder:
        collector, work, output = results.Collector(), Path(folder, "work"), io.StringIO()
        work.mkdir()
        copy = snapshot.take(answer, Path(folder, "answer"))
        arguments = ["--capture=sys", f"--soft-limit={TIME_LIMIT}"]
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
            contextlib.chdir(work),
            compilation.persistent_compilation_cache(),
            _collect_new_objects_only(),
            patch.dict(os.environ, PLAIN_PYTEST),
            pytest.MonkeyPatch.context() as patches,
        ):
            # A library may have imported a package `tests` of its own.
            patches.delitem(sys.modules, "tests", raising=False)
            try:
                code = pytest.main(
                    [*_arguments(task, copy), *arguments],
                    plugins=[collector, _InterruptsEnd(), *plugins],
                )
                ending = f"pytest ended with exit code {int(code)}."
            except Exception as error:  # such as after `sys.stdout.close()`
                ending = f"pytest failed: {in_one_line(error)}"
        printed = "" if output.closed else output.getvalue()
        checks = results.checks_in_order(collector, Reason.SUITE_FAILED, ending, printed)
        compilation.trim()
        return _report(task, start, checks, copy)


class _InterruptsEnd:
    """A plugin of pytest: Ctrl-C or a notebook's stop button ends the check, not only pytest."""

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if excinfo.errisinstance(KeyboardInterrupt):  # not `pytest.exit`
            raise KeyboardInterrupt


def _report(task: Task, start: float, checks: tuple[Check, ...], copy: Path) -> Report:
    seconds = time.perf_counter() - start
    return Report(task, seconds, checks, fingerprint(copy))


@contextlib.contextmanager
def _collect_new_objects_only() -> Iterator[None]:
    """Inside, collect garbage among new objects only: among all of JAX's it takes long.

    The collection at the end frees the compiled programs, too: each uses some of the memory maps
    that a process may have, and a kernel runs many checks.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()


def _arguments(task: Task, answer: Path) -> list[str]:
    return [
        str(task.tests),
        f"--config-file={ROOT / 'pyproject.toml'}",
        f"--rootdir={ROOT}",
        f"--answer={answer}",
        "--noconftest",  # it is for the project's own tests
        "-q",
        "--tb=native",  # not shown; pytest's own style takes a tenth of a second for each failure
        "-p",
        "no:cacheprovider",
        "-p",
        "no:unraisableexception",  # collects garbage several times at the end
    ]


def _end(process: subprocess.Popen[str]) -> None:
    """End the process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, 9)
        else:  # Windows
            process.kill()
    process.wait()
