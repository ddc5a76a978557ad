"""What an answer in the bank is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """A file that a learner might hand in.

    Attributes:
        name: says what is special about it.
        text: the whole file.
        faults: the ids of the faults that it has and that the fault model knows; a diagnosis may
            name these and no others. Empty for a wrong answer that the model does not cover.
        right: whether it should pass.
    """

    name: str
    text: str
    faults: frozenset[str] = frozenset()
    right: bool = False


def right(name: str, text: str) -> Answer:
    """An answer that should pass."""
    return Answer(name, text, right=True)


def wrong(name: str, text: str, *faults: str) -> Answer:
    """An answer that should be refused, and may be diagnosed with these faults."""
    return Answer(name, text, frozenset(faults))
