"""The table of trained GPTs, for `minigpt runs`."""

from collections.abc import Iterable
from typing import Any

from rich.table import Table

from minigpt_challenge.coach.records.saved_run import RunFolder

HEADER = ("run", "", "loss", "steps", "layers × width", "context", "trained in")


def run_table(runs: Iterable[RunFolder]) -> Table:
    """A row for each run; what an older version did not save stays empty."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in HEADER:
        table.add_column(name, overflow="fold", no_wrap=bool(name) and name != "run")
    for run in runs:
        table.add_row(run.name, *_cells(run.fields()))
    return table


def _cells(saved: dict[str, Any]) -> tuple[str, ...]:
    sizes, loss = saved.get("sizes", {}), saved.get("loss")
    return (
        "[green]✓[/green]" if saved.get("milestone") is True else "",
        f"{loss:.3f}" if isinstance(loss, float) else "",
        f"{saved['steps']:,}" if "steps" in saved else "",
        f"{sizes.get('num_layers')} × {sizes.get('hidden_dim')}" if sizes else "",
        f"{sizes.get('block_size', '')}",
        f"{saved['seconds']:,.0f} s" if "seconds" in saved else "",
    )
