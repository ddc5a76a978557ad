"""The loss ladder: how far down each part of the model brings the loss, and what it writes."""

import json
import math
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER
from minigpt_challenge.files import locked, write_text

LADDER_FILE = STATE_FOLDER / "ladder.json"
LONGEST_SAMPLE = 500  # characters


@dataclass(frozen=True)
class Rung:
    """A model that was trained.

    Attributes:
        name: its place's.
        loss: its evaluation loss, in nats per character.
        sample: what it writes.
        borrowed: the numbers of the tasks that the reference stood in for.
    """

    name: str
    loss: float
    sample: str
    borrowed: tuple[int, ...] = ()

    @property
    def remark(self) -> str:
        """Whose work it is, where it is not all the learner's own; empty where it is."""
        numbers = ", ".join(map(str, self.borrowed))
        return f"task {numbers} borrowed" if numbers else ""


@dataclass(frozen=True)
class Place:
    """Where a rung belongs. `typical` is about the loss that the reference reaches there."""

    name: str
    typical: float
    explained: str


UNIFORM = Rung(
    "uniform",
    math.log(65),
    "v?JqE'nW,TbzkK;yXhCr!QfaOMd\niP:sLgB.UwDx-uGZlReSpj&tYHoFc\n",
)
MILESTONE = "training step"
PLACES = (
    Place(UNIFORM.name, UNIFORM.loss, "a blind guess"),
    Place("bigram", 2.48, "sees one character"),
    Place("+ embedding", 2.49, "knows its place"),
    Place("+ attention", 2.36, "one head looks back"),
    Place("+ many heads", 2.17, "four heads look back"),
    Place("+ blocks", 2.02, "two blocks, 1,000 steps"),
    Place(MILESTONE, 1.87, "four blocks, your own step"),
)


def rungs() -> tuple[Rung, ...]:
    """All rungs reached so far, from the top down. The uniform guess is always there."""
    reached = {UNIFORM.name: UNIFORM}
    # A damaged file is as good as none: the next run mends it.
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        for record in json.loads(LADDER_FILE.read_text(encoding="utf-8")):
            borrowed = tuple(int(number) for number in record.get("borrowed", ()))
            loss, sample = float(record["loss"]), str(record["sample"])
            rung = Rung(str(record["name"]), loss, sample, borrowed)
            if math.isfinite(rung.loss):
                reached[rung.name] = rung
    return tuple(reached[place.name] for place in PLACES if place.name in reached)


def milestone() -> Rung | None:
    """The learner's own GPT, once it has been at its goal with nothing borrowed."""
    return next((rung for rung in rungs() if rung.name == MILESTONE and not rung.borrowed), None)


def remember(rung: Rung) -> None:
    """Add the rung to the ladder, in the place of one that has the same name."""
    cut = replace(rung, sample=rung.sample[:LONGEST_SAMPLE])
    with locked(LADDER_FILE):
        others = [other for other in rungs() if other.name not in (rung.name, UNIFORM.name)]
        records = [asdict(other) for other in (*others, cut)]
        write_text(LADDER_FILE, json.dumps(records, indent=2) + "\n")


def in_words(rungs: tuple[Rung, ...]) -> str:
    """The ladder where no picture can be shown: a line for each rung that is reached."""
    return "\n".join(f"{rung.name:14} {rung.loss:.2f} {rung.remark}".rstrip() for rung in rungs)
