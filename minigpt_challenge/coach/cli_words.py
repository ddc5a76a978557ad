"""What all commands share: naming a task, and saying in words what a person can mend."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from minigpt_challenge.coach import progress, terminal
from minigpt_challenge.coach.complaint import Complaint, in_words
from minigpt_challenge.coach.curriculum import (
    SOLUTIONS_FOLDER,
    TASKS,
    Task,
    UnknownTask,
    task_by_number,
)
from minigpt_challenge.coach.verdict import Verdict

complaints = terminal.console(stderr=True)


@contextmanager
def complaining() -> Iterator[None]:
    """What a person can mend is said in words, without a traceback, and ends in exit code 1."""
    try:
        if not SOLUTIONS_FOLDER.is_dir():
            raise Complaint(
                f"There is no {SOLUTIONS_FOLDER}. The challenge lives in a clone of its "
                "repository: install it there with `pip install -e .`."
            )
        yield
    except Exception as error:
        words = in_words(error)
        if words is None:
            raise
        complaints.print(f"✗ {words}", style="red", markup=False)
        raise typer.Exit(1) from None


def a_task(number: int | None) -> Task:
    """The task of this number; without one the first that is not passed, or the last."""
    if number is None:
        passed = {task for task in TASKS if progress.standing(task).verdict is Verdict.PASSED}
        return next((task for task in TASKS if task not in passed), TASKS[-1])
    try:
        return task_by_number(number)
    except UnknownTask as error:
        raise typer.BadParameter(str(error)) from None
