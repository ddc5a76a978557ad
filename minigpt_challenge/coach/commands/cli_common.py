"""What all commands share: naming a task, and saying in words what a person can mend."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from minigpt_challenge.coach.course.curriculum import (
    SOLUTIONS_FOLDER,
    TASKS,
    Task,
    UnknownTask,
    task_by_number,
)
from minigpt_challenge.coach.course.errors import message_for
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records import progress
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.errors import UserError

complaints = terminal.console(stderr=True)


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """What a person can mend is said in words, without a traceback, and ends in exit code 1."""
    try:
        if not SOLUTIONS_FOLDER.is_dir():
            raise UserError(
                f"There is no {SOLUTIONS_FOLDER}. The challenge lives in a clone of its "
                "repository: install it there with `pip install -e .`."
            )
        yield
    except Exception as error:
        words = message_for(error)
        if words is None:
            raise
        complaints.print(f"✗ {words}", style="red", markup=False)
        raise typer.Exit(1) from None


def task_number(help: str) -> Any:
    """The argument of a command that takes a task's number."""
    return typer.Argument(metavar="N", parser=_number, help=help)


def _number(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise typer.BadParameter(
            f"Which task? Write its number, {TASKS[0].number} to {TASKS[-1].number}."
        ) from None


def a_task(number: int | None) -> Task:
    """The task of this number; without one the first that is not passed, or the last."""
    if number is None:
        passed = {task for task in TASKS if progress.standing(task).verdict is Verdict.PASSED}
        return next((task for task in TASKS if task not in passed), TASKS[-1])
    try:
        return task_by_number(number)
    except UnknownTask as error:
        raise typer.BadParameter(str(error)) from None


def several_processes(
    coordinator: str | None, number: int | None, id: int | None
) -> tuple[str, int, int] | None:
    """The three options that belong together; None where there are none of them."""
    given = (coordinator, number, id)
    if given == (None, None, None):
        return None
    if None in given:
        raise typer.BadParameter(
            "--coordinator, --num-processes and --process-id belong together: give all or none."
        )
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise typer.BadParameter(
            f"--coordinator is HOST:PORT, such as 10.0.0.1:1234, not {coordinator}."
        )
    if id >= number:
        raise typer.BadParameter(
            f"The ids of {number} processes are 0 to {number - 1}: there is no {id}."
        )
    return given
