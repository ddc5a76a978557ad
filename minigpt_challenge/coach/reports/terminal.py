"""Reports and the saved versions of a file, for a terminal; and the console for all output."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from functools import partial
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.styled import Styled
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.records.history import Version
from minigpt_challenge.coach.records.progress import Standing
from minigpt_challenge.coach.reports.report_lines import (
    headline,
    readable_name,
    report_lines,
    root_cause,
)

NO_TERMINAL_WIDTH = 10_000  # columns: nothing is wrapped
NOTEBOOK_WIDTH = 100

COLORS = {
    Verdict.PASSED: "green",
    Verdict.WRONG: "red",
    Verdict.NOT_STARTED: "dim",
    Verdict.COULD_NOT_RUN: "yellow",
    None: "yellow",  # changed, not checked yet
}


class Message(NamedTuple):
    """An indented text. It wraps between words only, so that a path can be copied as a whole.

    Print it with `crop=False`: what is longer than the terminal is wide would be cut off.
    """

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """The lines, as Rich asks for them."""
        for line in self.text.splitlines():
            indent = " " * (6 + len(line) - len(line.lstrip()))
            wrapped = textwrap.wrap(
                line.strip(),
                options.max_width,
                initial_indent=indent,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
            for part in wrapped or [""]:
                yield Segment(f"{part}\n")


class Detail(Enum):
    """How much of a report is shown."""

    VERDICT = auto()
    FIRST = auto()  # the failure to read first
    FAILED = auto()  # every check, unless all have passed
    ALL = auto()

    @classmethod
    def of(cls, *, quiet: bool, first: bool, verbose: bool) -> Detail:
        """By the options of `minigpt check`, of which at most one is given."""
        if quiet:
            return cls.VERDICT
        return cls.FIRST if first else cls.ALL if verbose else cls.FAILED


def report(report: Report, detail: Detail = Detail.ALL) -> Group:
    """A line for each check, and under a failure its message. Print it with `crop=False`."""
    task = report.task
    color = COLORS[report.verdict]
    heading = Text.from_markup(
        f"[bold]Task {task.number} · {task.title}[/bold]: "
        f"[{color}]{headline(report)}[/{color}]  [dim]{report.seconds:.1f} s[/dim]"
    )
    passed = report.verdict is Verdict.PASSED
    if detail in (Detail.VERDICT, Detail.FIRST) or passed and detail is not Detail.ALL:
        number = f"{len(report.checks)}"
        counts = number if passed else f"{report.num_passed} of {number}"
        word = "check" if counts == "1" else "checks"
        heading.append(f"  {counts} {word}{'' if passed else ' passed'}", "dim")
    if detail is Detail.VERDICT or passed and detail is not Detail.ALL:
        return Group(heading)
    renderables: list[RenderableType] = [heading]
    lines = report_lines(report)
    first = root_cause(lines)
    if first and detail is Detail.FIRST:
        lines = (first,)
    elif first and first is not next(line for line in lines if line.message):
        renderables.append(Text(f"  Read first: {first.name}", "bold"))
    for line in lines:
        verdict = line.check.verdict
        renderables.append(Text(f"  {verdict.sign} {line.name}", COLORS[verdict]))
        if line.message:
            renderables.append(Message(line.message))
        if line.others:
            names = " · ".join(map(readable_name, line.repeats))
            others = line.others if detail is Detail.FIRST else f"{line.others}: {names}"
            renderables.append(Styled(Message(others), "dim"))
    return Group(*renderables)


def kept_versions(versions: Sequence[tuple[Version, Standing]]) -> Table:
    """A table of a file's saved versions and their verdicts, numbered from the newest."""
    table = Table("", "kept", "lines", "verdict", box=None, padding=(0, 2), header_style="dim")
    for number, (version, standing) in enumerate(versions, 1):
        lines = len(version.text().splitlines())
        verdict = "[dim]not checked[/dim]"
        if standing.verdict:
            color = COLORS[standing.verdict]
            verdict = f"[{color}]{standing.sign} {standing.words}[/{color}]  {standing.counts}"
        table.add_row(f"{number}", version.when_text, f"{lines}", verdict)
    return table


def console(stderr: bool = False) -> Console:
    """A console for all output.

    If the output is not a terminal, Rich omits colors by itself, and nothing is wrapped.
    """
    # Rich's default puts code on black, which looks wrong on a light background.
    theme = Theme({"markdown.code": "cyan"})
    make = partial(Console, highlight=False, stderr=stderr, theme=theme)
    console = make()
    if console.is_jupyter:  # as text: what Rich writes as HTML does not wrap, and has fixed colors
        return make(
            width=NOTEBOOK_WIDTH,
            force_jupyter=False,
            force_terminal=True,
            color_system="standard",
        )
    return console if console.is_terminal else make(width=NO_TERMINAL_WIDTH)


def print_table(console: Console, table: Table) -> None:
    """Print a table; if the output is not a terminal, without spaces at the ends of lines."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as output:
        console.print(table)
    lines = (line.rstrip() for line in output.get().splitlines())
    console.print("\n".join(lines), markup=False, soft_wrap=True)
