"""The magics that take a whole cell: `%%task 2` and `%%play 2`."""

import linecache
from pathlib import Path

from minigpt_challenge.coach.commands.magics_arguments import parse_task, parse_task_and_option
from minigpt_challenge.coach.commands.magics_check import check_and_show
from minigpt_challenge.coach.commands.session import Session
from minigpt_challenge.coach.course.curriculum import ROOT, Task
from minigpt_challenge.coach.course.stubs import cut_stub, is_untouched, read_learner_file
from minigpt_challenge.coach.grading.judge import learners_frames
from minigpt_challenge.coach.records.history import overwrite
from minigpt_challenge.coach.reports.terminal import Detail
from minigpt_challenge.coach.runtime.loading import compile_source, load_for_notebook

THIS_CELL = Path("this cell")  # the file name of a `%%play` cell in tracebacks
MAGIC_LINE = "\n"  # stands for the cell's first line, so that lines have the cell's numbers


def task(session: Session, line: str, cell: str) -> None:
    """`%%task 2`: write the cell to the task's file, load it, define its names here, and check it.

    An untouched stub never overwrites work; whatever is overwritten is saved first. With
    `--no-check` nothing is checked.
    """
    task, option = parse_task_and_option(line, "%%task 2", ("--no-check",))
    text = f"{MAGIC_LINE}{cell.rstrip()}\n"
    try:
        compile_source(text, str(task.stub))  # a cell with a syntax error changes nothing
    except SyntaxError:
        session.cells.note_rejected(task)
        session.print(f"The cell was not written: {task.stub.name} is as it was before.")
        raise
    in_file, checks = read_learner_file(task) or cut_stub(task), not option
    if is_untouched(cell, task) and not is_untouched(in_file, task):
        session.print(
            f"This cell is the untouched stub, but {task.stub.name} holds work of yours: the file "
            "is left unchanged and loaded. (To start over, change the cell.)"
        )
    elif text.strip() == cut_stub(task).strip():
        session.print("This is the original stub. Write your code, then run the cell again.")
        checks = False
        if not task.stub.exists():
            overwrite(task.stub, cut_stub(task))
    else:
        _write(session, task, text)
    problem: Exception | None = None
    try:
        _load(session, task)
    except Exception as error:
        problem = error
    if checks:
        check_and_show(session, task, Detail.FIRST)
    if problem and not (checks and learners_frames(problem, task.stub)):  # else the report shows it
        raise problem


def play(session: Session, line: str, cell: str) -> None:
    """`%%play 2`: run the cell with the names of this task and all earlier ones.

    Earlier tasks that are not written here are borrowed from the reference, which is reported.
    """
    session.print_borrowed(_load(session, parse_task(line, "%%play 2", with_warm_up=True)))
    name, text = str(THIS_CELL), MAGIC_LINE + session.ipython.transform_cell(cell)
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile_source(text, name), session.ipython.user_ns)


def _write(session: Session, task: Task, text: str) -> None:
    edited = session.cells.was_edited(task)
    saved = overwrite(task.stub, text)
    session.cells.note_written(task, text)
    where = f" The text before it is saved in {saved.relative_to(ROOT)}." if saved else ""
    if saved and edited:
        where += (
            " That text was not this cell's: "
            f"`!minigpt history {task.number} --restore 1` brings it back."
        )
    session.print(f"Written to {task.stub.relative_to(ROOT)}.{where}")
    if is_untouched(text, task):
        session.print(
            "Every `raise NotImplementedError` of the stub is still there. Delete it where you "
            "have written something: a function ends at a raise."
        )


def _load(session: Session, task: Task) -> list[Task]:
    """Define the names of this task and all earlier ones here; return the borrowed tasks."""
    modules, borrowed = load_for_notebook(task)
    for each, module in modules.items():
        session.ipython.push(
            {name: getattr(module, name) for name in each.writes if hasattr(module, name)}
        )
    return borrowed
