"""Reports and the road, for a terminal."""

import re
from collections.abc import Sequence

from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from minigpt_challenge.coach.curriculum import TASKS, WARM_UP, Task, task_by_stem
from minigpt_challenge.coach.history import Version
from minigpt_challenge.coach.progress import Standing
from minigpt_challenge.coach.verdict import OTHER_VALUES, Check, Report, Verdict

# A sign and a word each: colour alone would tell some readers nothing.
SIGNS = {
    Verdict.PASSED: ("✓", "green"),
    Verdict.WRONG: ("✗", "red"),
    Verdict.NOT_STARTED: ("·", "dim"),
    Verdict.COULD_NOT_RUN: ("!", "yellow"),
}


def report(report: Report) -> Group:
    """A line for each check, and under those that did not pass what was asked and seen."""
    task = task_by_stem(report.task)
    _, colour = SIGNS[report.verdict]
    head = Text.from_markup(
        f"[bold]Task {task.number} · {task.title}[/bold]: "
        f"[{colour}]{_so_far(report)}[/{colour}]  [dim]{report.seconds:.1f} s[/dim]"
    )
    lines: list = [head]
    said = {""}
    for check in report.checks:
        sign, colour = SIGNS[check.verdict]
        lines.append(Text(f"  {sign} {in_words(check.name)}", style=colour))
        if _gist(check) not in said:
            lines.append(Padding(Text(check.message), (0, 0, 0, 6)))
        said.add(_gist(check))
    return Group(*lines)


def in_words(name: str) -> str:
    """The name of a check as a sentence: `three_steps_equal[Adam]` is "three steps equal, Adam"."""
    return name.replace("_", " ").replace("[", ", ").removesuffix("]")


def _gist(check: Check) -> str:
    """What need not be said twice: the same diagnosis, or the same words with other numbers."""
    if check.diagnosis:
        return " ".join(check.diagnosis)
    if OTHER_VALUES in check.message:
        return OTHER_VALUES
    return re.sub(r"\d+", "", check.message.split("\n")[0])


def _so_far(report: Report) -> str:
    """The verdict in words; what is half written is begun, and that is said."""
    passed = sum(check.verdict is Verdict.PASSED for check in report.checks)
    if report.verdict is Verdict.NOT_STARTED and passed:
        return f"begun, {passed} of {len(report.checks)} checks passed"
    return report.verdict.words


def road(standings: dict[Task, Standing]) -> Table:
    """The tasks and how each stands."""
    table = Table(box=None, padding=(0, 2), show_header=False)
    table.add_row(" ", str(WARM_UP.number), WARM_UP.title, "[dim]given: minigpt start[/dim]", "")
    for task, standing in standings.items():
        sign, words, colour = _standing_in_words(standing)
        counts = f"{standing.passed} of {standing.total} checks" if standing.passed else ""
        table.add_row(
            f"[{colour}]{sign}[/{colour}]",
            str(task.number),
            task.title,
            f"[{colour}]{words}[/{colour}]",
            f"[dim]{counts}[/dim]",
        )
    return table


def what_next(standings: dict[Task, Standing]) -> str:
    """One sentence (Rich markup): the next thing to do."""
    for task, standing in standings.items():
        if standing.verdict is not Verdict.PASSED:
            file = escape(f"minigpt_challenge/tasks/{task.stem}.py")
            return (
                f"Next, task {task.number}: {task.goal}\n"
                f"Read [bold]notebooks/{task.stem}.ipynb[/bold], write in [bold]{file}[/bold], "
                f"then [bold]minigpt check {task.number}[/bold]."
            )
    return (
        f"All {len(TASKS)} tasks are passed. Train your own GPT with [bold]minigpt train[/bold], "
        "let it write with [bold]minigpt sample[/bold]."
    )


def _standing_in_words(standing: Standing) -> tuple[str, str, str]:
    if standing.verdict is None:
        return "?", "changed, not checked yet", "yellow"
    sign, colour = SIGNS[standing.verdict]
    if standing.verdict is Verdict.NOT_STARTED and standing.passed:
        return sign, "begun", colour
    return sign, standing.verdict.words, colour


def kept_versions(kept: Sequence[Version]) -> Table:
    """The kept versions of a file, numbered from the newest."""
    table = Table("", "kept", "lines", box=None, padding=(0, 2), header_style="dim")
    for number, version in enumerate(kept, 1):
        lines = len(version.text().splitlines())
        table.add_row(f"{number}", f"{version.when:%Y-%m-%d %H:%M:%S}", f"{lines}")
    return table


def console(stderr: bool = False) -> Console:
    """Where we print. Rich drops colours by itself where the output is no terminal."""
    return Console(highlight=False, stderr=stderr)
