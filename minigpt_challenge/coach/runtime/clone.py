"""Which clone of the challenge is meant: the one that the current folder lies in."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import ROOT

STUBS = Path("minigpt_challenge", "tasks")


def search_path(root: Path = ROOT) -> str:
    """The value of PYTHONPATH with which a new process imports the package from this clone."""
    return os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))


def clone_around(folder: Path) -> Path | None:
    """The clone of the challenge that the folder lies in; None if it lies in none."""
    for root in (folder, *folder.parents):
        if (root / STUBS).is_dir() and (root / "solutions").is_dir():
            return root
    return None


def run_in_the_clone_here(module: str, arguments: Sequence[str]) -> None:
    """If the current folder lies in another clone than this package, run the module of that clone.

    `pip install -e` in one clone makes it the one that `minigpt` finds everywhere. In another
    clone, it would check the files of the first.
    """
    here = clone_around(Path.cwd().resolve())
    if here is None or here == ROOT:
        return
    environment = os.environ | {"PYTHONPATH": search_path(here)}
    command = [sys.executable, "-m", module, *arguments]
    raise SystemExit(subprocess.run(command, env=environment).returncode)
