"""The commands for a learner who is stuck: `hint`, `solution`, `reset`, `history`."""

import sys
from typing import Annotated

import typer

from minigpt_challenge.coach.commands.cli_common import a_task, exit_on_user_error, task_number
from minigpt_challenge.coach.course.stubs import cut_stub, is_as_given
from minigpt_challenge.coach.records import history
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.errors import UserError

app = typer.Typer()
console = terminal.console()

NumberArgument = Annotated[int | None, task_number("The task; the next one if left out.")]


@app.command()
def hint(
    number: NumberArgument = None,
    again: Annotated[
        bool, typer.Option("--again", help="Show all hints once more that were shown before.")
    ] = False,
) -> None:
    """Show the next hint: for the check that failed last, then a nudge, the idea, the shapes."""
    from minigpt_challenge.coach.commands import help

    with exit_on_user_error():
        show = help.show_again if again else help.show
        show(console, a_task(number))


@app.command()
def solution(
    number: NumberArgument = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what differs between your file and it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Show it without asking.")] = False,
) -> None:
    """Show the reference, once you have said that you want to see it."""
    from minigpt_challenge.coach.commands import help

    with exit_on_user_error():
        task = a_task(number)
        if not yes:
            if not sys.stdin.isatty():
                raise UserError("This shows the solution. If that is what you want, add --yes.")
            sure = f"Show the solution of task {task.number}? (`minigpt hint` gives hints.)"
            if not typer.confirm(sure):
                return
        show = help.show_difference if diff else help.show_solution
        show(console, task)


@app.command()
def reset(number: Annotated[int, task_number("The task.")]) -> None:
    """Put a task's stub back as it was given. What you wrote is kept, and it is said where."""
    with exit_on_user_error():
        task = a_task(number)
        if is_as_given(task):
            console.print(f"{task.stub.name} is as it was given: there is nothing to reset.")
            return
        kept = history.overwrite(task.stub, cut_stub(task))
        console.print(f"{task.stub.name} is as it was given.")
        if kept:
            console.print(
                f"What stood there is kept in {kept}; `minigpt history {task.number} --restore 1` "
                "brings it back.",
                soft_wrap=True,
            )


@app.command("history")
def show_history(
    number: Annotated[int, task_number("The task.")],
    show: Annotated[int | None, typer.Option(metavar="V", help="Show this version.")] = None,
    restore: Annotated[
        int | None, typer.Option(metavar="V", help="Bring this version back.")
    ] = None,
) -> None:
    """List the kept versions of a task's file, show one, or bring one back."""
    with exit_on_user_error():
        task = a_task(number)
        kept = history.versions(task.stub)
        if show is not None:
            print(_chosen(kept, show).text())
        elif restore is not None:
            version = _chosen(kept, restore)
            former = history.overwrite(task.stub, version.path.read_bytes())
            console.print(f"{task.stub.name} is as it was at {version.when_text}.")
            if former:
                console.print(f"What stood there is kept in {former}.", soft_wrap=True)
        elif not kept:
            console.print(f"Nothing of task {task.number} has been overwritten yet.")
        else:
            console.print(terminal.kept_versions(kept))
            console.print(
                f"`minigpt history {task.number} --show 1` shows the last one, `--restore 1` "
                "brings it back.",
                markup=False,
            )


def _chosen(kept: list[history.Version], number: int) -> history.Version:
    if not 1 <= number <= len(kept):
        there_are = f"There are the versions 1 to {len(kept)}" if kept else "There are none"
        raise UserError(f"There is no version {number}. {there_are}.")
    return kept[number - 1]
