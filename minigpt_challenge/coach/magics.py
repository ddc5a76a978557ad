"""The notebook's magics: `%%task`, `%%play`, `%check`, `%hint` and `%solution`.

Each answers in words and none raises, so that a notebook runs to its end whatever a cell holds.
"""

import linecache
from collections.abc import Callable
from functools import partial, update_wrapper
from pathlib import Path
from typing import Any

from minigpt_challenge.coach import hints, notebook_report, peek, progress, terminal
from minigpt_challenge.coach.checking import check_in_this_process
from minigpt_challenge.coach.complaint import Complaint, in_words
from minigpt_challenge.coach.curriculum import (
    TASKS_FOLDER,
    WARM_UP,
    Task,
    UnknownTask,
    task_by_number,
)
from minigpt_challenge.coach.history import overwrite
from minigpt_challenge.coach.judging import describe, is_unwritten, learners_frames
from minigpt_challenge.coach.loading import load_for_notebook
from minigpt_challenge.coach.stubs import is_untouched

console = terminal.console()
THIS_CELL = Path("this cell")  # stands for a file's name in a traceback


def register_magics(ipython: Any) -> None:
    """Make the magics known to this notebook."""
    for magic, kind in (
        (task, "cell"),
        (play, "cell"),
        (check, "line"),
        (hint, "line"),
        (solution, "line"),
    ):
        answering = update_wrapper(partial(_answer, magic, ipython), magic)
        ipython.register_magic_function(answering, kind, magic.__name__)


def task(ipython: Any, line: str, cell: str) -> None:
    """`%%task 2`: write the cell to the task's file, load it, bring its names into the notebook.

    An untouched stub is never written over work; whatever is overwritten is kept first.
    """
    its = _task(line, "%%task 2")
    if not is_untouched(cell, its):
        compile(cell, str(its.stub), "exec")  # a cell that Python cannot read changes nothing
        kept = overwrite(its.stub, cell.strip() + "\n")
        where = f" Its former text is kept in {kept}." if kept else ""
        console.print(f"Written to {its.stub}.{where}", soft_wrap=True)
    elif not is_untouched(its.stub.read_text(encoding="utf-8", errors="replace"), its):
        console.print(
            f"This cell holds the untouched stub, and {its.stub.name} holds work of yours: the "
            "file stays as it is, and we go on with it. (To start afresh, change the cell.)"
        )
    else:
        console.print("This is the stub as given. Write your lines, and run the cell again.")
    _load(ipython, its)


def play(ipython: Any, line: str, cell: str) -> None:
    """`%%play 2`: run the cell with the names of this task and all earlier ones at hand.

    Earlier tasks that are not written here are borrowed from the reference, and that is said.
    """
    its = WARM_UP if line.strip() == "0" else _task(line, "%%play 2")
    borrowed = _load(ipython, its)
    if borrowed:
        names = ", ".join(f"{other.number}" for other in borrowed)
        console.print(f"(Not written here, so borrowed from the reference: task {names}.)")
    text = ipython.transform_cell(cell)
    linecache.cache[str(THIS_CELL)] = (len(text), None, text.splitlines(True), str(THIS_CELL))
    exec(compile(text, str(THIS_CELL), "exec"), ipython.user_ns)


def check(ipython: Any, line: str) -> None:
    """`%check 2`: run the task's suite in this kernel, and say what it found."""
    its = _task(line, "%check 2")
    checked = progress.fingerprint(its)
    report = check_in_this_process(its, its.stub)
    progress.remember(its, report, checked)
    notebook_report.show(ipython, its, report)


def hint(ipython: Any, line: str) -> None:
    """`%hint 2`: show the next hint; `%hint 2 --again` shows all that were shown before."""
    number, *rest = line.split() or [""]
    show = hints.show_again if rest == ["--again"] else hints.show
    show(console, _task(number, "%hint 2"))


def solution(ipython: Any, line: str) -> None:
    """`%solution 2` says how to see the reference, `--show` shows it, `--diff` what differs."""
    number, *rest = line.split() or [""]
    its = _task(number, "%solution 2")
    if rest == ["--show"]:
        peek.show_solution(console, its)
    elif rest == ["--diff"]:
        peek.show_difference(console, its)
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
            words = f"✗ {describe(error, TASKS_FOLDER)}"
        console.print(words, markup=False, soft_wrap=True)
    except Exception as error:
        if is_unwritten(error):
            words = f"· Not written yet. {error}"
        else:
            words = f"✗ {in_words(error) or describe(error, TASKS_FOLDER, THIS_CELL)}"
        console.print(words, markup=False, soft_wrap=True)


def _task(number: str, example: str) -> Task:
    try:
        return task_by_number(int(number))
    except UnknownTask as error:
        raise Complaint(str(error)) from None
    except ValueError:
        raise Complaint(f"Which task? Write its number: {example}") from None


def _load(ipython: Any, its: Task) -> list[Task]:
    """Bring the names of this task and all earlier ones into the notebook; return the borrowed."""
    modules, borrowed = load_for_notebook(its)
    for other, module in modules.items():
        ipython.push(
            {name: getattr(module, name) for name in other.writes if hasattr(module, name)}
        )
    return borrowed
