"""The type of an answer in the bank."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """A file that a learner might hand in.

    Attributes:
        name: a short description of what is special about it.
        text: the content of the file.
        faults: the ids of its faults that the fault model covers; a diagnosis may name only these.
            Empty for a wrong answer that the model does not cover.
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
