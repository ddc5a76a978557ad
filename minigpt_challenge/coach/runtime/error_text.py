"""What JAX's and Flax's own errors mean, in a learner's words."""

import re
from itertools import chain
from pathlib import Path
from traceback import walk_tb

from minigpt_challenge.coach.grading.error_explanations import IN_OPTAX, PHRASES, WORDS

# What nobody reads: the address of a manual, a place in memory.
UNREAD = re.compile(r" \(https?://\S+\)| at 0x[0-9a-f]+")
VALUES = re.compile(r"\bArray\(\[.*?\],\s+(?=shape=|dtype=)", re.DOTALL)
LONGEST = 20_000  # characters in which arrays are looked for; JAX shows no more of one


def said_by(error: BaseException) -> str:
    """What the error says; empty where it fails to, as a learner's own may."""
    try:
        return str(error)
    except Exception:
        return ""


def in_one_line(error: BaseException) -> str:
    """The error's kind and the first line of what it says, arrays without their values."""
    said = UNREAD.sub("", said_by(error)[:LONGEST])
    said = VALUES.sub("Array(…, ", said).strip().split("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def meaning_of(error: BaseException) -> str:
    """What the error means, empty where there is nothing to add to what it says itself."""
    names = [kind.__name__ for kind in type(error).__mro__]
    by_name = (WORDS[name] for name in names if name in WORDS)
    said = f"{names[0]}: {said_by(error)}"
    in_optax = {
        frame.f_code.co_name
        for frame, _ in walk_tb(error.__traceback__)
        if "optax" in Path(frame.f_code.co_filename).parts
    }
    by_function = (
        words
        for (function, phrase), words in IN_OPTAX.items()
        if function in in_optax and phrase in said
    )
    by_phrase = (words for phrase, words in PHRASES.items() if phrase in said)
    return next(chain(by_name, by_function, by_phrase), "")
