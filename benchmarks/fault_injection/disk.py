"""Run every command on a full disk and in a read-only folder."""

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

DISK_SIZE_MB = 96  # in memory
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
    """The arguments of a command, and whether it must fail if it cannot write."""

    arguments: tuple[str, ...]
    must_fail: bool

    def run(self, workshop: Workshop, **environment: str) -> subprocess.CompletedProcess:
        if self.arguments == NOTEBOOK_CELL:
            return workshop.python("-c", NOTEBOOK, **environment)
        return workshop.minigpt(*self.arguments, **environment)


NOTEBOOK_CELL = (f"%%task {TASK.number}",)
COMMANDS = (
    Command((), must_fail=False),
    Command(("start",), must_fail=False),
    Command(("check", "1", "--solutions"), must_fail=False),
    Command(("check", "1"), must_fail=False),
    Command(("hint", "1"), must_fail=False),
    Command(("solution", "1", "--yes"), must_fail=False),
    Command(("history", "1"), must_fail=False),
    Command(("sample",), must_fail=False),
    Command(("check", "1", "--gradescope", "results.json"), must_fail=True),
    Command(("reset", "1"), must_fail=True),
    Command(("history", "1", "--restore", "1"), must_fail=True),
    Command(TRAIN, must_fail=True),
    Command((*TRAIN, "--fresh"), must_fail=True),
    Command(("report", "--output", "another.html"), must_fail=True),
    Command(NOTEBOOK_CELL, must_fail=True),
)


def rows() -> list[Row]:
    """Run every command on each kind of disk. Mounting needs Linux and root."""
    requirement = "no traceback; failures are reported with a way out; all files are unchanged"
    cases = (
        ("disk full", _fill, "No space left on device"),
        ("disk full, also for temporary files", _fill_with_temporary, "No space left on device"),
        ("folder read-only", _make_read_only, "Read-only file system"),
    )
    return [_row(Row(f"{name}: every command", requirement), *case) for name, *case in cases]


def _row(row: Row, break_disk: Callable, error: str) -> Row:
    with _mounted_disk() as disk:
        if disk is None:
            row.remark = "not tried: no disk can be mounted here"
            return row
        workshop, environment = _make_workshop(disk)
        environment |= break_disk(disk)
        for command in COMMANDS:
            before = _files(workshop.root)
            completed = command.run(workshop, **environment)
            row.count(_lost(command, completed, error, before, _files(workshop.root)))
    return row


@contextmanager
def _mounted_disk() -> Iterator[Path | None]:
    """A small disk in memory; None if it cannot be mounted."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE_MB}M", "tmpfs", folder]
        if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def _make_workshop(disk: Path) -> tuple[Workshop, dict[str, str]]:
    """A workshop with every kind of file in it, and the environment of its commands."""
    workshop, text = open_workshop(disk / "challenge"), disk / "text.txt"
    text.write_text("to be, or not to be: that is the question.\n" * 60)
    environment = {
        "MINIGPT_DATA": str(text),
        "JAX_COMPILATION_CACHE_DIR": str(workshop.root / ".minigpt" / "compiled"),
    }
    workshop.stub(TASK).write_text(WORK)
    for arguments in (("reset", "1"), ("history", "1", "--restore", "1"), TRAIN, ("report",)):
        completed = workshop.minigpt(*arguments, **environment)
        if completed.returncode:
            raise RuntimeError(completed.stderr)
    shutil.rmtree(workshop.root / ".minigpt" / "checkpoints")  # so that there is something to train
    return workshop, environment


def _fill(disk: Path) -> dict[str, str]:
    with open(disk / "filler", "wb", buffering=0) as filler:
        for size in (2**20, 2**12, 1):
            try:
                while filler.write(b"x" * size):
                    pass
            except OSError:
                continue
    return {}


def _fill_with_temporary(disk: Path) -> dict[str, str]:
    (disk / "tmp").mkdir()
    return _fill(disk) | {"TMPDIR": str(disk / "tmp")}


def _make_read_only(disk: Path) -> dict[str, str]:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    return {}


def _files(root: Path) -> dict[Path, bytes]:
    """The learner's files, and leftovers of failed writes."""
    compiled = root / ".minigpt" / "compiled"
    return {
        path: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".lock") and path.parent != compiled
    }


def _lost(
    command: Command, completed: subprocess.CompletedProcess, error: str, before: dict, after: dict
) -> list[str]:
    name, code = " ".join(command.arguments), completed.returncode
    output = f"{completed.stdout}{completed.stderr}"
    lost = [f"{name}: {path} changed" for path in before if after.get(path) != before[path]]
    lost += [f"{name}: {path} is left over" for path in after if TEMPORARY_PREFIX in path.name]
    if "Traceback" in output or code not in (0, 1):
        lost.append(f"{name}: exit code {code}, {output[-600:]}")
    elif command.must_fail:
        is_cell = command.arguments == NOTEBOOK_CELL  # IPython always exits with 0
        if error not in output or (not is_cell and code != 1):
            lost.append(f"{name}: exit code {code}, the output was {output[-300:]!r}")
    return lost
