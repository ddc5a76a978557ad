"""Commands for learners without git: `init` and `update`."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from minigpt_challenge.coach.course.curriculum import ROOT
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.coach.runtime.clone import clone_around
from minigpt_challenge.errors import UserError

app = typer.Typer()

# These are run by the package that was called, not by that of the folder: it may be newer.
COMMANDS = ("init", "update")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", show_default=False, hidden=True)],
) -> None:
    """Write the challenge to a new FOLDER."""
    # Imported here, as below, so that `minigpt` starts without what reads and compares versions.
    from minigpt_challenge.coach.commands import folder as challenge_folder
    from minigpt_challenge.coach.course.challenge_files import installed_release

    release = installed_release()
    challenge_folder.init(folder, release)
    go_there = "" if folder.resolve() == Path.cwd() else f"    cd {_quoted(folder)}\n"
    terminal.console().print(
        f"✓ The challenge (version {release.version}) is in {folder.resolve()}. Go on with these "
        "commands, best in a new virtual environment:\n\n"
        f"{go_there}    pip install -e .\n    minigpt start\n",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def update() -> None:
    """Update a folder that `init` wrote.

    It gets the version of this `minigpt`. A file that you have changed stays as it is. In a clone,
    use `git pull`.
    """
    from minigpt_challenge.coach.commands import folder as challenge_folder
    from minigpt_challenge.coach.course.challenge_files import installed_release

    folder = _folder_here()
    if folder == ROOT:
        raise UserError(
            "This `minigpt` is the folder's own, so it has nothing newer to bring. "
            f"`{challenge_folder.NEWEST}` takes the newest version."
        )
    changes = challenge_folder.update(folder, installed_release())
    console = terminal.console()
    if not changes:
        console.print(f"✓ Up to date: version {changes.version}.", highlight=False)
        return
    lines = [
        f"✓ Version {changes.version} (before: {changes.previous}). Files written: "
        f"{len(changes.written)}; removed: {len(changes.removed)}."
    ]
    if changes.kept:
        names = "\n".join(f"    {name}" for name in changes.kept)
        lines.append(
            "\nThese are new in this version, but you have changed them, so they stay as they "
            f"are. The new ones are in {changes.aside}/:\n\n{names}\n"
        )
    if changes.version != changes.previous:
        lines.append("If you ran `pip install -e .` here, run it again.")
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _folder_here() -> Path:
    """The folder that `init` wrote in which the current one lies.

    Raises:
        UserError: it lies in none; the message says what to do.
    """
    from minigpt_challenge.coach.course.challenge_files import NO_FOLDER
    from minigpt_challenge.coach.records.given_hashes import folder_around

    here = Path.cwd().resolve()
    if folder := folder_around(here):
        return folder
    clone = clone_around(here)
    if clone is None:
        raise UserError(NO_FOLDER)
    if (clone / ".git").exists():
        raise UserError(f"{clone} is a clone of the repository: `git pull` updates it.")
    raise UserError(
        f"{clone} was not written by `minigpt init`, so which files are yours is not known. Write "
        "a new folder with `minigpt init FOLDER`, and copy your files from "
        "minigpt_challenge/tasks/ to the same place in it."
    )


def _quoted(path: Path) -> str:
    """The path as a shell takes it."""
    return f'"{path}"' if os.name == "nt" else shlex.quote(str(path))
