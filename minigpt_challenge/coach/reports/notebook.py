"""What `%check` shows in a notebook: a page where pages can be shown, plain text elsewhere."""

import io
from typing import Any

from rich.console import Console

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.coach.reports.html import Picture, check_page

WIDTH = 100  # of the plain text, in characters


def show(ipython: Any, task: Task, report: Report) -> None:
    """Show the report, and the learner's attention where the task has some."""
    if "text/html" not in ipython.display_formatter.active_types:  # a terminal
        terminal.console().print(terminal.report(report))
        return
    ipython.display_pub.publish(both(report, pictures(task, report)))


def both(report: Report, pictures: tuple[Picture, ...] = ()) -> dict[str, str]:
    """The report by media type: HTML, and a plain text that says the same."""
    text = io.StringIO()
    plain = Console(file=text, width=WIDTH, highlight=False, force_jupyter=False)
    plain.print(terminal.report(report))
    for picture in pictures:
        plain.print(f"\n[Picture: {picture.alt}]", markup=False)
    lines = (line.rstrip() for line in text.getvalue().rstrip().split("\n"))  # Rich pads them
    return {"text/html": check_page(report, pictures), "text/plain": "\n".join(lines)}


def pictures(task: Task, report: Report) -> tuple[Picture, ...]:
    """The learner's attention: at work if the task is passed, compared if it is wrong."""
    from minigpt_challenge.coach.reports import attention_pictures

    draw = {
        Verdict.PASSED: attention_pictures.attention_at_work,
        Verdict.WRONG: attention_pictures.compared_attention,
    }.get(report.verdict)
    try:
        picture = draw(task, task.stub) if draw else None
    except Exception:  # odd numbers that cannot be drawn: the report says enough
        return ()
    return (picture,) if picture else ()
