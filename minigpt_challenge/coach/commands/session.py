"""The notebook that the magics work in."""

from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from minigpt_challenge.coach.commands.cell_log import CellLog
from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.coach.reports import terminal


@dataclass(frozen=True)
class Session:
    """A running notebook.

    Attributes:
        ipython: its IPython shell.
        console: where the magics print.
        cells: what happened to its `%%task` cells.
    """

    ipython: Any
    console: Console = field(default_factory=terminal.console)
    cells: CellLog = field(default_factory=CellLog)

    def print(self, message: str) -> None:
        """Print a message unchanged: without markup, and without breaking its lines."""
        self.console.print(message, markup=False, soft_wrap=True)

    def print_borrowed(self, tasks: list[Task]) -> None:
        """Print which tasks are borrowed from the reference, if any."""
        if tasks:
            numbers = ", ".join(str(task.number) for task in tasks)
            self.print(f"(Not written here, so borrowed from the reference: task {numbers}.)")
