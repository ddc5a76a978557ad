"""The command line: `minigpt`.

Imports stay light: `minigpt` alone answers at once, and only commands that need JAX load it.
"""

import io
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from minigpt_challenge.coach.commands import cli_help
from minigpt_challenge.coach.commands.cli_common import (
    a_task,
    complaints,
    exit_on_user_error,
    several_processes,
    task_number,
)
from minigpt_challenge.coach.course.curriculum import TASKS, Task
from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.records import progress
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.files import write_text

app = typer.Typer(
    help="Build a mini GPT in JAX, one stub at a time.",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
for stream in (sys.stdout, sys.stderr):
    # A terminal that knows no ✓ shows a ? in its place.
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
app.add_typer(cli_help.app)
console = terminal.console()

SolutionsOption = Annotated[
    bool, typer.Option("--solutions", help="Use the reference, not your own files.")
]
TOGETHER = "Several processes, on one host or many (docs/many_hosts.md)"


def _remember(task: Task, report: Report) -> None:
    """Note the verdict; a folder that cannot be written is no reason to withhold it."""
    if why_not := progress.try_to_remember(task, report):
        complaints.print(why_not, style="yellow", markup=False, soft_wrap=True)


@app.callback(invoke_without_command=True)
def road(context: typer.Context) -> None:
    """Show the road: the tasks, how each stands, and what to do next."""
    if context.invoked_subcommand:
        return
    with exit_on_user_error():
        standings, reached = progress.overview()
        console.print("\n[bold]miniGPT Challenge[/bold]\n")
        console.print(terminal.road(standings, reached))
        console.print(f"\n{terminal.what_next(standings, reached)}\n")


@app.command()
def start() -> None:
    """Check the set-up, train the warm-up's bigram on Shakespeare, and see what it writes."""
    from minigpt_challenge.coach.training import warm_up

    with exit_on_user_error():
        warm_up.run(console)
    console.print(f"\n{terminal.what_next(*progress.overview())}\n")


@app.command()
def check(
    number: Annotated[
        int | None,
        task_number("The task. If left out: 1 to 5, and those beyond that are begun."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each task, a line each.")
    ] = False,
    check_all: Annotated[
        bool, typer.Option("--all", help="All tasks, which is what happens without N, too.")
    ] = False,
    gradescope: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Gradescope's results.json as well.")
    ] = None,
    solutions: SolutionsOption = False,
) -> None:
    """Check a task. Exit code 0: passed; 1: anything else; 2: called wrongly."""
    from minigpt_challenge.coach.course.stubs import is_started
    from minigpt_challenge.coach.grading.originality import is_the_reference
    from minigpt_challenge.coach.grading.runner import check_in_own_process
    from minigpt_challenge.coach.reports.gradescope import gradescope_results

    if check_all and number is not None:
        raise typer.BadParameter("--all and a task's number exclude each other.")
    tasks = TASKS if number is None else (a_task(number),)
    if number is None and not solutions:  # nobody owes us what lies beyond the milestone
        tasks = tuple(task for task in TASKS if not (task.beyond and not is_started(task)))
    all_passed, reports = True, []
    with exit_on_user_error():
        for task in tasks:
            answer = task.solution if solutions else task.stub
            with complaints.status(f"Checking task {task.number} …"):
                report = check_in_own_process(task, answer)
            borrowed = is_the_reference(task, answer)
            if as_json:
                # A teacher wants to know; everybody else need not be bothered.
                mark = {"same_as_the_reference": True} if borrowed else {}
                print(json.dumps(report.as_json() | mark), flush=True)
            else:
                console.print(terminal.report(report), "")
            if not solutions:
                _remember(task, report)
            reports.append((report, borrowed))
            all_passed &= report.verdict is Verdict.PASSED
            if report.verdict is not Verdict.PASSED and is_started(task) and not as_json:
                console.print(f"[dim]Stuck? minigpt hint {task.number}[/dim]")
        if gradescope:
            write_text(gradescope, json.dumps(gradescope_results(reports), indent=2) + "\n")
    if all_passed and not as_json and not solutions:
        console.print(terminal.what_next(*progress.overview()))
    raise typer.Exit(0 if all_passed else 1)


@app.command()
def watch(
    number: cli_help.NumberArgument = None,
) -> None:
    """Check a task whenever its file is saved; a key shows a hint, or goes on to the next task."""
    from minigpt_challenge.coach.commands.watch import watch

    with exit_on_user_error():
        watch(console, a_task(number), _remember)


@app.command()
def train(
    solutions: SolutionsOption = False,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many steps; 4,000 if left out, 550 with --fast."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Learn from this text file instead of Shakespeare.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the first weights and the batches.")] = 0,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast",
            help="Another optimiser (Muon), a quarter of the steps. Its rates end with --steps.",
        ),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew, not from where a run was interrupted.")
    ] = False,
    coordinator: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where process 0 can be reached, if several train together.",
            rich_help_panel=TOGETHER,
        ),
    ] = None,
    num_processes: Annotated[
        int | None, typer.Option(min=1, help="How many there are.", rich_help_panel=TOGETHER)
    ] = None,
    process_id: Annotated[
        int | None, typer.Option(min=0, help="Which one this is.", rich_help_panel=TOGETHER)
    ] = None,
) -> None:
    """Train your own GPT until its evaluation loss is below 1.9, and let it write.

    An interrupted run goes on where it stopped.

    A run of several processes uses task 7 as well. It is not kept on its way.
    """
    together = several_processes(coordinator, num_processes, process_id)
    if together and fresh:
        raise typer.BadParameter(
            "A run of several processes always starts anew: leave out --fresh."
        )
    if together and fast:
        raise typer.BadParameter("A run of several processes uses Adam: leave out --fast.")
    from minigpt_challenge.coach.training import train_and_sample

    with exit_on_user_error():
        if together:
            from minigpt_challenge.coach.training import multi_process

            its = multi_process.Processes(*together)
            reached = multi_process.train(console, its, solutions, steps, data, seed)
        else:
            reached = train_and_sample.train(console, solutions, steps, data, seed, fast, fresh)
    raise typer.Exit(0 if reached else 1)


