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
from minigpt_challenge.coach.grading.selection import is_expression
from minigpt_challenge.coach.records import progress
from minigpt_challenge.coach.reports import road, terminal
from minigpt_challenge.coach.reports.gradescope import gradescope_results
from minigpt_challenge.coach.reports.terminal import Detail
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


def _parse_words(text: str) -> str:
    """Accept words, joined by `and`, `or`, `not` and parentheses, as with `pytest -k`."""
    if text and not is_expression(text):
        raise typer.BadParameter('Join words by "and", "or", "not", as in "future and not head".')
    return text


@app.command()
def check(
    tasks: Annotated[list[Task] | None, task_argument()] = None,
    check_all: Annotated[
        bool, typer.Option("--all", help="Check the same tasks as without a number.")
    ] = False,
    only: Annotated[
        str,
        typer.Option(
            "-k",
            metavar="WORDS",
            callback=_parse_words,
            help='Run only the checks with these words in their names, such as "future or jit". No '
            "verdict is recorded.",
        ),
    ] = "",
    first: Annotated[
        bool, typer.Option("-x", "--first", help="Show only the failure to read first.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Show only the verdict: a line per task.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="List every check, of passed tasks too.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object per task, each on its own line.")
    ] = False,
    gradescope: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write Gradescope's results.json.")
    ] = None,
    solutions: Annotated[
        bool, typer.Option("--solutions", help="Check the reference, not your own files.")
    ] = False,
) -> None:
    """Check tasks: `minigpt check 2`.

    Give one number or several. Without any, tasks 1 to 5 are checked, and later ones that you have
    started.

    The exit code is 0 if all have passed, 1 if not, 2 if the command is wrong.
    """
    if check_all and tasks:
        raise typer.BadParameter("Give either --all or the numbers of tasks, not both.")
    if quiet + verbose + first + as_json > 1:
        raise typer.BadParameter("-q, -v, -x and --json exclude each other: give one of them.")
    detail = Detail.of(quiet=quiet, first=first, verbose=verbose)
    if only and gradescope:
        raise typer.BadParameter("Points are for all checks of a task: leave out -k.")
    chosen = tasks or _all_tasks(solutions)
    results = (_check(task, solutions, None if as_json else detail, only) for task in chosen)
    checked = []
    for result in results:
        checked += [result] if result[0].checks else []
        if gradescope:  # after each task: what comes next may be stopped from outside
            write_text(gradescope, json.dumps(gradescope_results(checked), indent=2) + "\n")
    if not checked:
        raise typer.BadParameter(
            f"No check has {only!r} in its name. `minigpt check -v` lists them."
        )
    all_passed = all(report.verdict is Verdict.PASSED for report, _ in checked)
    if all_passed and not (as_json or solutions or only or quiet):
        terminal.console().print(road.what_next(*progress.overview()))
    raise typer.Exit(0 if all_passed else 1)


@app.command()
def watch(
    task: Annotated[Task | None, task_argument()] = None,
) -> None:
    """Check a task whenever its file is saved.

    Without N it is the next task. Keys show a hint, go on to the next task, and train your GPT.
    """
    # Imported here, so that `minigpt` starts without pytest.
    from minigpt_challenge.coach.commands.watch import watch

    if watch(terminal.console(), task or next_task(), _record):
        # Imported here, since it takes a second that only those who train need to wait.
        from minigpt_challenge.coach.commands.cli_train import train

        train()


def _all_tasks(solutions: bool) -> tuple[Task, ...]:
    """All tasks; of the learner's, those beyond the milestone only if they are started."""
    return tuple(task for task in TASKS if solutions or not task.beyond or is_started(task))


def _check(task: Task, solutions: bool, detail: Detail | None, only: str) -> tuple[Report, bool]:
    """Check a task, print the report, record the learner's verdict.

    Args:
        task: the task.
        solutions: whether to check the reference.
        detail: how much to print; None for JSON.
        only: words in the names of the checks to run; with any, no verdict is recorded.

    Returns:
        the report, and whether the code is the same as the reference's.
    """
    # Imported here, so that `minigpt` starts without pytest.
    from minigpt_challenge.coach.grading.runner import check_in_own_process

    console = terminal.console()
    answer = task.solution if solutions else task.stub
    with terminal.console(stderr=True).status(f"Checking task {task.number} …"):
        report = check_in_own_process(task, answer, *([f"--only={only}"] if only else []))
        if report.checks and all(check.reason in BY_THE_ENVIRONMENT for check in report.checks):
            environment.require(environment.of_a_check())
    same_as_reference = is_the_reference(task, answer)
    if not report.checks:
        return report, same_as_reference
    if detail is None:
        # Of interest to a teacher only, so it is not in the report for the learner.
        mark = {"same_as_the_reference": True} if same_as_reference else {}
        print(json.dumps(report.as_json() | mark), flush=True)
    else:
        console.print(terminal.report(report, detail), crop=False)
    if not solutions and not only:
        _record(task, report)
    if detail is None or detail is Detail.VERDICT:
        return report, same_as_reference
    if only:
        console.print(f"[dim]Only checks with {only!r} in their names were run.[/dim]")
    console.print()
    if report.verdict is not Verdict.PASSED and is_started(task):
        console.print(f"[dim]Stuck? minigpt hint {task.number}[/dim]")
    return report, same_as_reference


def _record(task: Task, report: Report) -> None:
    """Record the verdict, or print why it cannot be recorded: the report is printed anyway."""
    if problem := progress.try_to_remember(task, report):
        stderr = terminal.console(stderr=True)
        stderr.print(problem, style="yellow", markup=False, soft_wrap=True)
