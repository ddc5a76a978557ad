"""What JAX's and Flax's own errors mean, in a learner's words."""

import re

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
