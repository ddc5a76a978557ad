"""A disk that is full, and one that cannot be written: what every command says and leaves."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fault_injection.table import Row
from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.files import TEMPORARY_PREFIX
from tests.conftest import Workshop, open_workshop

SIZE = 96  # MB, of a disk in memory
TASK = TASKS[0]
WORK = "precious = 'work'\n"
CELL = f"%%task {TASK.number}\nanother = 'text'\n"
NOTEBOOK = f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in ["%load_ext minigpt_challenge", {CELL!r}]:
    shell.run_cell(cell)
"""
TRAIN = ("train", "--solutions", "--steps", "2")


@dataclass(frozen=True)
class Command:
    """What is typed, and whether it is in vain where nothing can be written."""

    arguments: tuple[str, ...]
    in_vain: bool

    def run(self, workshop: Workshop, **environment: str) -> subprocess.CompletedProcess:
        if self.arguments == NOTEBOOK_CELL:
            return workshop.python("-c", NOTEBOOK, **environment)
        return workshop.minigpt(*self.arguments, **environment)


NOTEBOOK_CELL = (f"%%task {TASK.number}",)
COMMANDS = (
    Command((), in_vain=False),
    Command(("start",), in_vain=False),
    Command(("check", "1", "--solutions"), in_vain=False),
    Command(("check", "1"), in_vain=False),
    Command(("hint", "1"), in_vain=False),
    Command(("solution", "1", "--yes"), in_vain=False),
    Command(("history", "1"), in_vain=False),
    Command(("sample",), in_vain=False),
    Command(("check", "1", "--gradescope", "results.json"), in_vain=True),
    Command(("reset", "1"), in_vain=True),
    Command(("history", "1", "--restore", "1"), in_vain=True),
    Command(TRAIN, in_vain=True),
    Command((*TRAIN, "--fresh"), in_vain=True),
    Command(("report", "--output", "another.html"), in_vain=True),
    Command(NOTEBOOK_CELL, in_vain=True),
)


def rows() -> list[Row]:
    """Run every command on both kinds of disk. Mounting needs root, on Linux."""
    meant = "no traceback; what cannot be done is said with a way out, all files as they were"
    cases = (
        ("disk full", _full, "No space left on device"),
        ("disk full, that of temporary files as well", _full_for_all, "No space left on device"),
        ("folder read-only", _read_only, "Read-only file system"),
    )
    return [_row(Row(f"{name}: every command", meant), *case) for name, *case in cases]


def _row(row: Row, spoil: Callable, words: str) -> Row:
    with _disk() as disk:
        if disk is None:
            row.remark = "not tried: no disk can be mounted here"
            return row
        workshop, environment = _furnished(disk)
        environment |= spoil(disk)
        for command in COMMANDS:
            before = _files(workshop.root)
            done = command.run(workshop, **environment)
            row.count(_lost(command, done, words, before, _files(workshop.root)))
    return row


@contextmanager
def _disk() -> Iterator[Path | None]:
    """A small disk of its own; None where that cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}M", "tmpfs", folder]
        if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def _furnished(disk: Path) -> tuple[Workshop, dict[str, str]]:
    """A workshop with something of everything in it, and the environment of its commands."""
    workshop, text = open_workshop(disk / "challenge"), disk / "text.txt"
    text.write_text("to be, or not to be: that is the question.\n" * 60)
    environment = {
        "MINIGPT_DATA": str(text),
        "JAX_COMPILATION_CACHE_DIR": str(workshop.root / ".minigpt" / "compiled"),
    }
    workshop.stub(TASK).write_text(WORK)
    for arguments in (("reset", "1"), ("history", "1", "--restore", "1"), TRAIN, ("report",)):
        done = workshop.minigpt(*arguments, **environment)
        if done.returncode:
            raise RuntimeError(done.stderr)
    shutil.rmtree(workshop.root / ".minigpt" / "checkpoints")  # or nothing were left to train
    return workshop, environment


def _full(disk: Path) -> dict[str, str]:
    with open(disk / "filler", "wb", buffering=0) as filler:
        for size in (2**20, 2**12, 1):
            try:
                while filler.write(b"x" * size):
                    pass
            except OSError:
                continue
    return {}


def _full_for_all(disk: Path) -> dict[str, str]:
    (disk / "tmp").mkdir()
    return _full(disk) | {"TMPDIR": str(disk / "tmp")}


def _read_only(disk: Path) -> dict[str, str]:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    return {}


def _files(root: Path) -> dict[Path, bytes]:
    """All that is the learner's, and what a failed write may have left."""
    ours = (root / ".minigpt" / "compiled",)
    return {
        path: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".lock") and path.parent not in ours
    }


def _lost(
    command: Command, done: subprocess.CompletedProcess, words: str, before: dict, after: dict
) -> list[str]:
    name, said = " ".join(command.arguments), f"{done.stdout}{done.stderr}"
    lost = [f"{name}: {path} changed" for path in before if after.get(path) != before[path]]
    lost += [f"{name}: {path} is left over" for path in after if TEMPORARY_PREFIX in path.name]
    if "Traceback" in said or done.returncode not in (0, 1):
        lost.append(f"{name}: exit code {done.returncode}, {said[-600:]}")
    elif command.in_vain:
        is_cell = command.arguments == NOTEBOOK_CELL  # IPython ends with 0 whatever it ran
        if words not in said or (not is_cell and done.returncode != 1):
            lost.append(f"{name}: exit code {done.returncode}, said was {said[-300:]!r}")
    return lost
