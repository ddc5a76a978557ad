"""Which text each `%%task` cell last wrote, so that an edit of the file itself is noticed."""

from minigpt_challenge.coach.curriculum import Task

_written: dict[str, str] = {}  # by stem, as long as the kernel runs


def note_written(task: Task, text: str) -> None:
    """The task's cell was written to its file, as this text."""
    _written[task.stem] = text


def file_differs(task: Task) -> bool:
    """Whether the file was edited since its cell last wrote it. (No cell wrote it: False.)"""
    if task.stem not in _written:
        return False
    try:
        return task.stub.read_text(encoding="utf-8", errors="replace") != _written[task.stem]
    except FileNotFoundError:
        return True
