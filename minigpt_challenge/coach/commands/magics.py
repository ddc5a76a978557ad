"""The notebook's magics: what a learner types, from `%%task 2` to `%solution 2`.

Each answers in words and none raises, so that a notebook runs to its end whatever a cell holds.
"""

import linecache
from collections.abc import Callable
from functools import partial, update_wrapper
from pathlib import Path
from typing import Any

from minigpt_challenge.coach.commands import cell_log, help
from minigpt_challenge.coach.course.curriculum import (
    TASKS_FOLDER,
    WARM_UP,
    Task,
    task_by_number,
)
from minigpt_challenge.coach.course.errors import message_for
from minigpt_challenge.coach.course.stubs import (
    cut_stub,
    is_stub_error,
    is_untouched,
    read_learner_file,
)
from minigpt_challenge.coach.grading.judge import learners_frames, message_of
from minigpt_challenge.coach.grading.runner import check_in_own_process, check_in_this_process
from minigpt_challenge.coach.records import progress
from minigpt_challenge.coach.records.history import overwrite
from minigpt_challenge.coach.reports import notebook, terminal
from minigpt_challenge.coach.runtime import devices
from minigpt_challenge.coach.runtime.loading import (
    compile_source,
    load_for_notebook,
    unwritten_before,
)
from minigpt_challenge.errors import UserError

console = terminal.console()
THIS_CELL = Path("this cell")  # stands for a file's name in a traceback


def register_magics(ipython: Any) -> None:
    """Make the magics known to this notebook."""
    for magic in (task, play):
        answering = update_wrapper(partial(_answer, magic, ipython), magic)
        ipython.register_magic_function(answering, "cell", magic.__name__)
    for magic in (welcome, check, hint, ladder, show_progress, solution):
        answering = update_wrapper(partial(_answer, magic, ipython), magic)
        name = magic.__name__.removeprefix("show_")
        ipython.register_magic_function(answering, "line", name)


def welcome(ipython: Any, line: str) -> None:
    """`%welcome 2`: say which earlier tasks are missing in this runtime, and the two ways on."""
    missing = [str(other.number) for other in unwritten_before(_task(line, "%welcome 2", WARM_UP))]
    if missing:
        console.print(
            f"Not written in this runtime: task {', '.join(missing)}. There are two ways on. "
            "Either run your `%%task` cells of those notebooks here, copied into new cells. Or go "
            "on as it is: the reference is borrowed for them, and that is said wherever it is.",
            markup=False,
            soft_wrap=True,
        )


def task(ipython: Any, line: str, cell: str) -> None:
    """`%%task 2`: write the cell to the task's file, load it, bring its names into the notebook.

    An untouched stub is never written over work; whatever is overwritten is kept first.
    """
    its = _task(line, "%%task 2")
    try:
        compile_source(cell, str(its.stub))  # a cell that Python cannot read changes nothing
    except SyntaxError:
        cell_log.note_refused(its)
        raise
    text = cell.strip() + "\n"
    if is_untouched(cell, its) and not is_untouched(read_learner_file(its) or cut_stub(its), its):
        console.print(
            f"This cell holds the untouched stub, and {its.stub.name} holds work of yours: the "
            "file stays as it is, and we go on with it. (To start afresh, change the cell.)"
        )
    elif text == cut_stub(its):
        console.print("This is the stub as given. Write your lines, and run the cell again.")
    else:
        kept = overwrite(its.stub, text)
        cell_log.note_written(its, text)
        where = f" Its former text is kept in {kept}." if kept else ""
        console.print(f"Written to {its.stub}.{where}", soft_wrap=True)
        if is_untouched(cell, its):
            console.print(
                "Every `raise NotImplementedError` of the stub is still there. Delete it where you "
                "have written something: a function ends at a raise."
            )
    _load(ipython, its)


def play(ipython: Any, line: str, cell: str) -> None:
    """`%%play 2`: run the cell with the names of this task and all earlier ones at hand.

    Earlier tasks that are not written here are borrowed from the reference, and that is said.
    """
    its = _task(line, "%%play 2", WARM_UP)
    _say_borrowed(_load(ipython, its))
    text = ipython.transform_cell(cell)
    linecache.cache[str(THIS_CELL)] = (len(text), None, text.splitlines(True), str(THIS_CELL))
    exec(compile_source(text, str(THIS_CELL)), ipython.user_ns)


def check(ipython: Any, line: str) -> None:
    """`%check 2`: run the task's suite in this kernel, and say what it found."""
    its = _task(line, "%check 2")
    if devices.has_enough(its):
        report = check_in_this_process(its, its.stub)
    else:
        console.print(
            f"JAX has started without the {its.cpu_devices} CPU devices that task {its.number} is "
            "checked on, so it is checked in a process of its own. Restart the kernel and run this "
            "notebook from its top to check it here.",
            soft_wrap=True,
        )
        report = check_in_own_process(its, its.stub, JAX_PLATFORMS="cpu")
    why_not = progress.try_to_remember(its, report)
    notebook.show(ipython, report)
    _say_borrowed(unwritten_before(its))
    for words in (why_not, cell_log.in_words(its)):
        if words:
            console.print(words, markup=False, soft_wrap=True)


