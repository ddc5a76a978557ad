"""Hints: for the check that failed last, and three stages for everybody.

They stand in `hint_texts/`, a file a task, a `## ` heading for each hint. A heading that names
checks in backticks belongs to these; the others are the stages, in order.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from minigpt_challenge.coach import help_used, progress
from minigpt_challenge.coach.curriculum import Task

TEXTS = Path(__file__).with_name("hint_texts")


@dataclass(frozen=True)
class Hint:
    """A hint. `checks` names those that it belongs to; a stage belongs to none."""

    title: str
    text: str
    checks: frozenset[str] = frozenset()


def hints(task: Task) -> tuple[Hint, ...]:
    """All hints to a task, in the order of the file."""
    text = (TEXTS / f"{task.stem}.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return tuple(
        Hint(title, body.strip(), frozenset(re.findall(r"`(\w+)`", title)))
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    )


def next_hint(all_hints: tuple[Hint, ...], failed: list[str], seen: list[str]) -> Hint | None:
    """The next one to show: for the failed checks in their order, then the stages.

    Args:
        all_hints: what there is.
        failed: the names of the checks that failed last, without parameters in brackets.
        seen: the titles of those shown already.

    Returns:
        a hint; None after the last.
    """
    unseen = [hint for hint in all_hints if hint.title not in seen]
    bound = (hint for name in failed for hint in unseen if name in hint.checks)
    stages = (hint for hint in unseen if not hint.checks)
    return next(bound, None) or next(stages, None)


def show(console: Console, task: Task) -> None:
    """Print the next hint, and note that it was shown."""
    failed = [name.split("[")[0] for name in progress.failed_checks(task)]
    hint = next_hint(hints(task), failed, help_used.titles_of_hints(task))
    if hint is None:
        console.print(
            f"That was the last hint to task {task.number}. `--again` shows them all once more; "
            f"the reference is shown by `solution {task.number}`.",
            markup=False,
        )
        return
    help_used.note_hint(task, hint.title)
    _print(console, hint)


def show_again(console: Console, task: Task) -> None:
    """Print all hints that were shown before."""
    seen = help_used.titles_of_hints(task)
    if not seen:
        console.print(f"There was no hint to task {task.number} yet.")
    for hint in hints(task):
        if hint.title in seen:
            _print(console, hint)


def _print(console: Console, hint: Hint) -> None:
    title = hint.title.replace("_", " ").replace("`", "")
    console.print(f"\n[bold]{title}[/bold]")
    console.print(Markdown(hint.text), width=min(console.width, 90))
