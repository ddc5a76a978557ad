"""What `%check` and `%%task` show: HTML in a notebook, plain text in a terminal."""

import io
from typing import Any

from rich.console import Console

from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.coach.reports.html import Picture, check_fragment
from minigpt_challenge.coach.reports.terminal import Detail

WIDTH = 100  # of the plain text, in characters


def show(
    ipython: Any,
    report: Report,
    detail: Detail = Detail.ALL,
    pictures: tuple[Picture, ...] = (),
) -> None:
    """Show the report: as text in a terminal, else as HTML.

    Args:
        ipython: the IPython shell.
        report: the report.
        detail: all checks, or with `Detail.FIRST` only the failure to read first.
        pictures: to show below it, see `pictures`.
    """
    if "text/html" not in ipython.display_formatter.active_types:  # a terminal
        terminal.console().print(terminal.report(report, detail), crop=False)
        return
    ipython.display_pub.publish(mime_bundle(report, detail, pictures))


def mime_bundle(
    report: Report, detail: Detail = Detail.ALL, pictures: tuple[Picture, ...] = ()
) -> dict[str, str]:
    """The report as HTML and as plain text, by MIME type."""
    text = io.StringIO()
    plain = Console(file=text, width=WIDTH, highlight=False, force_jupyter=False)
    plain.print(terminal.report(report, detail), crop=False)
    for picture in pictures:
        plain.print(f"\n[Picture: {picture.alt}]", markup=False)
    lines = (line.rstrip() for line in text.getvalue().rstrip().split("\n"))  # Rich pads lines
    page = check_fragment(report, pictures, first_only=detail is Detail.FIRST)
    return {"text/html": page, "text/plain": "\n".join(lines)}


def pictures(report: Report) -> tuple[Picture, ...]:
    """The learner's attention: on a text if the task is passed, compared if it is wrong."""
    # Imported here, so that `%load_ext` does not wait for Matplotlib.
    from minigpt_challenge.coach.reports import attention_on_text, attention_pictures

    draw = {
        Verdict.PASSED: attention_on_text.attention_at_work,
        Verdict.WRONG: attention_pictures.compared_attention,
    }.get(report.verdict)
    try:
        picture = draw(report.task, report.task.stub) if draw else None
    except Exception:  # values that cannot be drawn: the report does without a picture
        return ()
    return (picture,) if picture else ()
