"""Hints: for the check that failed last, and three stages for everybody.

They stand in `course/hint_texts/`, a file a task, a `## ` heading for each hint. A heading that
names checks or faults of the diagnosis in backticks belongs to these, the more telling standing
first; the others are the stages, in order.
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
    """A hint. `bound_to` names the checks and faults it belongs to; a stage belongs to none."""

    title: str
    text: str
    bound_to: frozenset[str] = frozenset()


def hints(task: Task) -> tuple[Hint, ...]:
    """All hints to a task, in the order of the file."""
    text = (TEXTS / f"{task.stem}.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return tuple(
        Hint(title, body.strip(), frozenset(re.findall(r"`(\w+)`", title)))
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    )


def next_hint(all_hints: tuple[Hint, ...], failed: list[str], seen: list[str]) -> Hint | None:
    """The next one to show: for what failed, then the stages, then for what failed once more.

    Args:
        all_hints: what there is.
        failed: the faults that were found last, or the check that failed.
        seen: the titles of those shown already.

    Returns:
        a hint; None after the last.
    """
    bound = [hint for name in failed for hint in all_hints if name in hint.bound_to][:1]
    stages = [hint for hint in all_hints if not hint.bound_to]
    unseen = (hint for hint in (*bound, *stages) if hint.title not in seen)
    return next(unseen, None) or next(iter(bound), None)


def show(console: Console, task: Task) -> None:
    """Print the next hint, and note that it was shown."""
    slip = _slip_of_the_pen(task)
    if slip:
        console.print(f"Python cannot read your file: {slip}. Mend that first.", markup=False)
        return
    if progress.standing(task).verdict is Verdict.PASSED:
        console.print(f"Task {task.number} is passed: there is nothing to hint at.")
        return
    hint = next_hint(hints(task), progress.failed(task), help_used.titles_of_hints(task))
    if hint is None:
        console.print(
            f"That was the last hint to task {task.number}. With --again all are shown once more; "
            f"the next step is the reference, with minigpt solution {task.number}, in a notebook "
            f"%solution {task.number}.",
            markup=False,
        )
        return
    help_used.note_hint(task, hint.title)
    _print_hint(console, hint)


def show_again(console: Console, task: Task) -> None:
    """Print all hints that were shown before."""
    seen = help_used.titles_of_hints(task)
    if not seen:
        console.print(f"There was no hint to task {task.number} yet.")
    for hint in hints(task):
        if hint.title in seen:
            _print_hint(console, hint)


def _slip_of_the_pen(task: Task) -> str:
    """What Python finds by itself, and no hint need be spent on; empty where it finds nothing."""
    try:
        compile_source(task.stub.read_bytes(), task.stub.name)
    except SyntaxError as error:
        return str(error)
    except FileNotFoundError:
        return f"{task.stub.name} is missing"
    return ""


def _print_hint(console: Console, hint: Hint) -> None:
    title = hint.title
    if hint.title.startswith("If the diagnosis"):  # its ids are not for reading
        title = "For what the check has found"
    quoted = re.sub(r"`(\w+)`", lambda name: f"“{name[1].replace('_', ' ')}”", title)
    console.print(f"\n[bold]{quoted}[/bold]")
    console.print(Markdown(hint.text), width=min(console.width, 90))


def show_solution(console: Console, task: Task) -> None:
    """Print the reference."""
    help_used.note_peek(task)
    _print_code(console, _reference(task), "python")


def show_difference(console: Console, task: Task) -> None:
    """Print how the learner's file would have to change to become the reference."""
    mine = task.stub.read_text(encoding="utf-8", errors="replace").splitlines()
    theirs = _reference(task).splitlines()
    lines = list(difflib.unified_diff(mine, theirs, "yours", "the reference", lineterm=""))
    if not lines:
        console.print("Your file and the reference are the same.")
        return
    help_used.note_peek(task)
    _print_code(console, "\n".join(lines), "diff")


def _reference(task: Task) -> str:
    """The solution without the marks that stubs are cut by."""
    lines = task.solution.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.strip() not in (BEGIN, END))


def _print_code(console: Console, text: str, language: str) -> None:
    """Print code in colours: no line is cut or padded, and there is no background of its own."""
    highlighted = Syntax("", language, theme="ansi_light").highlight(text)
    highlighted.rstrip()
    console.print(highlighted, soft_wrap=True)