@app.command()
def sample(
    length: Annotated[int, typer.Option(min=1, help="How many characters to write.")] = 500,
    prompt: Annotated[str | None, typer.Option(help="The text to go on from.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another text.")] = 0,
) -> None:
    """Write text with the weights that `minigpt train` saved."""
    from minigpt_challenge.coach.training import train_and_sample

    with exit_on_user_error():
        train_and_sample.sample(console, prompt, length, seed)


@app.command()
def report(
    output: Annotated[
        Path | None, typer.Option(help="Where to; my_gpt/report.html if left out.")
    ] = None,
) -> None:
    """Write one HTML page of what you have built: something to keep and to show."""
    from minigpt_challenge.coach.reports import personal_page

    with exit_on_user_error():
        path = output or personal_page.REPORT
        kept = personal_page.write(path)
        console.print(f"Written to {path}: open it in a browser.", markup=False, soft_wrap=True)
        if kept:
            console.print(f"The former one is kept in {kept}.", markup=False, soft_wrap=True)


@app.command(hidden=True)
def author(
    check: Annotated[
        bool, typer.Option("--check", help="Say what is out of step; write nothing.")
    ] = False,
) -> None:
    """For authors: cut the stubs, build the notebooks and the README's table."""
    from minigpt_challenge.coach.commands import author

    with exit_on_user_error():
        if check:
            stale = author.out_of_step()
            for path in stale:
                console.print(f"out of step: {path}", soft_wrap=True)
            raise typer.Exit(1 if stale else 0)
        for path, kept in author.build():
            where = f" (the old text is kept in {kept})" if kept else ""
            console.print(f"written: {path}{where}", soft_wrap=True)
