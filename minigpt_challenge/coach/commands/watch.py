"""`minigpt watch`: a task is checked again whenever its file is saved.

A process with everything loaded waits for the next save, so that the verdict comes at once; the
learner's code still runs in a process of its own, under the same limits as with `minigpt check`.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from rich.console import Console

from minigpt_challenge.coach.commands import help
from minigpt_challenge.coach.course.curriculum import TASKS, Task
from minigpt_challenge.coach.course.stubs import fingerprint
from minigpt_challenge.coach.course.verdict import Report
from minigpt_challenge.coach.grading.runner import waiting_process
from minigpt_challenge.coach.reports import terminal

LOOK = 0.1  # seconds between two looks at the file and the keys


def watch(console: Console, task: Task, remember: Callable[[Task, Report], None]) -> None:
    """Check the task now and at every save, until `q` or Ctrl-C.

    Args:
        console: where to print; it is cleared before each report.
        task: the first task to watch; `n` goes on to the next.
        remember: notes a verdict.
    """
    with suppress(KeyboardInterrupt), pressed_keys() as keys, ExitStack() as waiting:
        check = waiting.enter_context(waiting_process(task, warm=False))
        checked = None
        while True:
            if fingerprint(task.stub) != checked:
                console.clear()
                with console.status(f"Checking task {task.number} …"):
                    report = check(task.stub)
                console.clear()
                console.print(terminal.report(report), "", _footer(task))
                remember(task, report)
                checked = report.fingerprint
                waiting.close()
                check = waiting.enter_context(waiting_process(task))
            for key in keys():
                if key == "q":
                    return
                if key == "h":
                    help.show(console, task)
                if key == "n" and task is not TASKS[-1]:
                    task, checked = TASKS[task.number], None
                    waiting.close()
                    check = waiting.enter_context(waiting_process(task, warm=False))
            time.sleep(LOOK)


def _footer(task: Task) -> str:
    following = "" if task is TASKS[-1] else "[bold]n[/bold] next task · "
    return (
        f"[dim]Watching {task.stub.name}: save it, and it is checked. "
        f"[bold]h[/bold] hint · {following}[bold]q[/bold] quit[/dim]"
    )


@contextmanager
def pressed_keys() -> Iterator[Callable[[], str]]:
    """Yields a function that returns the keys pressed since it was last called, often none.

    Where the input is no terminal there never are any. Ctrl-C stays what it is.
    """
    if not sys.stdin.isatty():
        yield lambda: ""
    elif sys.platform == "win32":
        import msvcrt

        yield lambda: "".join(iter(lambda: msvcrt.getwch() if msvcrt.kbhit() else "", ""))
    else:
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        try:
            yield _waiting_input
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _waiting_input() -> str:
    import os
    import select

    keys = b""
    while select.select([sys.stdin], [], [], 0)[0]:
        read = os.read(sys.stdin.fileno(), 64)
        if not read:  # the terminal is gone
            break
        keys += read
    return keys.decode(errors="ignore")
