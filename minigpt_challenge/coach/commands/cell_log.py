"""What became of each `%%task` cell, so that it is noticed when cell and file differ."""

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.stubs import read_learner_file

_written: dict[str, str] = {}  # by stem, as long as the kernel runs
_refused: set[str] = set()  # the stems whose last cell Python could not read


def note_written(task: Task, text: str) -> None:
    """The task's cell was written to its file, as this text."""
    _written[task.stem] = text
    _refused.discard(task.stem)


def note_refused(task: Task) -> None:
    """The task's cell was not written, since Python cannot read it."""
    _refused.add(task.stem)


def was_refused(task: Task) -> bool:
    """Whether the cell that was run last was not written."""
    return task.stem in _refused


def file_differs(task: Task) -> bool:
    """Whether the file was edited since its cell last wrote it. (No cell wrote it: False.)"""
    return task.stem in _written and read_learner_file(task) != _written[task.stem]


def in_words(task: Task) -> str:
    """How cell and file differ, if they do: the file is what is checked."""
    if was_refused(task):
        return f"(Your last cell was not written: checked is {task.stub.name} as it was before.)"
    if file_differs(task):
        return (
            f"({task.stub.name} was edited since its `%%task` cell last ran: the file is what is "
            "checked.)"
        )
    return ""
