"""The command line: `minigpt`.

Imports stay light, so that `minigpt` alone starts at once: only commands that need JAX import it.
"""

import io
import sys
from typing import Annotated

import typer

from minigpt_challenge.coach.commands import author as build_tools
from minigpt_challenge.coach.commands import (
    cli_check,
    cli_folder,
    cli_help,
    cli_runs,
    cli_train,
)
from minigpt_challenge.coach.commands.cli_common import exit_on_user_error
from minigpt_challenge.coach.course import challenge_files
from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER
from minigpt_challenge.coach.records import progress
from minigpt_challenge.coach.reports import ascii_signs, road, terminal
from minigpt_challenge.coach.runtime import environment
from minigpt_challenge.coach.runtime.clone import run_in_the_clone_here
from minigpt_challenge.errors import UserError

app = typer.Typer(
    help="Build a mini GPT in JAX, one stub at a time.",
    add_completion=False,
    rich_markup_mode=None,  # in a box, long options are cut off where the terminal is narrow
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run `minigpt` with the arguments of this process, and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ascii_signs.HANDLER)
    if sys.argv[1:2] not in ([command] for command in cli_folder.COMMANDS):
        run_in_the_clone_here(sys.argv[1:])
    with exit_on_user_error():
        app(prog_name="minigpt")


def _show_version(asked: bool) -> None:
    if asked:
        print(f"minigpt-challenge {challenge_files.version()}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def show_road(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Show the tasks, the status of each, and what to do next."""
    if context.invoked_subcommand in cli_folder.COMMANDS:
        return
    challenge_files.require_folder()
    if not SOLUTIONS_FOLDER.is_dir():
        raise UserError(
            f"There is no {SOLUTIONS_FOLDER}. The challenge runs in a clone of its repository: "
            "run `pip install -e .` there."
        )
    if context.invoked_subcommand:
        return
    standings, reached = progress.overview()
    console = terminal.console()
    console.print("\n[bold]miniGPT Challenge[/bold]\n")
    terminal.print_table(console, road.road(standings, reached))
    console.print(f"\n{road.what_next(standings, reached)}\n")


@app.command()
def start() -> None:
    """Check the installation and train a bigram.

    It is trained on Shakespeare, and prints what it writes.
    """
    if environment.has_settings():
        environment.require()
    # Imported here, so that `minigpt` starts without JAX.
    from minigpt_challenge.coach.training import warm_up

    console = terminal.console()
    warm_up.run(console)
    console.print(f"\n{road.what_next(*progress.overview())}\n")


@app.command(hidden=True)
def author(
    check: Annotated[
        bool, typer.Option("--check", help="List what is out of date; write nothing.")
    ] = False,
) -> None:
    """For authors: build the stubs, the notebooks and the README's table."""
    console = terminal.console()
    if check:
        outdated = build_tools.outdated()
        for path in outdated:
            console.print(f"out of date: {path}", markup=False, soft_wrap=True)
        raise typer.Exit(1 if outdated else 0)
    for path, saved in build_tools.build():
        where = f" (the previous text is saved in {saved})" if saved else ""
        console.print(f"written: {path}{where}", markup=False, soft_wrap=True)


for commands in (cli_check.app, cli_train.app, cli_runs.app, cli_help.app, cli_folder.app):
    app.add_typer(commands)
