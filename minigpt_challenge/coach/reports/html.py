"""HTML pages and fragments, from the templates: no scripts, nothing fetched, all text escaped."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from textwrap import dedent

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.reports.report_lines import headline, report_lines

# Each on a ground of its own, so that light and dark themes show the same. They stand in the
# elements themselves: where a page's style is taken away, as in some viewers, these may stay.
PILLS = {
    Verdict.PASSED: "background: #15803d; color: #ffffff",
    Verdict.WRONG: "background: #b91c1c; color: #ffffff",
    Verdict.NOT_STARTED: "background: #6b7280; color: #ffffff",
    Verdict.COULD_NOT_RUN: "background: #facc15; color: #1f1f1f",
    None: "background: #facc15; color: #1f1f1f",  # changed, not checked yet
}


@dataclass(frozen=True)
class Picture:
    """A picture that travels inside the page.

    Attributes:
        png: the file's bytes.
        alt: what it shows, for those who cannot see it.
        caption: what to look for in it, for those who can.
        width: how wide it is drawn where there is room, in CSS pixels.
    """

    png: bytes
    alt: str
    caption: str
    width: float

    @property
    def source(self) -> str:
        return f"data:image/png;base64,{b64encode(self.png).decode('ascii')}"


def check_page(report: Report, pictures: Sequence[Picture] = ()) -> str:
    """A fragment for a notebook: a line for each check; what failed opens."""
    lines = report_lines(report)
    # The first of those that decided the verdict is the one to read.
    telling = (line for line in lines if line.message and line.check.verdict is report.verdict)
    return render(
        "check.html",
        report=report,
        words=headline(report),
        lines=lines,
        opened=next(telling, None),
        pictures=pictures,
    )


def render(template: str, **values) -> str:
    """The template filled in.

    Raises:
        jinja2.UndefinedError: the template uses a name that has no value.
    """
    return _ENVIRONMENT.get_template(template).render(pills=PILLS, **values)


def _prose(message: str) -> list[tuple[bool, str]]:
    """The message in pieces, in order: whether it is code (indented lines), and the text."""
    lines = message.strip("\n").split("\n")
    pieces = groupby(lines, key=lambda line: line.startswith("    "))
    return [(is_code, dedent("\n".join(group))) for is_code, group in pieces]


def _names(text: str) -> Markup:
    """The text escaped, and `names in backticks` set as code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {"prose": _prose, "names": _names}
