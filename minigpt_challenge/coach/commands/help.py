"""Hints, for the check that failed last and in three general stages; and the reference.

`course/hint_texts/` has a file for each task, with a `## ` heading for each hint. A heading that
names checks or diagnosed faults in backticks is a hint for these; the others are the stages, in
order.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.stubs import BEGIN, END
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records import help_used, progress
from minigpt_challenge.coach.runtime.loading import compile_source

TEXTS = Path(__file__).parents[1] / "course" / "hint_texts"


@dataclass(frozen=True)
class Hint:
    """A hint. `bound_to` names the checks and faults that it is for; empty for a stage."""

    title: str
    text: str
    bound_to: frozenset[str] = frozenset()


def hints(task: Task) -> tuple[Hint, ...]:
    """All hints for a task, in the order of the file."""
    text = (TEXTS / f"{task.stem}.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return tuple(
        Hint(title, body.strip(), frozenset(re.findall(r"`(\w+)`", title)))
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    )


def next_hint(all_hints: tuple[Hint, ...], failed: list[str], seen: list[str]) -> Hint | None:
    """The next hint: the one for the failure, then the stages, then the one for the failure again.

    Args:
        all_hints: all hints for the task.
        failed: the diagnosed faults of the last check, and the name of the check that failed.
        seen: the titles of the hints shown already.

    Returns:
        a hint; None after the last.
    """
    bound = [hint for name in failed for hint in all_hints if name in hint.bound_to][:1]
    stages = [hint for hint in all_hints if not hint.bound_to]
    unseen = (hint for hint in (*bound, *stages) if hint.title not in seen)
    return next(unseen, None) or next(iter(bound), None)


def show(console: Console, task: Task) -> None:
    """Print the next hint, and record that it was shown."""
    if error := _syntax_error(task):
        console.print(f"Python cannot read your file: {error}. Fix that first.", markup=False)
        return
    if progress.standing(task).verdict is Verdict.PASSED:
        console.print(f"Task {task.number} has passed: it needs no hint.")
        return
    hint = next_hint(hints(task), progress.failed(task), help_used.titles_of_hints(task))
    if hint is None:
        console.print(
            f"That was the last hint for task {task.number}. --again shows all of them again; the "
            f"next step is the reference: minigpt solution {task.number}, in a notebook %solution "
            f"{task.number}.",
            markup=False,
        )
        return
    seen = hint.title in help_used.titles_of_hints(task)
    help_used.note_hint(task, hint.title)
    _print_hint(console, hint)
    if seen:
        console.print(
            "(You have seen all hints for what fails now. --again shows all of them; the next step "
            f"is the reference: minigpt solution {task.number}, in a notebook %solution "
            f"{task.number}.)",
            markup=False,
        )


def show_again(console: Console, task: Task) -> None:
    """Print all earlier hints again."""
    seen = help_used.titles_of_hints(task)
    if not seen:
        console.print(f"No hint for task {task.number} has been shown yet.")
    for hint in hints(task):
        if hint.title in seen:
            _print_hint(console, hint)


def _syntax_error(task: Task) -> str:
    """Why Python cannot read the learner's file; empty if it can."""
    try:
        compile_source(task.stub.read_bytes(), task.stub.name)
    except SyntaxError as error:
        return str(error)
    except FileNotFoundError:
        return f"{task.stub.name} is missing"
    return ""


def _print_hint(console: Console, hint: Hint) -> None:
    title = hint.title
    if hint.title.startswith("If the diagnosis"):  # learners do not know the ids of faults
        title = "For what the check has found"
    quoted = re.sub(r"`(\w+)`", lambda name: f"“{name[1].replace('_', ' ')}”", title)
    console.print(f"\n[bold]{quoted}[/bold]")
    console.print(Markdown(hint.text), width=min(console.width, 90))


def show_solution(console: Console, task: Task) -> None:
    """Print the reference."""
    _print_code(console, _reference(task), "python")


def show_difference(console: Console, task: Task) -> None:
    """Print the diff from the learner's file to the reference."""
    # What a notebook's cell wrote begins with an empty line, see `magics_cells.MAGIC_LINE`.
    mine = task.stub.read_text(encoding="utf-8", errors="replace").lstrip("\n").splitlines()
    theirs = _reference(task).splitlines()
    lines = list(difflib.unified_diff(mine, theirs, "yours", "the reference", lineterm=""))
    if not lines:
        console.print("Your file and the reference are the same.")
        return
    _print_code(console, "\n".join(lines), "diff")


def _reference(task: Task) -> str:
    """The text of the solution, without the markers of the solution regions."""
    lines = task.solution.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.strip() not in (BEGIN, END))


def _print_code(console: Console, text: str, language: str) -> None:
    """Print highlighted code. No line is cut or padded, and the background stays as it is."""
    highlighted = Syntax("", language, theme="ansi_light").highlight(text)
    highlighted.rstrip()
    console.print(highlighted, soft_wrap=True)
