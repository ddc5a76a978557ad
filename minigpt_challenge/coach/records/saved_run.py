"""The trained GPTs: each run has a folder of its own in `my_gpt/`, or wherever it was asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flax import serialization

from minigpt_challenge.coach.course.curriculum import ROOT
from minigpt_challenge.errors import UserError

FOLDER = ROOT / "my_gpt"
MILESTONE = "milestone"  # the name of the run with the milestone's setting
# Of the fields in a weights file, where it matters.
KINDS: dict[str, Any] = {
    "params": dict,
    "characters": str,
    "solutions": bool,
    "loss": float,
    "sizes": dict,
    "steps": int,
    "seconds": float,
    "device": str,
    "untrained": str,
}


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run. Its files need not exist yet."""

    path: Path

    @property
    def name(self) -> str:
        """What `--run` calls it: its name in `my_gpt/`, or the path of its folder."""
        return self.path.name if self.path.parent == FOLDER else str(self.path)

    @property
    def weights(self) -> Path:
        return self.path / "weights.msgpack"

    @property
    def curve(self) -> Path:
        return self.path / "loss_curve.png"

    @property
    def sample(self) -> Path:
        return self.path / "sample.txt"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def fields(self) -> dict[str, Any]:
        """What was saved with the weights, and these; empty if the file is missing or damaged."""
        return saved(self.weights)


def named(name: str) -> RunFolder:
    """The run with this name in `my_gpt/`; it need not exist."""
    return RunFolder(FOLDER / name)


def runs() -> list[RunFolder]:
    """The runs in `my_gpt/` that have weights, the one saved last first.

    Weights in `my_gpt/` itself come from version 0.1.
    """
    folders = [FOLDER, *FOLDER.iterdir()] if FOLDER.is_dir() else []
    found = [run for run in map(RunFolder, folders) if run.weights.is_file()]
    return sorted(found, key=lambda run: run.weights.stat().st_mtime, reverse=True)


def find(name: str | None) -> RunFolder:
    """The run with this name, or in this folder; without a name the one that was saved last.

    Raises:
        UserError: there is none.
    """
    known = runs()
    if name is None and known:
        return known[0]
    if not known and name is None:
        raise UserError("There are no weights yet: train your GPT with `minigpt train` first.")
    for run in (named(str(name)), RunFolder(Path(str(name)).expanduser())):
        if run.weights.is_file():
            return run
    names = ", ".join(run.name for run in known)
    raise UserError(
        f"There is no run {name}. " + (f"The runs are: {names}." if names else "There is none yet.")
    )


def saved(weights: Path) -> dict[str, Any]:
    """The fields of a saved weights file; empty if the file is missing or damaged.

    A field that is not of its kind is left out.
    """
    try:
        packed = serialization.msgpack_restore(weights.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if not isinstance(packed, dict):
        return {}
    return {
        name: value for name, value in packed.items() if isinstance(value, KINDS.get(name, object))
    }
