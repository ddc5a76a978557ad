"""What was done, how often, what was noticed, and what was lost: a row for each kind of fault."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass
class Row:
    """One kind of fault.

    Attributes:
        fault: what was done.
        times: how often it was done.
        survived: how often all was as it should be afterwards, or the fault was named.
        meant: what "survived" means here.
        lost: what was lost or half read or not said: a line each. None is the only good number.
        remark: what else there is to say.
    """

    fault: str
    meant: str
    times: int = 0
    survived: int = 0
    lost: list[str] = field(default_factory=list)
    remark: str = ""

    def count(self, what_was_lost: Iterable[str]) -> None:
        """One more time: nothing was lost, or this."""
        lost = list(what_was_lost)
        self.times += 1
        self.survived += not lost
        self.lost += lost


def show(console: Console, kinds: dict[str, list[Row]]) -> None:
    """Print the table, and under it what was lost."""
    table = Table(title="Faults injected")
    for heading in ("fault", "what has to hold"):
        table.add_column(heading, overflow="fold")
    for heading in ("times", "held", "lost"):
        table.add_column(heading, justify="right")
    for rows in kinds.values():
        for row in rows:
            meant = f"{row.meant} ({row.remark})" if row.remark else row.meant
            counts = (f"{row.times:,}", f"{row.survived:,}", f"{len(row.lost):,}")
            table.add_row(row.fault, meant, *counts)
        table.add_section()
    console.print(table)
    for rows in kinds.values():
        for row in rows:
            for lost in row.lost[:5]:
                console.print(f"LOST · {row.fault}: {lost}", style="red", markup=False)
