"""What all commands share: the argument that names a task, and the exit on an error."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import typer

from minigpt_challenge.coach.course.curriculum import (
    TASKS,
    WARM_UP,
    Task,
    UnknownTask,
    task_by_number,
)
from minigpt_challenge.coach.course.errors import message_for
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records import progress
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.coach.runtime import environment


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """On an error that the user can fix, print its message without a traceback; exit code 1."""
    try:
        yield
    except Exception as error:
        message = message_for(error) or environment.behind(error)
        if not message:
            raise
        terminal.console(stderr=True).print(f"✗ {message}", style="red", markup=False)
        raise SystemExit(1) from None


def task_argument(with_warm_up: bool = False) -> Any:
    """The argument N of a command: the number of a task. The command gets the Task.

    The command's own help explains it: Typer would print a type beside it.
    """
    parser = partial(_parse_task, with_warm_up=with_warm_up)
    return typer.Argument(metavar="N", parser=parser, hidden=True)


def _parse_task(text: str, with_warm_up: bool) -> Task:
    if with_warm_up and text == str(WARM_UP.number):
        return WARM_UP
    try:
        return task_by_number(int(text))
    except UnknownTask as error:
        raise typer.BadParameter(str(error)) from None
    except ValueError:
        raise typer.BadParameter(
            f"Which task? Write its number, {TASKS[0].number} to {TASKS[-1].number}."
        ) from None


def finite(number: float | None) -> float | None:
    """Accept a number that is neither infinite nor NaN; for the callback of an option."""
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter(f"It has to be a finite number, not {number}.")
    return number


def next_task() -> Task:
    """The first task that has not passed its check; the last one if all have."""
    standings = {task: progress.standing(task) for task in TASKS}
    unpassed = (task for task in TASKS if standings[task].verdict is not Verdict.PASSED)
    return next(unpassed, TASKS[-1])
