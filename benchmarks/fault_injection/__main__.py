"""Inject faults, and count in one table what survived them: `python -m benchmarks.fault_injection`.

Names after it choose kinds of faults: training, files, disk, data, together. It ends with exit
code 1 if anything was lost.
"""

import importlib
import sys

from rich.console import Console

from benchmarks.fault_injection.table import show

KINDS = ("training", "files", "disk", "data", "together")


def main(chosen: list[str]) -> int:
    """Run the kinds that were chosen, or all; print the table."""
    if unknown := set(chosen) - set(KINDS):
        sys.exit(f"What is {', '.join(unknown)}? There are {', '.join(KINDS)}.")
    console, rows = Console(width=120), {}
    for kind in chosen or KINDS:
        with console.status(f"{kind} …"):
            rows[kind] = importlib.import_module(f"benchmarks.fault_injection.{kind}").rows()
    show(console, rows)
    return any(row.lost for kind in rows.values() for row in kind)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
