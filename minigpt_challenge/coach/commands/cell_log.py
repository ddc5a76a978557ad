"""What happened to each `%%task` cell, to report when the cell and the file differ."""

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.course.stubs import read_learner_file


class CellLog:
    """The `%%task` cells that ran in this kernel."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}  # the text of the last cell, by the task's stem
        self._rejected: set[str] = set()  # stems whose last cell has a syntax error

    def note_written(self, task: Task, text: str) -> None:
        """Note that the task's cell was written to its file as `text`."""
        self._written[task.stem] = text
        self._rejected.discard(task.stem)

    def note_rejected(self, task: Task) -> None:
        """Note that the task's cell was not written, because of a syntax error."""
        self._rejected.add(task.stem)

    def was_edited(self, task: Task) -> bool:
        """Whether the task's file is not what its last cell wrote."""
        written = self._written.get(task.stem)
        return written is not None and read_learner_file(task) != written

    def difference(self, task: Task) -> str:
        """How the task's last cell and its file differ, as a message; empty if they do not."""
        name = task.stub.name
        if task.stem in self._rejected:
            return f"(Your last cell was not written: the check ran on {name} as it was before.)"
        if self.was_edited(task):
            return (
                f"({name} was edited since its `%%task` cell last ran: the check ran on the file.)"
            )
        return ""
