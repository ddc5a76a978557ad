"""Turn what a check raised into its result."""

import ast
import linecache
import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.course.curriculum import task_by_stem
from minigpt_challenge.coach.course.stubs import is_stub_error
from minigpt_challenge.coach.course.verdict import Check, Location, Reason, Verdict, join
from minigpt_challenge.coach.grading.error_explanations import explanation_of
from minigpt_challenge.coach.grading.sizes import named_sizes
from minigpt_challenge.coach.runtime.error_text import in_one_line, message_text
from minigpt_challenge.coach.runtime.given_files import damage_behind, is_in
from minigpt_challenge.coach.runtime.limits import TimeLimitReached
from minigpt_challenge.errors import UserError

LIBRARIES = {"flax": "Flax", "optax": "Optax", "jax": "JAX", "jaxlib": "JAX", "numpy": "NumPy"}
MAX_FRAMES = 5  # endless recursion has a thousand
MAX_LINE = 200  # characters of a line that Python cannot parse
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def judge(name: str, error: BaseException | None, answer: Path, printed: str = "") -> Check:
    """Return the result of a check.

    Args:
        name: the check's name.
        error: what the check raised; None if it passed.
        answer: the learner's file.
        printed: what the code printed during the check.
    """
    if error is None:
        return Check(name, Verdict.PASSED, printed=printable(printed))
    if damage := damage_behind(error, answer):
        return Check(
            name,
            Verdict.COULD_NOT_RUN,
            reason=Reason.SUITE_FAILED,
            about=damage,
            seen=damage,
            printed=printable(printed),
        )
    if isinstance(error, Wrong):
        cause = error.__cause__
        raised, trace = (in_one_line(cause), _trace(cause, answer)[0]) if cause else ("", ())
        check = Check(
            name, Verdict.WRONG, **error.parts, raised=raised, trace=trace, printed=printed
        )
        return check.with_texts(printable)
    verdict = Verdict.NOT_STARTED if is_stub_error(error) else Verdict.COULD_NOT_RUN
    return describe(name, verdict, error, answer, printed=printed)


def describe(
    name: str, verdict: Verdict, error: BaseException, *answer: Path, printed: str = ""
) -> Check:
    """Return the result of a check that an error stopped.

    Args:
        name: the check's name.
        verdict: the check's verdict.
        error: what was raised.
        answer: the learner's files, or folders that hold them.
        printed: what the code printed during the check.
    """
    trace, skipped = _trace(error, *answer)
    check = Check(
        name,
        verdict,
        **_parts(error, *answer),
        trace=trace,
        skipped_frames=skipped,
        printed=printed,
    )
    return check.with_texts(printable)


def message_of(error: BaseException, *answer: Path) -> str:
    """Return the error with its explanation, and the learner's own lines of its traceback."""
    return describe("", Verdict.COULD_NOT_RUN, error, *answer).message


def _parts(error: BaseException, *answer: Path) -> dict[str, Any]:
    """The reason and the texts of the result, by the name of the attribute of `Check`."""
    kind = type(error).__name__
    if is_stub_error(error):
        frames = learners_frames(error, *answer)
        line = f" ({_about_the_raise(frames[-1])})" if frames else ""
        return {"reason": Reason.UNWRITTEN, "about": str(error), "seen": f"{error}{line}"}
    if isinstance(error, SyntaxError) and is_in(error.filename, *answer):
        return {"reason": Reason.UNREADABLE, "about": kind, "seen": _syntax_error(error)}
    if isinstance(error, FileNotFoundError) and is_in(error.filename, *answer):
        missing = Path(str(error.filename))
        task = task_by_stem(missing.stem)
        number = f" {task.number}" if task else ""
        return {
            "reason": Reason.UNREADABLE,
            "about": kind,
            "seen": f"{missing.name} is missing.",
            "advice": f"`minigpt reset{number}` brings the stub back, `minigpt history{number}` "
            "lists your saved texts.",
        }
    if isinstance(error, TimeLimitReached):
        return {"reason": Reason.TIME_LIMIT, "about": kind, "seen": str(error)}
    if isinstance(error, UserError):
        return {"reason": Reason.ERROR, "about": str(error), "seen": str(error)}
    seen = about = in_one_line(error)
    frames, library = learners_frames(error, *answer), _library(error)
    if not frames:
        seen = f"{library or 'Python'} raised this when the check used your code:\n{seen}"
    elif library:
        seen = f"{library} raised this in your code, line {frames[-1].lineno}:\n{seen}"
    advice = explanation_of(error, *learners_statement(error, *answer))
    sizes = named_sizes(message_text(error), learners_variables(error, *answer))
    return {
        "reason": Reason.ERROR,
        "about": about,
        "seen": seen,
        "advice": join(advice, sizes),
        "raised": about,
    }


