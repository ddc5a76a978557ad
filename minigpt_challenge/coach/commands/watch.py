"""`minigpt watch`: check a task again whenever its file is saved.

A worker process with everything loaded waits for the next save, so that the report comes at once.
Each check runs in a new worker, under the same limits as with `minigpt check`.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from rich.console import Console

from minigpt_challenge.coach.commands import help
from minigpt_challenge.coach.course.curriculum import GPT_TASKS, TASKS, Task
from minigpt_challenge.coach.course.stubs import fingerprint
from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.grading.runner import waiting_process
from minigpt_challenge.coach.records import progress
from minigpt_challenge.coach.reports import terminal

POLL_S = 0.1  # between two looks at the file and the keys


def watch(console: Console, task: Task, record: Callable[[Task, Report], None]) -> bool:
    """Check the task now and at every save, until `q`, `t` or Ctrl-C.

    Args:
        console: where to print; it is cleared before each report.
        task: the first task to watch; `n` goes on to the next.
        record: called with each report.

    Returns:
        whether `t` was pressed: the learner wants to train the GPT.
    """
    with (
        suppress(KeyboardInterrupt),
        _interrupts() as interrupted,
        pressed_keys() as keys,
        ExitStack() as worker,
    ):
        check = worker.enter_context(waiting_process(task, warm=False))
        checked, can_train = None, False
        while not interrupted():
            if fingerprint(task.stub) != checked:
                console.clear()
                with console.status(f"Checking task {task.number} …"):
                    report = check(task.stub)
                console.clear()
                record(task, report)
                can_train = _gpt_is_complete(task, report)
                shown = terminal.report(report, terminal.Detail.FAILED)
                console.print(shown, "", _footer(task, report, can_train), crop=False)
                checked = report.fingerprint
                worker.close()
                check = worker.enter_context(waiting_process(task))
            for key in keys():
                if key == "q" or key == "t" and can_train:
                    return key == "t"
                if key == "h":
                    help.show(console, task)
                if key == "n" and task is not TASKS[-1]:
                    task, checked = TASKS[task.number], None
                    worker.close()
                    check = worker.enter_context(waiting_process(task, warm=False))
            time.sleep(POLL_S)
    return False


def _gpt_is_complete(task: Task, report: Report) -> bool:
    """Whether this was the last part of the GPT to pass."""
    if task is not GPT_TASKS[-1] or report.verdict is not Verdict.PASSED:
        return False
    standings, _ = progress.overview()
    return all(standings[part].verdict is Verdict.PASSED for part in GPT_TASKS)


def _footer(task: Task, report: Report, can_train: bool) -> str:
    """What goes on by itself, and what the keys do: on to the next task once this one passed."""
    following = None if task is TASKS[-1] else TASKS[task.number]
    if report.verdict is not Verdict.PASSED:
        keys = ["[bold]h[/bold] hint", *(["[bold]n[/bold] next task"] if following else [])]
        line = f"Watching {task.stub.name}: each save starts a check."
    else:
        keys = [f"[bold]n[/bold] task {following.number}"] if following else []
        standings, _ = progress.overview()
        passed = sum(standing.verdict is Verdict.PASSED for standing in standings.values())
        line = f"[green]✓ passed[/green] · {passed} of {len(standings)} tasks."
        if can_train:
            line += " Your GPT is complete."
            keys = ["[bold]t[/bold] train it", *keys]
    return f"[dim]{line} {' · '.join([*keys, '[bold]q[/bold] quit'])}[/dim]"


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether Ctrl-C was pressed.

    Python drops a KeyboardInterrupt that is raised inside a finalizer; this remembers it.
    """
    pressed = False

    def interrupt(*_: Any) -> None:
        nonlocal pressed
        pressed = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def pressed_keys() -> Iterator[Callable[[], str]]:
    """Yield a function that returns the keys pressed since its last call, often none.

    If the input is not a terminal, there never are any. Ctrl-C still interrupts.
    """
    if not sys.stdin.isatty():
        yield lambda: ""
        return
    with _unbuffered_input():
        yield _waiting_input


if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def _unbuffered_input() -> Iterator[None]:
        yield  # msvcrt reads single keys without any setting

    def _waiting_input() -> str:
        return "".join(iter(lambda: msvcrt.getwch() if msvcrt.kbhit() else "", ""))

else:
    import select
    import termios
    import tty

    @contextmanager
    def _unbuffered_input() -> Iterator[None]:
        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        try:
            yield
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

    def _waiting_input() -> str:
        keys = b""
        while select.select([sys.stdin], [], [], 0)[0]:
            read = os.read(sys.stdin.fileno(), 64)
            if not read:  # the terminal is gone
                break
            keys += read
        return keys.decode(errors="ignore")
