"""Reports and the road, for a terminal."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from minigpt_challenge.coach.course.curriculum import WARM_UP, Task
from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.records.history import Version
from minigpt_challenge.coach.records.ladder import Rung
from minigpt_challenge.coach.records.progress import Standing
from minigpt_challenge.coach.reports.report_lines import headline, report_lines

COLOURS = {
    Verdict.PASSED: "green",
    Verdict.WRONG: "red",
    Verdict.NOT_STARTED: "dim",
    Verdict.COULD_NOT_RUN: "yellow",
    None: "yellow",  # changed, not checked yet
}


class Ways(NamedTuple):
    """What to type where the learner is."""

    start: str
    train: str
    sample: str
    check: str
    write: str  # where; of a task's stem


TERMINAL = Ways(
    "minigpt start",
    "minigpt train",
    "minigpt sample",
    "minigpt check",
    "minigpt_challenge/tasks/{}.py",
)
NOTEBOOK = Ways("%ladder 0", "%ladder 5", "!minigpt sample", "%check", "its %%task cell")


def report(report: Report) -> Group:
    """A line for each check, and under those that did not pass what was asked and seen."""
    task = report.task
    colour = COLOURS[report.verdict]
    head = Text.from_markup(
        f"[bold]Task {task.number} · {task.title}[/bold]: "
        f"[{colour}]{headline(report)}[/{colour}]  [dim]{report.seconds:.1f} s[/dim]"
    )
    lines: list = [head]
    for line in report_lines(report):
        verdict = line.check.verdict
        above = ("  (as above)", "dim") if line.repeats else ""
        named = (f"  {verdict.sign} {line.name}", COLOURS[verdict])
        lines.append(Text.assemble(named, above))
        if line.message:
            lines.append(Padding(Text(line.message), (0, 0, 0, 6)))
    return Group(*lines)


def road(standings: dict[Task, Standing], milestone: Rung | None, to: Ways = TERMINAL) -> Table:
    """The tasks and how each stands; `milestone` is the rung, once it is reached."""
    table = Table(box=None, padding=(0, 2), show_header=False)
    table.add_row(" ", str(WARM_UP.number), WARM_UP.title, f"[dim]given: {to.start}[/dim]", "")
    beyond = False
    for task, standing in standings.items():
        if task.beyond and not beyond:
            table.add_row(*_milestone(milestone, to))
            beyond = True
        colour = COLOURS[standing.verdict]
        table.add_row(
            f"[{colour}]{standing.sign}[/{colour}]",
            str(task.number),
            task.title,
            f"[{colour}]{standing.words}[/{colour}]",
            f"[dim]{standing.counts}[/dim]",
        )
    return table


def _milestone(reached: Rung | None, to: Ways) -> tuple[str, ...]:
    if reached is None:
        return "", "", "[dim]The milestone[/dim]", f"[dim]{to.train}[/dim]", ""
    mark = "[green]✓[/green]"
    return mark, "", "The milestone", f"[green]loss {reached.loss:.2f}[/green]", ""


def what_next(standings: dict[Task, Standing], milestone: Rung | None, to: Ways = TERMINAL) -> str:
    """A few sentences (Rich markup): the next thing to do."""
    following = next((t for t, s in standings.items() if s.verdict is not Verdict.PASSED), None)
    train = f"All parts of your GPT are there. Train it with [bold]{to.train}[/bold]."
    if milestone:
        train = f"Your GPT is trained. [bold]{to.sample}[/bold] lets it write."
    if following is None:
        return f"All {len(standings)} tasks are passed. {train}"
    task = (
        f"task {following.number}: {following.goal}\n"
        f"Read [bold]notebooks/{following.stem}.ipynb[/bold], write in "
        f"[bold]{to.write.format(following.stem)}[/bold], then "
        f"[bold]{to.check} {following.number}[/bold]."
    )
    return f"{train}\nAnd beyond, {task}" if following.beyond else f"Next, {task}"


def kept_versions(kept: Sequence[Version]) -> Table:
    """The kept versions of a file, numbered from the newest."""
    table = Table("", "kept", "lines", box=None, padding=(0, 2), header_style="dim")
    for number, version in enumerate(kept, 1):
        lines = len(version.text().splitlines())
        table.add_row(f"{number}", version.when_text, f"{lines}")
    return table


def console(stderr: bool = False) -> Console:
    """Where we print. Rich drops colours by itself where the output is no terminal."""
    # Rich sets code on black, which is a blot on a light background.
    theme = Theme({"markdown.code": "cyan"})
    return Console(highlight=False, stderr=stderr, theme=theme)
