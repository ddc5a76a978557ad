"""A training run that survives a disconnect: what it has reached is kept on disk, by Orbax."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import orbax.checkpoint as ocp
from flax.training.train_state import TrainState

# A checkpoint is written in full and then renamed, and the one before goes only after that: one
# of them is whole at every moment.
OPTIONS = ocp.CheckpointManagerOptions(max_to_keep=1, enable_async_checkpointing=False)


class Kept(NamedTuple):
    """What a run needs to go on as if nothing had happened."""

    state: TrainState
    best_state: TrainState
    history: list[list[float]]  # a row for each measurement


@dataclass(frozen=True)
class Checkpoints:
    """Where a run is kept, and what must be the same for it to go on.

    Attributes:
        folder: the run's own; made when needed.
        identity: what the run depends on, each under a name that can stand in a sentence ("the
            text", "your code"), as a value to be compared. A run goes on only if all are equal.
        say: gets a sentence whenever a run is resumed, or one found here cannot be.
    """

    folder: Path
    identity: dict[str, str]
    say: Callable[[str], None] = print

    def save(self, state: TrainState, best_state: TrainState, history: Sequence) -> None:
        """Keep the run as it stands after its last measurement.

        Raises:
            OSError: it cannot be written; the checkpoint before is still there.
        """
        arguments = ocp.args.Composite(
            arrays=ocp.args.StandardSave(_arrays(state, best_state)),
            history=ocp.args.JsonSave([list(measured) for measured in history]),
            identity=ocp.args.JsonSave(self.identity),
        )
        try:
            with ocp.CheckpointManager(self.folder.resolve(), options=OPTIONS) as manager:
                manager.save(history[-1][0], args=arguments, force=True)
        except OSError as error:
            error.filename = error.filename or str(self.folder)  # a full disk has no name
            raise

    def resume(self, fresh: TrainState) -> Kept | None:
        """What was kept; None where there is nothing, or nothing that fits. That is said.

        Args:
            fresh: the state before the first step, for its structure.
        """
        if not self.folder.is_dir():
            return None
        try:
            history, changed, restored = self._read(fresh)
        except LookupError:
            return None
        except FileNotFoundError as error:
            return self._start_anew(f"is damaged ({error})")
        except OSError:
            raise  # a drive that is away for a moment: what is on it is not damaged
        except Exception as error:  # Orbax has an exception for every kind of damage
            return self._start_anew(f"is damaged ({type(error).__name__})")
        if changed:
            others = " and ".join(changed)
            return self._start_anew(f"reached step {history[-1][0]:,}, but {others} changed since")
        self.say(f"Going on with the run that was kept: {history[-1][0]:,} steps are done.")
        state, best_state = (_with_leaves(fresh, restored[name]) for name in ("state", "best"))
        return Kept(state, best_state, history)

    def _read(self, fresh: TrainState) -> tuple[list, list[str], dict | None]:
        """The latest checkpoint: its history, what has changed since, and its arrays if nothing.

        Raises:
            LookupError: there is none.
        """
        described = ocp.args.Composite(
            history=ocp.args.JsonRestore(), identity=ocp.args.JsonRestore()
        )
        arrays = ocp.args.Composite(arrays=ocp.args.StandardRestore(_arrays(fresh, fresh)))
        with ocp.CheckpointManager(self.folder.resolve(), options=OPTIONS) as manager:
            latest = manager.latest_step()
            if latest is None:
                raise LookupError
            read = manager.restore(latest, args=described)
            was = read["identity"]
            if was.keys() != self.identity.keys():
                changed = ["what this challenge tells runs apart by"]
            else:
                changed = [name for name, value in self.identity.items() if was[name] != value]
            restored = None if changed else manager.restore(latest, args=arrays)["arrays"]
            return read["history"], changed, restored

    def _start_anew(self, why: str) -> None:
        """Set the run aside and say so."""
        aside = self.set_aside()
        self.say(
            f"The run kept in {self.folder} {why}. So this run starts anew; that one is now in "
            f"{aside}.{self.room_taken()}"
        )

    def set_aside(self) -> Path | None:
        """Make room for another run: rename the folder, and say where it is. None: no run here."""
        if not self.folder.is_dir():
            return None
        when = datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")
        aside = self.folder.with_name(f"{self.folder.name}_until_{when}")
        os.replace(self.folder, aside)
        return aside

    def room_taken(self) -> str:
        """How much room the runs take that were set aside, once they are several: a sentence.

        They are the learner's, so nobody else deletes them.
        """
        runs = list(self.folder.parent.glob(f"{self.folder.name}_until_*"))
        if len(runs) < 2:
            return ""
        files = [path for run in runs for path in run.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 2**20
        return (
            f" ({len(runs)} runs were set aside there so far and take {size:.0f} MB. They stay "
            "until you delete them.)"
        )


def _arrays(state: TrainState, best_state: TrainState) -> dict[str, list[np.ndarray]]:
    """Arrays of NumPy, so that a run begun on a GPU can go on without one."""
    return {
        name: [np.asarray(leaf) for leaf in jax.tree.leaves(one)]
        for name, one in (("state", state), ("best", best_state))
    }


def _with_leaves(fresh: TrainState, leaves: list[np.ndarray]) -> TrainState:
    return jax.tree.unflatten(jax.tree.structure(fresh), [jax.numpy.asarray(x) for x in leaves])
