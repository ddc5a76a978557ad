"""What to train, and the folder that it is saved in: what `minigpt train` is asked for."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from minigpt_challenge.coach.records.saved_run import MILESTONE as MILESTONE_NAME
from minigpt_challenge.coach.records.saved_run import RunFolder, named
from minigpt_challenge.coach.training.setting import MILESTONE, PRESETS, Setting
from minigpt_challenge.errors import UserError
from minigpt_challenge.given import milestone
from minigpt_challenge.given.fast import FAST_STEPS
from minigpt_challenge.given.vocabulary import SHAKESPEARE, Vocabulary

# How a run without a name is called after what its setting changes.
SHORT_NAMES = {
    "num_layers": "layers",
    "num_heads": "heads",
    "hidden_dim": "width",
    "block_size": "context",
    "batch_size": "batch",
    "learning_rate": "rate",
    "bfloat16": "bfloat16",
}


@dataclass(frozen=True)
class Plan:
    """What to train.

    Attributes:
        setting: the sizes of the GPT, and how it is trained.
        steps: the maximum number of steps; None for as many as the recipe has.
        until: the evaluation loss to get below; None for the milestone's, if it counts.
        seed: of the initial weights and the batches.
        fast: whether to use the recipe of `given/fast.py`.
        fresh: whether to start from the beginning, even if there is a saved run.
        solutions: whether to train the reference instead of the learner's code.
        data: a text file; None for Shakespeare.
        name: the name of the run; None to make one up.
        output: the folder to save it in, instead of one in `my_gpt/`.
        processes: how many processes train together.
    """

    setting: Setting = field(default_factory=Setting)
    steps: int | None = None
    until: float | None = None
    seed: int = 0
    fast: bool = False
    fresh: bool = False
    solutions: bool = False
    data: Path | None = None
    name: str | None = None
    output: Path | None = None
    processes: int = 1

    @property
    def max_steps(self) -> int:
        return self.steps or (FAST_STEPS if self.fast else self.setting.max_steps)

    @property
    def folder(self) -> RunFolder:
        """Where the run is saved. Runs that differ have different names."""
        if self.output:
            return RunFolder(self.output.expanduser().absolute())
        return named(self.name or self._made_up_name())

    def _made_up_name(self) -> str:
        """`milestone`, or what differs from it, such as `layers6-width384` or `fast`."""
        presets = (key for key, each in PRESETS.items() if each == self.setting != MILESTONE)
        parts = list(presets) or [
            SHORT_NAMES[key] if value is True else f"{SHORT_NAMES[key]}{value}"
            for key, value in self.setting.differences().items()
        ]
        parts += ["text_" + re.sub(r"\W+", "_", self.data.stem)] if self.data else []
        parts += [f"seed{self.seed}"] if self.seed else []
        parts += ["fast"] if self.fast else []
        parts += [f"processes{self.processes}"] if self.processes > 1 else []
        parts += ["solutions"] if self.solutions else []
        return "-".join(parts) or MILESTONE_NAME

    def counts(self, vocabulary: Vocabulary) -> bool:
        """Whether the run can reach the milestone: only at its own setting, on Shakespeare."""
        return vocabulary == SHAKESPEARE and self.setting == MILESTONE

    def target(self, vocabulary: Vocabulary) -> float | None:
        """The evaluation loss to get below; None to train all steps."""
        if self.until is not None:
            return self.until
        return milestone.TARGET_LOSS if self.counts(vocabulary) else None


def stop_at(target: float | None) -> float | None:
    """The loss on the sample of the evaluation text at which training for a target stops."""
    return None if target is None else target - milestone.MARGIN


def valid_name(name: str) -> str:
    """The name, if it can be that of a folder in `my_gpt/`.

    Raises:
        UserError: it cannot.
    """
    if not re.fullmatch(r"\w[\w-]*", name):  # nothing with a dot, such as report.html
        raise UserError(
            f"A run cannot be called {name!r}: use letters, digits, - and _. To save it in another "
            "folder, use --output."
        )
    return name