def ladder(ipython: Any, line: str) -> None:
    """`%ladder 2`: train the model as far as task 2 has brought it, and show the loss ladder.

    `%ladder 5` trains the whole GPT; `--steps 1000`, `--fast` and `--fresh` are as in
    `minigpt train`.
    """
    number, *rest = line.replace("=", " ").split() or [""]
    its = _task(number, "%ladder 2", WARM_UP)
    options = _options(rest)
    from minigpt_challenge.coach.reports import live_training
    from minigpt_challenge.coach.training import ladder_runs

    if ladder_runs.may_climb(console, its, unwritten_before(its)):
        modules, borrowed = load_for_notebook(its)
        if its.number == ladder_runs.MILESTONE_TASK:
            ipython.push(ladder_runs.climb_to_milestone(console, modules, borrowed, options))
        else:
            ladder_runs.climb(console, its, modules, borrowed)
    live_training.show_ladder()


def show_progress(ipython: Any, line: str) -> None:
    """`%progress`: the road, and how each task stands."""
    standings, reached = progress.overview()
    console.print(terminal.road(standings, reached, terminal.NOTEBOOK))
    console.print(f"\n{terminal.what_next(standings, reached, terminal.NOTEBOOK)}")


def hint(ipython: Any, line: str) -> None:
    """`%hint 2`: show the next hint; `%hint 2 --again` shows all that were shown before."""
    its, option = _task_and_option(line, "%hint 2", ("--again",))
    show = help.show_again if option else help.show
    show(console, its)


def solution(ipython: Any, line: str) -> None:
    """`%solution 2` says how to see the reference, `--show` shows it, `--diff` what differs."""
    its, option = _task_and_option(line, "%solution 2", ("--show", "--diff"))
    if option == "--show":
        help.show_solution(console, its)
    elif option == "--diff":
        help.show_difference(console, its)
    else:
        console.print(
            f"Have you read the hints ([bold]%hint {its.number}[/bold])? Then run this cell again "
            f"as [bold]%solution {its.number} --show[/bold], and the reference is shown; "
            f"[bold]%solution {its.number} --diff[/bold] shows what differs from yours."
        )


def _answer(magic: Callable, ipython: Any, line: str, *cell: str) -> None:
    """Run the magic; what goes wrong is said in words."""
    try:
        magic(ipython, line, *cell)
    except NameError as error:
        words = f"· There is no `{error.name}` yet. Have the cells above run through?"
        if learners_frames(error, TASKS_FOLDER):
            words = f"✗ {message_of(error, TASKS_FOLDER)}"
        console.print(words, markup=False, soft_wrap=True)
    except (KeyboardInterrupt, SystemExit) as error:
        words = (
            "Stopped." if isinstance(error, KeyboardInterrupt) else message_of(error, TASKS_FOLDER)
        )
        console.print(f"✗ {words}", markup=False, soft_wrap=True)
    except Exception as error:
        if is_stub_error(error):
            words = f"· Not written yet. {error}"
        else:
            words = f"✗ {message_for(error) or message_of(error, TASKS_FOLDER, THIS_CELL)}"
        console.print(words, markup=False, soft_wrap=True)


def _task_and_option(line: str, example: str, known: tuple[str, ...]) -> tuple[Task, str]:
    """The task that the line names, and an option behind it; empty where there is none."""
    number, *options = line.split() or [""]
    if options and (len(options) > 1 or options[0] not in known):
        raise UserError(f"What is {' '.join(options)}? There is {example} {' or '.join(known)}.")
    return _task(number, example), "".join(options)


def _options(words: list[str]) -> dict[str, Any]:
    """`--fast`, `--fresh` and `--steps N`, of `%ladder 5`, as `gpt_run.train` calls them."""
    match words:
        case []:
            return {}
        case ["--fast" | "--fresh" as name, *rest]:
            return {name[2:]: True} | _options(rest)
        case ["--steps", number, *rest] if number.isdecimal() and int(number):
            return {"num_iterations": int(number)} | _options(rest)
        case ["--steps", *_]:
            raise UserError("How many steps? Such as --steps 1000.")
    raise UserError(
        f"What is {words[0]}? There are --fast (another optimiser, a quarter of the steps), "
        "--fresh (start anew) and --steps 1000 (at most so many)."
    )


def _task(number: str, example: str, warm_up: Task | None = None) -> Task:
    """The task that the learner named; the warm-up, too, where that is allowed."""
    if warm_up and number.strip() == str(warm_up.number):
        return warm_up
    try:
        wanted = int(number)
    except ValueError:
        raise UserError(f"Which task? Write its number: {example}") from None
    return task_by_number(wanted)


def _say_borrowed(borrowed: list[Task]) -> None:
    if borrowed:
        names = ", ".join(f"{other.number}" for other in borrowed)
        console.print(f"(Not written here, so borrowed from the reference: task {names}.)")


def _load(ipython: Any, its: Task) -> list[Task]:
    """Bring the names of this task and all earlier ones into the notebook; return the borrowed."""
    modules, borrowed = load_for_notebook(its)
    for other, module in modules.items():
        ipython.push(
            {name: getattr(module, name) for name in other.writes if hasattr(module, name)}
        )
    return borrowed
