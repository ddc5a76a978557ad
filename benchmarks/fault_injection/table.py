"""The table of results: for each kind of fault, how often it was injected and what was lost."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass
class Row:
    """One kind of fault.

    Attributes:
        fault: what was done.
        requirement: what must hold afterwards.
        times: how often the fault was injected.
        held: how often the requirement held.
        lost: a line for each thing that was lost, read in part, or not reported.
        remark: anything else.
    """

    fault: str
    requirement: str
    times: int = 0
    held: int = 0
    lost: list[str] = field(default_factory=list)
    remark: str = ""

    def count(self, lost: Iterable[str]) -> None:
        """Count one more injection, and what was lost in it."""
        lines = list(lost)
        self.times += 1
        self.held += not lines
        self.lost += lines


def show(console: Console, kinds: dict[str, list[Row]]) -> None:
    """Print the table, then what was lost."""
    table = Table(title="Faults injected")
    for heading in ("fault", "requirement"):
        table.add_column(heading, overflow="fold")
    for heading in ("times", "held", "lost"):
        table.add_column(heading, justify="right")
    for rows in kinds.values():
        for row in rows:
            remark = f" ({row.remark})" if row.remark else ""
            counts = (f"{row.times:,}", f"{row.held:,}", f"{len(row.lost):,}")
            table.add_row(row.fault, f"{row.requirement}{remark}", *counts)
        table.add_section()
    console.print(table)
    for rows in kinds.values():
        for row in rows:
            for lost in row.lost[:5]:
                console.print(f"LOST · {row.fault}: {lost}", style="red", markup=False)
