"""What helps a learner on: `read`, `hint`, `solution`, `reset`, `history`."""

import sys
from typing import Annotated

import typer

from minigpt_challenge.coach.commands.cli_common import next_task, task_argument
from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.stubs import cut_stub, is_as_given
from minigpt_challenge.coach.records import history, progress
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.errors import UserError

app = typer.Typer()


@app.command()
def read(
    task: Annotated[Task | None, task_argument(with_warm_up=True)] = None,
) -> None:
    """Read the lesson of task N, its notebook, in the terminal.

    Without N it is the lesson of the next task; 0 is the warm-up. Into a file or a pipe it is
    written as Markdown.
    """
    # Imported here, so that `minigpt` starts without Rich's Markdown and syntax highlighting.
    from minigpt_challenge.coach.commands import lesson

    lesson.show(terminal.console(), task or next_task())


@app.command()
def hint(
    task: Annotated[Task | None, task_argument()] = None,
    again: Annotated[bool, typer.Option("--again", help="Show all earlier hints again.")] = False,
) -> None:
    """Show the next hint: for the check that failed last, then a nudge, the idea, the shapes.

    Without N it is for the next task.
    """
    # Imported here, so that `minigpt` starts without Rich's Markdown and syntax highlighting.
    from minigpt_challenge.coach.commands import help

    show = help.show_again if again else help.show
    show(terminal.console(), task or next_task())


@app.command()
def solution(
    task: Annotated[Task | None, task_argument()] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show how your file differs from it.")
    ] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Show it without asking.")] = False,
) -> None:
    """Show the reference, if you confirm that you want to see it.

    Without N it is that of the next task.
    """
    # Imported here, so that `minigpt` starts without Rich's Markdown and syntax highlighting.
    from minigpt_challenge.coach.commands import help

    task = task or next_task()
    if not yes:
        if not sys.stdin.isatty():
            raise UserError("This shows the solution. If that is what you want, add --yes.")
        question = f"Show the solution of task {task.number}? (`minigpt hint` gives hints.)"
        if not typer.confirm(question):
            return
    show = help.show_difference if diff else help.show_solution
    show(terminal.console(), task)


@app.command()
def reset(task: Annotated[Task, task_argument()]) -> None:
    """Restore the stub of task N. Your version is saved first."""
    console = terminal.console()
    if is_as_given(task):
        console.print(f"{task.stub.name} is the original stub: there is nothing to reset.")
        return
    saved = history.overwrite(task.stub, cut_stub(task))
    console.print(f"{task.stub.name} is the original stub again.")
    if saved:
        console.print(
            f"Your version is saved in {saved}; `minigpt history {task.number} --restore 1` "
            "restores it.",
            markup=False,
            soft_wrap=True,
        )


@app.command("history")
def show_history(
    task: Annotated[Task, task_argument()],
    show: Annotated[
        int | None, typer.Option(metavar="V", help="Show version V; 1 is the newest.")
    ] = None,
    restore: Annotated[int | None, typer.Option(metavar="V", help="Restore version V.")] = None,
) -> None:
    """List the saved versions of the file of task N, with their verdicts.

    With --show it shows one of them, with --restore it restores one.
    """
    console = terminal.console()
    versions = history.versions(task.stub)
    if show is not None:
        print(_choose(versions, show).text())
    elif restore is not None:
        version = _choose(versions, restore)
        previous = history.overwrite(task.stub, version.path.read_bytes())
        console.print(f"{task.stub.name} is as it was at {version.when_text}.")
        if previous:
            console.print(
                f"The previous version is saved in {previous}.", markup=False, soft_wrap=True
            )
    elif not versions:
        console.print(f"Nothing has been saved for task {task.number} yet.")
    else:
        kept = [(version, progress.standing(task, version.path)) for version in versions]
        terminal.print_table(console, terminal.kept_versions(kept))
        console.print(
            f"`minigpt history {task.number} --show 1` shows the newest, `--restore 1` restores "
            "it.",
            markup=False,
        )


def _choose(versions: list[history.Version], number: int) -> history.Version:
    if not 1 <= number <= len(versions):
        available = f"There are versions 1 to {len(versions)}" if versions else "There are none"
        raise UserError(f"There is no version {number}. {available}.")
    return versions[number - 1]
