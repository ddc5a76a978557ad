"""From what a check raised to a verdict in words."""

import traceback
from pathlib import Path

from minigpt_challenge.coach.devices import TooFewDevices
from minigpt_challenge.coach.error_words import in_one_line, meaning_of
from minigpt_challenge.coach.expect import Wrong
from minigpt_challenge.coach.tampering import Tampered
from minigpt_challenge.coach.verdict import Check, Verdict

MOST_FRAMES = 5  # an endless recursion has a thousand


class MissingName(Exception):
    """The learner's file does not define something that the task asks for."""


def judge(name: str, error: BaseException | None, answer: Path) -> Check:
    """The outcome of the check called `name`.

    Args:
        name: what the check is called.
        error: what it raised, None if nothing.
        answer: the learner's file.
    """
    if error is None:
        return Check(name, Verdict.PASSED)
    if isinstance(error, Wrong):
        return Check(name, Verdict.WRONG, str(error), error.diagnosis)
    if is_unwritten(error):
        frames = learners_frames(error, answer)
        where = f" (The `raise` is in line {frames[-1].lineno}.)" if frames else ""
        return Check(name, Verdict.NOT_STARTED, f"{error}{where}")
    return Check(name, Verdict.COULD_NOT_RUN, describe(error, answer))


def is_unwritten(error: BaseException) -> bool:
    """Whether the error is a stub's own. (JAX and others raise NotImplementedError as well.)"""
    return isinstance(error, NotImplementedError) and str(error).startswith("Task ")


def describe(error: BaseException, *answer: Path) -> str:
    """The error in words, and those lines of the traceback that are the learner's own.

    Args:
        error: what was raised.
        answer: the learner's files, or folders of them.
    """
    if isinstance(error, SyntaxError) and _is_in(error.filename, *answer):
        line = (error.text or "").rstrip()
        pointer = " " * (max(error.offset or 1, 1) - 1) + "^"
        return (
            f"Python cannot read {Path(error.filename).name}, line {error.lineno}: {error.msg}\n"
            f"    {line}\n    {pointer}"
        )
    if isinstance(error, MissingName | Tampered | TooFewDevices):
        return str(error)
    if isinstance(error, FileNotFoundError) and _is_in(error.filename, *answer):
        return f"{Path(error.filename).name} is missing. `git checkout` brings the stub back."
    lines = [in_one_line(error), meaning_of(error)]
    frames = [
        f"    {Path(frame.filename).name}, line {frame.lineno}, in {frame.name}: {frame.line}"
        for frame in learners_frames(error, *answer)
    ]
    if len(frames) > MOST_FRAMES:
        frames[1 : 1 - MOST_FRAMES] = [f"    … {len(frames) - MOST_FRAMES} more …"]
    if not frames:
        lines.insert(0, "This check could not use what your code gave it:")
    lines += frames
    return "\n".join(line for line in lines if line)


def learners_frames(error: BaseException, *answer: Path) -> list[traceback.FrameSummary]:
    """The frames of the error's traceback that lie in the learner's files or folders."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if _is_in(frame.filename, *answer)]


def _is_in(file_name: str | None, *answer: Path) -> bool:
    return file_name is not None and any(Path(file_name).is_relative_to(one) for one in answer)
