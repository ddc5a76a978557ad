"""The files that learners need not touch: find one that was damaged."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb

from minigpt_challenge.coach.course.curriculum import ROOT, SOLUTIONS_FOLDER

GIVEN_FOLDER = ROOT / "minigpt_challenge" / "given"
SUITES_FOLDER = ROOT / "tests"
FOLDERS = (SOLUTIONS_FOLDER, GIVEN_FOLDER, SUITES_FOLDER)


def damage_behind(error: BaseException) -> str:
    """If the error comes from a damaged file of the challenge, a message that says so; else empty.

    A file that the error passed through is no proof: the error may be the fault of whoever called
    it. So the file must be missing, be unreadable, or differ from the repository's.
    """
    damaged = ((path.relative_to(ROOT).as_posix(), _damage(path)) for path in _sources(error))
    return next((_message(name, damage) for name, damage in damaged if damage), "")


def changed_files() -> str:
    """Which of the challenge's files differ from the repository's, in a message; else empty."""
    names = _git("diff", "--name-only", "HEAD", "--", *map(str, FOLDERS)).split()
    return "\n".join(_message(name, "was changed or removed") for name in names)


def _message(name: str, damage: str) -> str:
    return (
        f"{name} {damage}. It belongs to the challenge, and your own file is not to blame. "
        f"`git checkout {name}` brings it back."
    )


def _sources(error: BaseException | None) -> Iterator[Path]:
    """The files of the challenge in which this error, or one that led to it, was raised."""
    while error is not None:
        names = [getattr(error, "filename", None)]
        names += [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
        own = [Path(str(name)) for name in names if name and Path(str(name)).is_relative_to(ROOT)]
        for path in {*own[:1], *own[-1:]}:
            if any(path.is_relative_to(folder) for folder in FOLDERS):
                yield path
        error = error.__cause__ or error.__context__


def _damage(path: Path) -> str:
    if not path.is_file():
        return "is missing"
    text = path.read_bytes()
    if not text.strip():
        return "is empty"
    try:
        compile(text, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return f"was damaged: Python cannot read it ({error})"
    if path.is_relative_to(SUITES_FOLDER):  # each error passes through its suite
        return ""
    is_changed = _git("diff", "--name-only", "HEAD", "--", str(path))
    return "was changed, and raised an error" if is_changed else ""


def _git(*arguments: str) -> str:
    """What git prints; empty if there is no git, or no repository."""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, encoding="utf-8")
    except (OSError, subprocess.SubprocessError):
        return ""
    return "" if done.returncode else done.stdout
