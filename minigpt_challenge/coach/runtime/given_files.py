"""The files that learners need not touch: find one that was damaged."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb

from minigpt_challenge.coach.course.curriculum import ROOT, SOLUTIONS_FOLDER

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
    damaged = ((path, _damage(path)) for path in _sources(error, *answer))
    return next((_message(path, damage) for path, damage in damaged if damage), "")


def changed_files() -> str:
    """Which of the challenge's files differ from the repository's, in a message; else empty."""
    names = _git("diff", "--name-only", "--relative", "-z", "HEAD", "--", *map(str, FOLDERS))
    return "\n".join(
        f"{name} differs from the repository's. `git diff {name}` shows how, `git checkout {name}` "
        "undoes it."
        for name in names.split("\0")
        if name
    )


def _message(path: Path, damage: str) -> str:
    name = path.relative_to(ROOT).as_posix()
    return (
        f"{name} {damage}. It belongs to the challenge, and your own file is not to blame. "
        f"`git checkout {name}` brings it back as it was."
    )


def _sources(error: BaseException | None, *answer: Path) -> Iterator[Path]:
    """The files of the challenge in which this error, or one that led to it, was raised."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # an error may be its own cause
        seen.add(id(error))
        names = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
        frames = [Path(name) for name in names if _is_in(Path(name), ROOT, *answer)]
        raised_in = [] if not frames or _is_in(frames[-1], *answer) else frames[-1:]
        for path in (Path(str(getattr(error, "filename", ""))), *raised_in):
            if _is_in(path, *FOLDERS):
                yield path
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_in(path: Path, *folders: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


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
    if _is_in(path, SUITES_FOLDER):  # each error passes through its suite
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
