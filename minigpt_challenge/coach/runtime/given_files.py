"""The files that learners need not touch: find one that was damaged."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb

from minigpt_challenge.coach.course.curriculum import ROOT, SOLUTIONS_FOLDER
from minigpt_challenge.coach.course.errors import damaged

GIVEN_FOLDER = ROOT / "minigpt_challenge" / "given"
SUITES_FOLDER = ROOT / "tests"
FOLDERS = (SOLUTIONS_FOLDER, GIVEN_FOLDER, SUITES_FOLDER)


def damage_behind(error: BaseException, *answer: Path) -> str:
    """If the error comes from a damaged file of the challenge, a message that says so; else empty.

    A file that the error passed through is no proof: the error may be the fault of whoever called
    it. So the file must be missing, be unreadable, or be the one that raised the error and differ
    from the repository's.

    Args:
        error: what was raised.
        answer: the learner's files, or folders that hold them.
    """
    for path in _sources(error, *answer):
        if damage := _damage(path):
            return damaged(path.relative_to(ROOT).as_posix(), damage)
    return ""


def changed_files() -> str:
    """Which of the challenge's files differ from the repository's, in a message; else empty."""
    names = _git("diff", "--name-only", "--relative", "-z", "HEAD", "--", *map(str, FOLDERS))
    return "\n".join(
        f"{name} differs from the repository's. `git diff {name}` shows how, `git checkout {name}` "
        "undoes it."
        for name in names.split("\0")
        if name
    )


def _sources(error: BaseException | None, *answer: Path) -> Iterator[Path]:
    """The files of the challenge in which this error, or one that led to it, was raised."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # an error may be its own cause
        seen.add(id(error))
        names = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
        frames = [name for name in names if is_in(name, ROOT, *answer)]
        raised_in = [] if not frames or is_in(frames[-1], *answer) else frames[-1:]
        for name in (getattr(error, "filename", None), *raised_in):
            if is_in(name, *FOLDERS):
                yield Path(str(name))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def is_in(name: object, *paths: Path) -> bool:
    """Whether the file is one of these, or in one of these folders.

    Args:
        name: a path, or what an error has as its `filename`: bytes, a number or None, too.
        paths: files and folders.
    """
    return any(Path(str(name)).is_relative_to(path) for path in paths)


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
    if is_in(path, SUITES_FOLDER):  # each error passes through its suite
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
