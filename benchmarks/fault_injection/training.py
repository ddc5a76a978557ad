"""Kill a training run again and again until it is finished."""

import random
import tempfile
from pathlib import Path

from benchmarks.fault_injection import work
from benchmarks.fault_injection.killing import run_and_kill
from benchmarks.fault_injection.table import Row

KILLS = 50
MAX_DELAY_S = 1.5  # after the first measurement; a checkpoint, every second step, takes 0.2


def rows() -> list[Row]:
    """Kill runs 50 times in all; each must end like an uninterrupted one."""
    rng = random.Random(6)
    resuming = Row(
        "training killed (SIGKILL) at a random time",
        "the next start resumes from the last checkpoint",
    )
    ending = Row("such runs, resumed to the end", "losses and weights of an uninterrupted run")
    while_writing = 0
    with tempfile.TemporaryDirectory() as folder:
        expected = _train_to_end(_new_folder(folder, "uninterrupted"))
        while resuming.times < KILLS:
            run, last_step = _new_folder(folder, f"run {ending.times}"), None
            while run_and_kill(work.train, run, delay=rng.uniform(0, MAX_DELAY_S)):
                resuming.count(_lost(run, last_step))
                while_writing += any((run / "run").glob("*.orbax-checkpoint-tmp*"))
                last_step = _last_checkpoint(run)
            same = _train_to_end(run) == expected
            ending.count([] if same else [f"{run.name} ended differently"])
    resuming.remark = f"{while_writing} killed while a checkpoint was being written"
    return [resuming, ending]


def _new_folder(parent: str, name: str) -> Path:
    folder = Path(parent, name)
    folder.mkdir()
    return folder


def _train_to_end(folder: Path) -> str:
    """Resume the run until its end, and return its results."""
    run_and_kill(work.train, folder, delay=float("inf"))
    return (folder / "results.json").read_text()


def _last_checkpoint(folder: Path) -> int | None:
    """The step of the last complete checkpoint."""
    return max(
        (int(path.name) for path in (folder / "run").glob("*") if path.name.isdecimal()),
        default=None,
    )


def _lost(folder: Path, step: int | None) -> list[str]:
    """The process just killed must have resumed from `step`, the last checkpoint before it."""
    messages = folder / "messages"
    last = messages.read_text().splitlines()[-1] if messages.exists() else None
    expected = f"Resuming the saved run: {step} steps are done." if step else None
    return [] if last == expected else [f"{folder.name}: {last!r} instead of {expected!r}"]
