"""A training run, killed again and again until it is done."""

import random
import tempfile
from pathlib import Path

from benchmarks.fault_injection import work
from benchmarks.fault_injection.killing import killed
from benchmarks.fault_injection.table import Row

KILLS = 50
LONGEST = 1.5  # seconds after the first measurement; a checkpoint, every second step, takes 0.2


def rows() -> list[Row]:
    """Kill a run 50 times, over as many runs as it takes; each has to end like an unbroken one."""
    dice = random.Random(6)
    going_on = Row(
        "training killed (SIGKILL) at a random moment",
        "the next start goes on from the last checkpoint",
    )
    ending = Row("such runs, gone on with to the end", "all losses and weights as if unbroken")
    while_writing = 0
    with tempfile.TemporaryDirectory() as folder:
        expected = _ended(_new(folder, "unbroken"))
        while going_on.times < KILLS:
            broken, whole = _new(folder, f"run {ending.times}"), None
            while killed(work.train, broken, moment=dice.uniform(0, LONGEST)):
                going_on.count(_lost(broken, whole))
                while_writing += any((broken / "run").glob("*.orbax-checkpoint-tmp*"))
                whole = _last_checkpoint(broken)
            same = _ended(broken) == expected
            ending.count([] if same else [f"{broken.name} ended differently"])
    going_on.remark = f"{while_writing} killed while a checkpoint was being written"
    return [going_on, ending]


def _new(parent: str, name: str) -> Path:
    folder = Path(parent, name)
    folder.mkdir()
    return folder


def _ended(folder: Path) -> str:
    """What came of the run, once it has come to its end."""
    killed(work.train, folder, moment=float("inf"))
    return (folder / "ended.json").read_text()


def _last_checkpoint(folder: Path) -> int | None:
    """The step of the last checkpoint that was written to its end."""
    return max(
        (int(path.name) for path in (folder / "run").glob("*") if path.name.isdecimal()),
        default=None,
    )


def _lost(folder: Path, whole: int | None) -> list[str]:
    """Whether the life that was just ended had begun where the one before had come to."""
    said = folder / "said"
    last = said.read_text().splitlines()[-1] if said.exists() else None
    expected = f"Going on with the run that was kept: {whole} steps are done." if whole else None
    return [] if last == expected else [f"{folder.name}: {last!r} in place of {expected!r}"]
