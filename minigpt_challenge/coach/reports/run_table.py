"""The table of trained GPTs, for `minigpt runs`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import jax
from rich.table import Table

from minigpt_challenge.coach.records.saved_run import SavedRun
from minigpt_challenge.coach.reports.trained_gpt import reached_milestone


def run_table(runs: Iterable[SavedRun]) -> Table:
    """A row for each run; what an older version did not save stays empty."""
    header = ("run", "loss", "steps", "layers × width", "context", "parameters", "trained", "saved")
    table = Table(*header, box=None, padding=(0, 2), header_style="dim")
    for run in runs:
        table.add_row(run.name, *_cells(run.fields()), _when(run))
    return table


def _cells(saved: dict[str, Any]) -> tuple[str, ...]:
    sizes, loss = saved.get("sizes"), saved.get("loss")
    milestone = " [green]✓ milestone[/green]" if reached_milestone(saved) else ""
    return (
        f"{loss:.3f}{milestone}" if isinstance(loss, float) else "",
        f"{saved['steps']:,}" if "steps" in saved else "",
        f"{sizes['num_layers']} × {sizes['hidden_dim']}" if sizes else "",
        f"{sizes['block_size']}" if sizes else "",
        f"{sum(leaf.size for leaf in jax.tree.leaves(saved.get('params'))):,}",
        f"{saved['seconds']:,.0f} s on {saved['device']}" if "seconds" in saved else "",
    )


def _when(run: SavedRun) -> str:
    saved_at = datetime.fromtimestamp(run.weights.stat().st_mtime)
    return f"{saved_at:%Y-%m-%d %H:%M}"
