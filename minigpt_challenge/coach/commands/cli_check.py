"""The commands that run checks: `check` and `watch`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from minigpt_challenge.coach.commands.cli_common import next_task, task_argument
from minigpt_challenge.coach.course.curriculum import TASKS, Task
from minigpt_challenge.coach.course.stubs import is_started
from minigpt_challenge.coach.course.verdict import Reason, Report, Verdict
from minigpt_challenge.coach.grading.originality import is_the_reference
from minigpt_challenge.coach.records import progress
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.coach.reports.gradescope import gradescope_results
from minigpt_challenge.coach.runtime import environment
from minigpt_challenge.files import write_text

app = typer.Typer()

# Why every check fails where JAX itself does not work.
BY_THE_ENVIRONMENT = (
    Reason.ERROR,
    Reason.PROCESS_ENDED,
    Reason.NOT_REACHED,
    Reason.SUITE_FAILED,
)


@app.command()
def check(
    tasks: Annotated[
        list[Task] | None,
        task_argument("The tasks. Without any: 1 to 5, and later ones that you have started."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per task, each on its own line.")
    ] = False,
    check_all: Annotated[
        bool, typer.Option("--all", help="Check all tasks, the same as without N.")
    ] = False,
    gradescope: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write Gradescope's results.json.")
    ] = None,
    solutions: Annotated[
        bool, typer.Option("--solutions", help="Check the reference, not your own files.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List every check of a task that has passed.")
    ] = False,
) -> None:
    """Check tasks. Exit code 0: all passed; 1: anything else; 2: wrong usage."""
    if check_all and tasks:
        raise typer.BadParameter("Give either --all or the numbers of tasks, not both.")
    chosen = tasks or _all_tasks(solutions)
    checked = [_check(task, solutions, as_json, verbose) for task in chosen]
    if gradescope:
        write_text(gradescope, json.dumps(gradescope_results(checked), indent=2) + "\n")
    all_passed = all(report.verdict is Verdict.PASSED for report, _ in checked)
    if all_passed and not as_json and not solutions:
        terminal.console().print(terminal.what_next(*progress.overview()))
    raise typer.Exit(0 if all_passed else 1)


@app.command()
def watch(
    task: Annotated[Task | None, task_argument("The task; without it the next one.")] = None,
) -> None:
    """Check a task whenever its file is saved; keys show a hint or go on to the next task."""
    # Imported here, so that `minigpt` starts without pytest.
    from minigpt_challenge.coach.commands.watch import watch

    watch(terminal.console(), task or next_task(), _record)


def _all_tasks(solutions: bool) -> tuple[Task, ...]:
    """All tasks; of the learner's, those beyond the milestone only if they are started."""
    return tuple(task for task in TASKS if solutions or not task.beyond or is_started(task))


def _check(task: Task, solutions: bool, as_json: bool, verbose: bool) -> tuple[Report, bool]:
    """Check a task, print the report, record the learner's verdict.

    Returns:
        the report, and whether the code is the same as the reference's.
    """
    # Imported here, so that `minigpt` starts without pytest.
    from minigpt_challenge.coach.grading.runner import check_in_own_process

    console = terminal.console()
    answer = task.solution if solutions else task.stub
    with terminal.console(stderr=True).status(f"Checking task {task.number} …"):
        report = check_in_own_process(task, answer)
        if all(check.reason in BY_THE_ENVIRONMENT for check in report.checks):
            environment.require(environment.of_a_check())
    same_as_reference = is_the_reference(task, answer)
    if as_json:
        # Of interest to a teacher only, so it is not in the report for the learner.
        mark = {"same_as_the_reference": True} if same_as_reference else {}
        print(json.dumps(report.as_json() | mark), flush=True)
    else:
        console.print(terminal.report(report, in_full=verbose), "", crop=False)
    if not solutions:
        _record(task, report)
    if report.verdict is not Verdict.PASSED and is_started(task) and not as_json:
        console.print(f"[dim]Stuck? minigpt hint {task.number}[/dim]")
    return report, same_as_reference


def _record(task: Task, report: Report) -> None:
    """Record the verdict, or print why it cannot be recorded: the report is printed anyway."""
    if problem := progress.try_to_remember(task, report):
        stderr = terminal.console(stderr=True)
        stderr.print(problem, style="yellow", markup=False, soft_wrap=True)
