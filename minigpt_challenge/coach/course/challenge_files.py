"""What a new challenge folder holds, and where this package has it: in a clone, or in a wheel.

A challenge folder is a clone without git, and without what only authors need.
"""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigpt_challenge.coach.course.curriculum import ROOT, TASKS
from minigpt_challenge.coach.course.stubs import remove_solutions
from minigpt_challenge.errors import UserError

PACKAGE = ROOT / "minigpt_challenge"
BUNDLED = PACKAGE / "challenge_files"  # only in a wheel, where hatch_build.py puts it
PACKAGE_SUFFIXES = (".html", ".md", ".py")

NO_FOLDER = (
    "This is no folder of the challenge. Go to yours with `cd`, or write a new one with "
    "`minigpt init FOLDER`."
)
NOT_THE_NOTEBOOKS_FOLDER = (
    "This notebook's Python has a minigpt_challenge that is not your folder's. Run "
    f"`{sys.executable} -m pip install -e .` in your folder of the challenge, and restart the "
    "kernel."
)


@dataclass(frozen=True)
class Release:
    """A version of the challenge: `files` maps each path in its folder (`a/b`) to its content."""

    version: str
    files: Mapping[str, bytes]


def is_installed_alone() -> bool:
    """Whether this package comes from a wheel, and so has no tests and solutions beside it."""
    return BUNDLED.is_dir()


def require_folder(message: str = NO_FOLDER) -> None:
    """Raise UserError, with this message, if the package is installed alone."""
    if is_installed_alone():
        raise UserError(message)


def version() -> str:
    """The version of this package, even where another one is installed."""
    return _pyproject()["project"]["version"]


def installed_release() -> Release:
    """The challenge as it comes with this package, with the stubs as they are given.

    Raises:
        BadSource: a solution has no solution regions, or malformed ones.
        OSError: a file cannot be read.
    """
    patterns = _pyproject()["tool"]["minigpt"]["challenge-files"]
    files = {
        path.relative_to(_home()).as_posix(): path.read_bytes()
        for pattern in patterns
        for path in _home().glob(pattern)
    }
    for path in PACKAGE.rglob("*"):
        if path.suffix in PACKAGE_SUFFIXES and not _is_left_out(path):
            files[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    for task in TASKS:
        name = f"solutions/{task.stem}.py"
        stub = remove_solutions(files[name].decode("utf-8"), name, task.number)
        files[f"minigpt_challenge/tasks/{task.stem}.py"] = stub.encode("utf-8")
    return Release(version(), files)


def _home() -> Path:
    """The folder of the files that are not the package's."""
    return BUNDLED if is_installed_alone() else ROOT


def _is_left_out(path: Path) -> bool:
    """Whether it is no file of the package: bundled, hidden, or being written."""
    hidden = any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    return hidden or path.is_relative_to(BUNDLED)


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((_home() / "pyproject.toml").read_text(encoding="utf-8"))
