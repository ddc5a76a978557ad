"""Which clone of the challenge is meant: the one that the current folder lies in."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import ROOT

# What a folder must hold to be a clone that can be run.
PARTS = (
    "minigpt_challenge/__init__.py",
    "minigpt_challenge/__main__.py",
    "minigpt_challenge/tasks",
    "solutions",
)
CHOSEN = "MINIGPT_CLONE"  # set in the process that was started for a clone, so that it starts none


def search_path() -> Mapping[str, str]:
    """The environment in which a new process imports the package from this clone.

    Empty where that happens anyway: PYTHONPATH comes before the standard library, and a scratch
    file of the learner's in ROOT, such as `random.py`, would be imported instead.
    """
    if str(ROOT) in sys.path[1:]:
        return {}
    return {"PYTHONPATH": _first(ROOT)}


def clone_around(folder: Path) -> Path | None:
    """The clone of the challenge that the folder lies in; None if it lies in none."""
    for root in (folder, *folder.parents):
        if all((root / part).exists() for part in PARTS):
            return root
    return None


def run_in_the_clone_here(arguments: Sequence[str]) -> None:
    """If the current folder lies in another clone than this package, run `minigpt` of that clone.

    `pip install -e` in one clone makes it the one that `minigpt` finds everywhere. In another
    clone, it would check the files of the first.
    """
    here = clone_around(Path.cwd().resolve())
    if here is None or here == ROOT or CHOSEN in os.environ:
        return
    environment = os.environ | {"PYTHONPATH": _first(here), CHOSEN: str(here)}
    command = [sys.executable, "-m", "minigpt_challenge", *arguments]
    if os.name == "posix":  # the same process, so that Ctrl-C reaches it alone
        os.execve(sys.executable, command, environment)
    raise SystemExit(subprocess.run(command, env=environment).returncode)


def _first(root: Path) -> str:
    return os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))
