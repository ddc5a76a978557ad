"""The road: the tasks with the learner's progress, and what to do next."""

from typing import NamedTuple

from rich.table import Table

from minigpt_challenge.coach.course.curriculum import WARM_UP, Task
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records.ladder import Rung
from minigpt_challenge.coach.records.progress import Standing
from minigpt_challenge.coach.reports.terminal import COLORS


class Commands(NamedTuple):
    """What to type in a terminal or in a notebook, what to read, and where to write code."""

    start: str
    train: str
    sample: str
    report: str
    check: str
    read: str  # a format string of the task's stem and number
    code: str  # a format string of the task's stem
    shell: str  # what stands before a command of the terminal


TERMINAL = Commands(
    "minigpt start",
    "minigpt train",
    "minigpt sample",
    "minigpt report",
    "minigpt check",
    "notebooks/{stem}.ipynb[/bold] (here: [bold]minigpt read {number}[/bold])",
    "minigpt_challenge/tasks/{}.py",
    "",
)
NOTEBOOK = Commands(
    "%ladder 0",
    "%ladder 5",
    "!minigpt sample",
    "!minigpt report",
    "%check",
    "notebooks/{stem}.ipynb[/bold]",
    "its %%task cell",
    "!",
)
# After the last task and the milestone; format strings of `Commands.shell`.
WHERE_TO_GO = (
    "[bold]{}minigpt train --data my_text.txt --name mine[/bold]: on a text of your own",
    "[bold]{}minigpt train --preset nanogpt[/bold]: a larger model, for one GPU",
    "README.md, at its end: modern blocks, tokenizers, GPT-2's weights",
)


def road(
    standings: dict[Task, Standing], milestone: Rung | None, commands: Commands = TERMINAL
) -> Table:
    """A table of the tasks with their progress; `milestone` is its rung, None if not reached."""
    table = Table(box=None, padding=(0, 2), show_header=False)
    table.add_row(
        " ", str(WARM_UP.number), WARM_UP.title, f"[dim]given: {commands.start}[/dim]", ""
    )
    milestone_shown = False
    for task, standing in standings.items():
        if task.beyond and not milestone_shown:
            table.add_row(*_milestone(milestone, commands))
            milestone_shown = True
        color = COLORS[standing.verdict]
        table.add_row(
            f"[{color}]{standing.sign}[/{color}]",
            str(task.number),
            task.title,
            f"[{color}]{standing.words}[/{color}]",
            f"[dim]{standing.counts}[/dim]",
        )
    return table


def _milestone(reached: Rung | None, commands: Commands) -> tuple[str, ...]:
    if reached is None:
        return "", "", "[dim]The milestone[/dim]", f"[dim]{commands.train}[/dim]", ""
    return "[green]✓[/green]", "", "The milestone", f"[green]loss {reached.loss:.2f}[/green]", ""


def what_next(
    standings: dict[Task, Standing], milestone: Rung | None, commands: Commands = TERMINAL
) -> str:
    """What to do next, in a few sentences with Rich markup."""
    unfinished = (task for task in standings if standings[task].verdict is not Verdict.PASSED)
    next_task = next(unfinished, None)
    gpt = f"All parts of your GPT are written. Train it with [bold]{commands.train}[/bold]."
    if milestone:
        gpt = (
            f"Congratulations! Your own GPT has reached the milestone, with a loss of "
            f"{milestone.loss:.2f}. [bold]{commands.sample}[/bold] writes text with it, "
            f"[bold]{commands.report}[/bold] makes a page to show."
        )
    if next_task is None:
        ideas = "".join(f"\n  {idea.format(commands.shell)}" for idea in WHERE_TO_GO)
        more = f"\nWhere to go from here:{ideas}" if milestone else ""
        return f"All {len(standings)} tasks are passed. {gpt}{more}"
    instruction = (
        f"task {next_task.number}: {next_task.goal}\n"
        f"Read [bold]{commands.read.format(stem=next_task.stem, number=next_task.number)}, "
        "write in "
        f"[bold]{commands.code.format(next_task.stem)}[/bold], then "
        f"[bold]{commands.check} {next_task.number}[/bold]."
    )
    if standings[next_task].verdict is None:
        check = f"[bold]{commands.check} {next_task.number}[/bold]"
        instruction = f"task {next_task.number} has changed since its last check: run {check}."
    if next_task.beyond:
        return f"{gpt}\nBeyond the milestone, {instruction}"
    return f"Next, {instruction}"
