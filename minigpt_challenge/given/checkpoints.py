"""Save a training run to disk with Orbax, so that it can be resumed after a disconnect."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import orbax.checkpoint as ocp
from flax.training.train_state import TrainState

from minigpt_challenge.files import timestamp

# Orbax writes a checkpoint in full, renames it, and only then deletes the one before: at every
# moment one of them is complete.
OPTIONS = ocp.CheckpointManagerOptions(max_to_keep=1, enable_async_checkpointing=False)


class Checkpoint(NamedTuple):
    """Everything that a run needs to resume as if it had never stopped."""

    step: int  # how many steps the state has made
    state: TrainState
    best_state: TrainState
    record: dict[str, Any]  # what else the run has to know, as JSON


@dataclass(frozen=True)
class Checkpoints:
    """Where a run is saved, and what must be unchanged for it to be resumed.

    Attributes:
        folder: for this run only; created when needed.
        identity: what the run depends on, by a name that fits into a sentence ("the text", "your
            code"). A run is resumed only if all values are equal.
        report: called with a message when a run is resumed, or when a saved one cannot be.
    """

    folder: Path
    identity: dict[str, str]
    report: Callable[[str], None] = print

    def save(self, checkpoint: Checkpoint) -> None:
        """Save the run, unless it is saved at this step already.

        Raises:
            OSError: it cannot be written; the checkpoint before is still there.
        """
        step, state, best_state, record = checkpoint
        arguments = ocp.args.Composite(
            arrays=ocp.args.StandardSave(_arrays(state, best_state)),
            record=ocp.args.JsonSave(record),
            identity=ocp.args.JsonSave(self.identity),
        )
        try:
            with ocp.CheckpointManager(self.folder.resolve(), options=OPTIONS) as manager:
                if manager.latest_step() != step:
                    manager.save(step, args=arguments, force=True)
        except OSError as error:
            error.filename = error.filename or str(self.folder)  # a full disk names no file
            raise

    def resume(self, fresh: TrainState) -> Checkpoint | None:
        """Load the saved run; return None if there is none, or (and report it) none that fits.

        Args:
            fresh: the state before the first step, for its structure.
        """
        if not self.folder.is_dir():
            return None
        try:
            step, record, changed, restored = self._read(fresh)
        except LookupError:
            return None
        except FileNotFoundError as error:
            self._start_over(f"is damaged ({error})")
            return None
        except OSError:
            raise  # the drive may be unavailable for a moment, its files undamaged
        except Exception as error:  # Orbax raises many types for damaged files
            self._start_over(f"is damaged ({type(error).__name__})")
            return None
        if restored is None:
            self._start_over(f"is at step {step:,}, but {' and '.join(changed)} changed since")
            return None
        self.report(f"Resuming the saved run: {step:,} steps are done.")
        state, best_state = (_with_leaves(fresh, restored[name]) for name in ("state", "best"))
        return Checkpoint(step, state, best_state, record)

    def _read(self, fresh: TrainState) -> tuple[int, dict, list[str], dict | None]:
        """Read the latest checkpoint.

        Returns:
            its step and record, the names of what changed since, and its arrays if nothing did.

        Raises:
            LookupError: there is none.
        """
        metadata = ocp.args.Composite(
            record=ocp.args.JsonRestore(), identity=ocp.args.JsonRestore()
        )
        arrays = ocp.args.Composite(arrays=ocp.args.StandardRestore(_arrays(fresh, fresh)))
        with ocp.CheckpointManager(self.folder.resolve(), options=OPTIONS) as manager:
            latest = manager.latest_step()
            if latest is None:
                raise LookupError
            read = manager.restore(latest, args=metadata)
            saved = read["identity"]
            if saved.keys() != self.identity.keys():
                changed = ["the version of the challenge"]
            else:
                changed = [name for name, value in self.identity.items() if saved[name] != value]
            restored = None if changed else manager.restore(latest, args=arrays)["arrays"]
            return latest, read["record"], changed, restored

    def _start_over(self, reason: str) -> None:
        """Set the saved run aside and report it."""
        aside = self.set_aside()
        self.report(
            f"The run saved in {self.folder} {reason}. This run starts from the beginning; the "
            f"saved one is now in {aside}.{self.disk_usage_note()}"
        )

    def set_aside(self) -> Path | None:
        """Rename the folder of the saved run and return its new path; None if there is none."""
        if not self.folder.is_dir():
            return None
        aside = self.folder.with_name(f"{self.folder.name}_until_{timestamp()}")
        os.replace(self.folder, aside)
        return aside

    def disk_usage_note(self) -> str:
        """A sentence about the disk space of the runs set aside; empty if there is at most one.

        They belong to the learner, so they are never deleted here.
        """
        runs = list(self.folder.parent.glob(f"{self.folder.name}_until_*"))
        if len(runs) < 2:
            return ""
        files = [path for run in runs for path in run.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 2**20
        return (
            f" ({len(runs)} runs have been set aside there and take {size:.0f} MB. They stay "
            "until you delete them.)"
        )


def _arrays(state: TrainState, best_state: TrainState) -> dict[str, list[np.ndarray]]:
    """The leaves as NumPy arrays, so that a run from a GPU can be resumed without one."""
    return {
        name: [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
        for name, tree in (("state", state), ("best", best_state))
    }


def _with_leaves(fresh: TrainState, leaves: list[np.ndarray]) -> TrainState:
    return jax.tree.unflatten(jax.tree.structure(fresh), [jax.numpy.asarray(x) for x in leaves])
