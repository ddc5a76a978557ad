"""From what a check raised to a verdict in words."""

import re
import traceback
from pathlib import Path

from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.course.verdict import Check, Verdict
from minigpt_challenge.coach.grading.error_explanations import meaning_of
from minigpt_challenge.coach.runtime.error_text import in_one_line, said_by
from minigpt_challenge.errors import UserError

MOST_FRAMES = 5  # an endless recursion has a thousand
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LONGEST_LINE = 200  # characters of a line that Python cannot read


class MissingName(UserError):
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


def printable(text: str) -> str:
    """The text with a mark in place of each character that moves a cursor or cannot be written."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def is_unwritten(error: BaseException) -> bool:
    """Whether the error is a stub's own. (JAX and others raise NotImplementedError as well.)"""
    return isinstance(error, NotImplementedError) and said_by(error).startswith("Task ")


def describe(error: BaseException, *answer: Path) -> str:
    """The error in words, and those lines of the traceback that are the learner's own.

    Args:
        error: what was raised.
        answer: the learner's files, or folders of them.
    """
    if isinstance(error, SyntaxError) and _is_in(error.filename, *answer):
        said, lines = error.msg, (error.text or "").rstrip().split("\n")
        line = lines[-1][:LONGEST_LINE]  # a string in many lines brings them all along
        where = f", line {error.lineno}" if error.lineno else ""
        if line:
            pointer = " " * (min(max(error.offset or 1, 1), LONGEST_LINE) - 1) + "^"
            said += f"\n    {line}\n    {pointer}"
        return printable(f"Python cannot read {Path(error.filename).name}{where}: {said}")
    if isinstance(error, UserError):
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
    return printable("\n".join(line for line in lines if line))


def learners_frames(error: BaseException, *answer: Path) -> list[traceback.FrameSummary]:
    """The frames of the error's traceback that lie in the learner's files or folders."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if _is_in(frame.filename, *answer)]


def _is_in(file_name: str | None, *answer: Path) -> bool:
    return file_name is not None and any(Path(file_name).is_relative_to(one) for one in answer)