def _library(error: BaseException) -> str:
    """The name of the library that raised the error; empty for any other code."""
    frames = traceback.extract_tb(error.__traceback__)
    parts = Path(frames[-1].filename).parts if frames else ()
    return next((name for folder, name in LIBRARIES.items() if folder in parts), "")


def _about_the_raise(frame: traceback.FrameSummary) -> str:
    """Where the stub's `raise` is, and whether it hides code that follows it."""
    where = f"The `raise` is in line {frame.lineno}"
    try:
        tree = ast.parse(Path(frame.filename).read_bytes())
    except (OSError, SyntaxError, ValueError):  # it was edited meanwhile
        return f"{where}."
    blocks = [node.body for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    hides_code = any(
        isinstance(statement, ast.Raise) and statement.lineno == frame.lineno
        for block in blocks
        for statement in block[:-1]
    )
    return f"{where}: delete it, the code below it is never reached." if hides_code else f"{where}."


def _syntax_error(error: SyntaxError) -> str:
    message, lines = error.msg, (error.text or "").rstrip().split("\n")
    line = lines[-1][:MAX_LINE]  # the text of a long string literal is all of its lines
    line_number = f":{error.lineno}" if error.lineno else ""
    if line:
        pointer = " " * (min(max(error.offset or 1, 1), MAX_LINE) - 1) + "^"
        message += f"\n    {line}\n    {pointer}"
    return f"Python cannot read {Path(str(error.filename)).name}{line_number}: {message}"


def _trace(error: BaseException, *answer: Path) -> tuple[tuple[Location, ...], int]:
    """The learner's lines, the first and the last few; and how many are left out between them."""
    if isinstance(error, SyntaxError) and is_in(error.filename, *answer):
        return (Location(Path(str(error.filename)).name, error.lineno or 1, "<module>"),), 0
    if isinstance(error, UserError):
        return (), 0
    trace = [
        Location(
            Path(frame.filename).name, frame.lineno or 0, frame.name, printable(frame.line or "")
        )
        for frame in learners_frames(error, *answer)
    ]
    if len(trace) <= MAX_FRAMES:
        return tuple(trace), 0
    return (trace[0], *trace[1 - MAX_FRAMES :]), len(trace) - MAX_FRAMES


def learners_frames(error: BaseException, *answer: Path) -> list[traceback.FrameSummary]:
    """Return the traceback's frames that are in the learner's files or folders."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if is_in(frame.filename, *answer)]


def learners_variables(error: BaseException, *answer: Path) -> list[Mapping[str, Any]]:
    """Return the local variables of the learner's functions that were running, innermost last."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return [frame.f_locals for frame in frames if is_in(frame.f_code.co_filename, *answer)]


def learners_statement(error: BaseException, *answer: Path) -> tuple[str, Mapping[str, Any]]:
    """Return the innermost of the learner's statements that were running, and its variables.

    Both are empty if none was.
    """
    trace = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for at, frame in reversed([*zip(trace, frames, strict=True)]):
        if is_in(at.filename, *answer):
            first, last = at.lineno or 1, at.end_lineno or at.lineno or 1
            lines = [linecache.getline(at.filename, line) for line in range(first, last + 1)]
            return "".join(lines).strip(), frame.f_locals
    return "", {}


def printable(text: str) -> str:
    """Replace the characters that move the cursor or cannot be encoded by U+FFFD."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
