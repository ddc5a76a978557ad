"""HTML pages and fragments from templates: no scripts, no requests, all text escaped."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from textwrap import dedent
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.reports.report_lines import (
    headline,
    readable_name,
    report_lines,
    root_cause,
)

# Each sets its own background, so that light and dark themes show the same. They go into the
# elements' own `style`, which some viewers keep when they remove the page's style sheet.
PILLS = {
    Verdict.PASSED: "background: #15803d; color: #ffffff",
    Verdict.WRONG: "background: #b91c1c; color: #ffffff",
    Verdict.NOT_STARTED: "background: #6b7280; color: #ffffff",
    Verdict.COULD_NOT_RUN: "background: #facc15; color: #1f1f1f",
    None: "background: #facc15; color: #1f1f1f",  # changed, not checked yet
}


@dataclass(frozen=True)
class Picture:
    """A picture that is embedded in the page.

    Attributes:
        png: the file's bytes.
        alt: what it shows, for readers who cannot see it.
        caption: what to look for in it, for readers who can.
        width: its width where there is room, in CSS pixels.
    """

    png: bytes
    alt: str
    caption: str
    width: float

    @property
    def source(self) -> str:
        return f"data:image/png;base64,{b64encode(self.png).decode('ascii')}"


def check_fragment(
    report: Report, pictures: Sequence[Picture] = (), first_only: bool = False
) -> str:
    """HTML for a notebook: a line for each check, and under a failure its message.

    All messages are folded except the one to read first. With `first_only` there is nothing but
    this one; a report without failures is then a single line.
    """
    lines = report_lines(report)
    first = root_cause(lines)
    return render(
        "check.html",
        report=report,
        headline=headline(report),
        lines=[line for line in (first,) if line] if first_only else lines,
        open_line=first,
        first_only=first_only,
        pictures=pictures,
    )


def figure_fragment(picture: Picture) -> str:
    """HTML for a notebook: the picture and its caption."""
    return render("figure.html", picture=picture)


def render(template: str, **values: Any) -> str:
    """Fill in the template.

    Raises:
        jinja2.UndefinedError: the template uses a name that has no value.
    """
    return _ENVIRONMENT.get_template(template).render(pills=PILLS, **values)


def _prose(message: str) -> list[tuple[bool, str]]:
    """Split the message into pieces: whether each is code (indented lines), and its text."""
    lines = message.strip("\n").split("\n")
    pieces = groupby(lines, key=lambda line: line.startswith("    "))
    return [(is_code, dedent("\n".join(group))) for is_code, group in pieces]


def _inline_code(text: str) -> Markup:
    """Escape the text, and mark `names in backticks` as code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {
    "prose": _prose,
    "inline_code": _inline_code,
    "readable_name": readable_name,
}
