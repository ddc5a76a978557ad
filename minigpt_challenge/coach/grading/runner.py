"""Checking a task: its suite run by pytest, in a process of its own or in this one."""

import contextlib
import gc
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

from minigpt_challenge.coach.course.curriculum import ROOT, Task
from minigpt_challenge.coach.course.stubs import fingerprint
from minigpt_challenge.coach.course.verdict import Check, Reason, Report, Verdict
from minigpt_challenge.coach.grading import results
from minigpt_challenge.coach.grading.redact_paths import without_places
from minigpt_challenge.coach.runtime import compilation, devices, snapshot
from minigpt_challenge.coach.runtime.error_text import in_one_line

TIME_LIMIT = 120  # seconds

# A learner's own habits with pytest must not change a verdict; nor may a second process take all
# of a GPU's memory, as JAX would.
PLAIN_PYTEST = {
    "PYTEST_ADDOPTS": "",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}


def check_in_own_process(task: Task, answer: Path, **environment: str) -> Report:
    """Put the file on trial in a new process: a crash or an endless loop stays there.

    Args:
        task: whose suite it will run.
        answer: the file.
        environment: variables that the process gets besides its own.
    """
    with waiting_process(task, warm=False, **environment) as check:
        return check(answer)


@contextlib.contextmanager
def waiting_process(
    task: Task, warm: bool = True, **environment: str
) -> Iterator[Callable[[Path], Report]]:
    """A process that waits for a file to put on trial: `minigpt watch` keeps one at the ready.

    Args:
        task: whose suite it will run, once.
        warm: whether it checks the solution while it waits, so that all is loaded and compiled.
        environment: variables that the process gets besides its own.

    Yields:
        from the file to the report; called once. The process ends with this context.
    """
    with tempfile.TemporaryDirectory(prefix="minigpt-") as folder:
        verdicts, output, work = (Path(folder, name) for name in ("verdicts", "output", "work"))
        work.mkdir()
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "minigpt_challenge.coach.grading.worker"],
                cwd=work,
                env=compilation.CACHE_ENVIRONMENT
                | os.environ
                | PLAIN_PYTEST
                | devices.environment(task)
                | environment,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                encoding="utf-8",
            )

        def run(*arguments: str) -> None:
            with contextlib.suppress(BrokenPipeError):  # an early end is found out by waiting
                process.stdin.write(json.dumps(arguments) + "\n")
                process.stdin.flush()

        def check(answer: Path) -> Report:
            start = time.perf_counter()
            copy = snapshot.take(answer, Path(folder, "answer"))
            run(*_arguments(task, copy), f"--verdicts={verdicts}", "--limited")
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(TIME_LIMIT)
                reason = Reason.PROCESS_ENDED
                ending = f"The process ended with exit code {process.returncode}."
            except subprocess.TimeoutExpired:
                reason = Reason.TIME_LIMIT
                ending = (
                    f"It was stopped after {TIME_LIMIT} seconds. Is there an endless loop, or a "
                    "Python loop in a compiled function, where `jax.lax.scan` belongs?"
                )
            finally:
                _end(process)
            printed = output.read_text(encoding="utf-8", errors="replace")
            checks = _in_order(results.read(verdicts), reason, ending, printed)
            return _report(task, start, checks, copy)

        if warm:
            run(*_arguments(task, task.solution))
        try:
            yield check
        finally:
            _end(process)
            compilation.trim()


def check_in_this_process(task: Task, answer: Path) -> Report:
    """Put the file on trial here, as a notebook must: a second process could not share its TPU."""
    import pytest

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
            _old_objects_left_alone(),
            patch.dict(os.environ, PLAIN_PYTEST),
            pytest.MonkeyPatch.context() as without,
        ):
            without.delitem(sys.modules, "tests", raising=False)  # a library may have its own
            try:
                code = pytest.main([*_arguments(task, copy), *arguments], plugins=[collector])
                ending = f"pytest ended with exit code {int(code)}."
            except Exception as error:  # such as after `sys.stdout.close()`
                ending = f"pytest failed: {in_one_line(error)}"
        printed = "" if output.closed else output.getvalue()
        checks = _in_order(collector, Reason.SUITE_FAILED, ending, printed)
        compilation.trim()
        return _report(task, start, checks, copy)


def _report(task: Task, start: float, checks: tuple[Check, ...], copy: Path) -> Report:
    seconds = time.perf_counter() - start
    return Report(task, seconds, checks, fingerprint(copy))


@contextlib.contextmanager
def _old_objects_left_alone() -> Iterator[None]:
    """Inside, garbage is looked for among new objects only: in all of JAX it takes long.

    It is thrown away at the end. With it goes what was compiled: each program takes some of the
    memory maps that a process may have, and a kernel runs many checks.
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
        "--noconftest",  # it serves the project's own tests
        "-q",
        "--tb=native",  # nobody reads it, and pytest's own takes a tenth of a second each
        "-p",
        "no:cacheprovider",
        "-p",
        "no:unraisableexception",  # collects garbage at the end, over and over
    ]


def _end(process: subprocess.Popen) -> None:
    """End the process and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, 9)
        else:  # Windows
            process.kill()
    process.wait()


def _in_order(
    collected: results.Collector, reason: Reason, ending: str, output: str
) -> tuple[Check, ...]:
    """The checks in the suite's order; those without a result could not run.

    Args:
        collected: what the suite reported.
        reason: why it ended.
        ending: the same as a sentence.
        output: what pytest printed.
    """
    if not collected.suite:
        tail = without_places("\n".join(output.strip().splitlines()[-12:]))
        check = Check(
            "the_suite_starts",
            Verdict.COULD_NOT_RUN,
            reason=Reason.SUITE_FAILED,
            seen=ending,
            advice=tail,
        )
        return (check,)
    checks = []
    for name in collected.suite:
        if name in collected.checks:
            checks.append(collected.checks[name].with_texts(without_places))
            continue
        seen = f"This check was running. {ending}"
        if reason is Reason.NOT_REACHED:
            seen = "Not reached."
        checks.append(Check(name, Verdict.COULD_NOT_RUN, reason=reason, about=seen, seen=seen))
        reason = Reason.NOT_REACHED
    return tuple(checks)
