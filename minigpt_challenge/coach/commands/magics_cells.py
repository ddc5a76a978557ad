"""The magics that take a whole cell: `%%task 2` and `%%play 2`."""

import linecache
from pathlib import Path

from minigpt_challenge.coach.commands.magics_arguments import parse_task
from minigpt_challenge.coach.commands.session import Session
from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.stubs import cut_stub, is_untouched, read_learner_file
from minigpt_challenge.coach.records.history import overwrite
from minigpt_challenge.coach.runtime.loading import compile_source, load_for_notebook

THIS_CELL = Path("this cell")  # the file name of a `%%play` cell in tracebacks


def task(session: Session, line: str, cell: str) -> None:
    """`%%task 2`: write the cell to the task's file, load it, and define its names here.

    An untouched stub never overwrites work; whatever is overwritten is saved first.
    """
    task = parse_task(line, "%%task 2")
    try:
        compile_source(cell, str(task.stub))  # a cell with a syntax error changes nothing
    except SyntaxError:
        session.cells.note_rejected(task)
        raise
    text = cell.strip() + "\n"
    in_file = read_learner_file(task) or cut_stub(task)
    if is_untouched(cell, task) and not is_untouched(in_file, task):
        session.print(
            f"This cell is the untouched stub, but {task.stub.name} holds work of yours: the file "
            "is left unchanged and loaded. (To start over, change the cell.)"
        )
    elif text == cut_stub(task):
        session.print("This is the original stub. Write your code, then run the cell again.")
    else:
        _write(session, task, text)
    _load(session, task)


def play(session: Session, line: str, cell: str) -> None:
    """`%%play 2`: run the cell with the names of this task and all earlier ones.

    Earlier tasks that are not written here are borrowed from the reference, which is reported.
    """
    session.print_borrowed(_load(session, parse_task(line, "%%play 2", with_warm_up=True)))
    name, text = str(THIS_CELL), session.ipython.transform_cell(cell)
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile_source(text, name), session.ipython.user_ns)


def _write(session: Session, task: Task, text: str) -> None:
    saved = overwrite(task.stub, text)
    session.cells.note_written(task, text)
    where = f" The previous text is saved in {saved}." if saved else ""
    session.print(f"Written to {task.stub}.{where}")
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
