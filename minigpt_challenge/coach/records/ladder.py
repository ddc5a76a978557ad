"""The loss ladder: the loss that the model reaches with each part, and a sample of its text."""

import math
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER
from minigpt_challenge.coach.records import json_store

LADDER_FILE = STATE_FOLDER / "ladder.json"
MAX_SAMPLE = 500  # characters
MAX_PERPLEXITY = 1_000  # no exact number above it


@dataclass(frozen=True)
class Rung:
    """A trained model.

    Attributes:
        name: the name of its place.
        loss: its evaluation loss, in nats per character.
        sample: text that it generated.
        borrowed: the numbers of the tasks whose code was the reference's.
    """

    name: str
    loss: float
    sample: str
    borrowed: tuple[int, ...] = ()

    @property
    def remark(self) -> str:
        """Which tasks are borrowed; empty if all code is the learner's own."""
        numbers = ", ".join(map(str, self.borrowed))
        return f"task {numbers} borrowed" if numbers else ""


@dataclass(frozen=True)
class Place:
    """A place on the ladder.

    Attributes:
        name: the part that the model has gained.
        caption: a few words on what the model can do.
    """

    name: str
    caption: str


UNIFORM = Rung(
    "uniform",
    math.log(65),
    "v?JqE'nW,TbzkK;yXhCr!QfaOMd\niP:sLgB.UwDx-uGZlReSpj&tYHoFc\n",
)
MILESTONE = "training step"
PLACES = (
    Place(UNIFORM.name, "a blind guess"),
    Place("bigram", "sees one character"),
    Place("+ embedding", "knows its place"),
    Place("+ attention", "one head looks back"),
    Place("+ many heads", "four heads look back"),
    Place("+ blocks", "two blocks, 1,000 steps"),
    Place(MILESTONE, "four blocks, your own step"),
)


def rungs() -> tuple[Rung, ...]:
    """All rungs reached, from the top down. The uniform guess is always one of them."""
    return _parse(json_store.read(LADDER_FILE, list))


def _parse(records: list) -> tuple[Rung, ...]:
    reached = {UNIFORM.name: UNIFORM}
    for record in records:
        with suppress(ValueError, TypeError, KeyError, AttributeError):  # a damaged record
            borrowed = tuple(int(number) for number in record.get("borrowed", ()))
            loss, sample = float(record["loss"]), str(record["sample"])
            rung = Rung(str(record["name"]), loss, sample, borrowed)
            if math.isfinite(rung.loss):
                reached[rung.name] = rung
    return tuple(reached[place.name] for place in PLACES if place.name in reached)


def milestone() -> Rung | None:
    """The rung of the learner's own GPT; None until it reaches its target with nothing borrowed."""
    return next((rung for rung in rungs() if rung.name == MILESTONE and not rung.borrowed), None)


def remember(rung: Rung) -> None:
    """Add the rung to the ladder; it replaces one with the same name.

    Raises:
        OSError: the ladder cannot be written.
        LockHeld: another process is writing and does not finish.
    """
    new = replace(rung, sample=rung.sample[:MAX_SAMPLE])
    replaced = (rung.name, UNIFORM.name)

    def change(records: list) -> list:
        others = [other for other in _parse(records) if other.name not in replaced]
        return [asdict(other) for other in (*others, new)]

    json_store.update(LADDER_FILE, list, change)


def perplexity(loss: float) -> str:
    """Among how many equally likely characters a model would be as unsure: e to its loss."""
    if loss > math.log(MAX_PERPLEXITY):
        return f"more than {MAX_PERPLEXITY:,} characters"
    number = math.exp(loss)
    return f"{number:.1f} characters" if number < 9.95 else f"{number:,.0f} characters"


def as_text(rungs: tuple[Rung, ...]) -> str:
    """The ladder without a picture: a line for each rung."""
    return "\n".join(
        f"{rung.name:14} {rung.loss:.2f}, as unsure as among {perplexity(rung.loss)}"
        f"{f', {rung.remark}' if rung.remark else ''}"
        for rung in rungs
    )
