"""Inject faults and count what is lost: `python -m benchmarks.fault_injection [KIND …]`.

The kinds of faults are training, files, disk, data and together; without one, all are injected. The
exit code is 1 if anything was lost.
"""

import importlib
import sys

from rich.console import Console

from benchmarks.fault_injection.table import show

KINDS = ("training", "files", "disk", "data", "together")


def main(chosen: list[str]) -> int:
    """Inject the chosen kinds of faults, or all; print the table and return the exit code."""
    if unknown := set(chosen) - set(KINDS):
        sys.exit(f"Unknown: {', '.join(unknown)}. The kinds are {', '.join(KINDS)}.")
    console, rows = Console(width=120), {}
    for kind in chosen or KINDS:
        with console.status(f"{kind} …"):
            rows[kind] = importlib.import_module(f"benchmarks.fault_injection.{kind}").rows()
    show(console, rows)
    return any(row.lost for kind in rows.values() for row in kind)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
