"""The notebook's magics, from `%%task 2` to `%solution 2`.

None raises: a magic prints a message instead, so that a notebook runs to its end whatever a cell
holds.
"""

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from minigpt_challenge.coach.commands import help
from minigpt_challenge.coach.commands.magics_arguments import (
    parse_ladder_options,
    parse_task,
    parse_task_and_option,
)
from minigpt_challenge.coach.commands.magics_cells import THIS_CELL, play, task
from minigpt_challenge.coach.commands.magics_check import check
from minigpt_challenge.coach.commands.ready import ready_line
from minigpt_challenge.coach.commands.session import Session
from minigpt_challenge.coach.course.curriculum import TASKS_FOLDER
from minigpt_challenge.coach.course.errors import message_for
from minigpt_challenge.coach.course.stubs import is_stub_error
from minigpt_challenge.coach.grading.judge import learners_frames, message_of
from minigpt_challenge.coach.records import progress
from minigpt_challenge.coach.reports import road
from minigpt_challenge.coach.runtime.loading import unwritten_before


def register_magics(ipython: Any) -> None:
    """Define the magics in this notebook."""
    session = Session(ipython)
    for kind, magics in (
        ("cell", (task, play)),
        ("line", (welcome, check, hint, ladder, show_progress, solution)),
    ):
        for magic in magics:
            answer = update_wrapper(partial(_answer, magic, session), magic)
            name = magic.__name__.removeprefix("show_")
            ipython.register_magic_function(answer, kind, name)


def welcome(session: Session, line: str) -> None:
    """`%welcome 2`: say that all is ready, and which earlier tasks are missing here."""
    task = parse_task(line, "%welcome 2", with_warm_up=True)
    session.print(ready_line(task))
    if missing := ", ".join(str(other.number) for other in unwritten_before(task)):
        session.print(
            f"Not written here: task {missing}. There are two ways to continue. Either do those "
            "tasks first (in Colab, run your `%%task` cells of their notebooks here, copied into "
            "new cells). Or go on without them: the reference is borrowed for them, and each "
            "report says so."
        )


def ladder(session: Session, line: str) -> None:
    """`%ladder 2`: train a model of the parts up to task 2, and show the loss ladder.

    `%ladder 5` trains the whole GPT; `--steps 1000`, `--fast` and `--fresh` are as in
    `minigpt train`.
    """
    number, *words = line.replace("=", " ").split() or [""]
    task = parse_task(number, "%ladder 2", with_warm_up=True)
    options = parse_ladder_options(words)
    # Imported here, so that `%load_ext` does not wait for Orbax and Matplotlib.
    from minigpt_challenge.coach.reports import live_training
    from minigpt_challenge.coach.training import ladder_runs

    session.ipython.push(ladder_runs.run(session.console, task, options))
    live_training.show_ladder()


def show_progress(session: Session, line: str) -> None:
    """`%progress`: show the tasks, the status of each, and what to do next."""
    standings, reached = progress.overview()
    session.console.print(road.road(standings, reached, road.NOTEBOOK))
    session.console.print(f"\n{road.what_next(standings, reached, road.NOTEBOOK)}")


def hint(session: Session, line: str) -> None:
    """`%hint 2`: show the next hint; `%hint 2 --again` shows all earlier ones again."""
    task, option = parse_task_and_option(line, "%hint 2", ("--again",))
    show = help.show_again if option else help.show
    show(session.console, task)


def solution(session: Session, line: str) -> None:
    """`%solution 2` tells how to see the reference: with `--show`, or `--diff` against yours."""
    task, option = parse_task_and_option(line, "%solution 2", ("--show", "--diff"))
    if option == "--show":
        help.show_solution(session.console, task)
    elif option == "--diff":
        help.show_difference(session.console, task)
    else:
        session.console.print(
            f"Have you read the hints ([bold]%hint {task.number}[/bold])? To see the reference, "
            f"run this cell again as [bold]%solution {task.number} --show[/bold]; "
            f"[bold]%solution {task.number} --diff[/bold] shows how yours differs."
        )


def _answer(magic: Callable[..., None], session: Session, line: str, *cell: str) -> None:
    """Run the magic; print a message for any error."""
    try:
        magic(session, line, *cell)
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        session.print(_message(error))


def _message(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "✗ Stopped."
    if is_stub_error(error):
        return f"· Not written yet. {error}"
    if isinstance(error, NameError) and not learners_frames(error, TASKS_FOLDER):
        return f"· There is no `{error.name}` yet. Did all cells above run?"
    if isinstance(error, Exception) and (message := message_for(error)):
        return f"✗ {message}"
    return f"✗ {message_of(error, TASKS_FOLDER, THIS_CELL)}"
