"""Safe, short text for any error."""

import re

# Noise in a message: the link to a manual, a memory address.
NOISE = re.compile(r" \(https?://\S+\)| at 0x[0-9a-f]+")
ARRAY_VALUES = re.compile(r"\bArray\(\[.*?\],\s+(?=shape=|dtype=)", re.DOTALL)
MAX_MORE = 400  # characters after a first line that ends with a colon
MAX_LENGTH = 20_000  # characters that are searched for arrays; JAX prints no more of one


def message_text(error: BaseException) -> str:
    """The error's message; empty if its `__str__` fails, as a learner's own class may."""
    try:
        return str(error)
    except Exception:
        return ""


def in_one_line(error: BaseException) -> str:
    """The error's type and the first line of its message, without the values of arrays.

    A first line that ends with a colon is followed by the others, up to MAX_MORE characters.
    """
    message = NOISE.sub("", message_text(error)[:MAX_LENGTH])
    lines = ARRAY_VALUES.sub("Array(…, ", message).strip().splitlines() or [""]
    message = lines[0]
    if message.endswith(":"):
        message += "".join(f" {line.strip()}" for line in lines[1:] if line.strip())[:MAX_MORE]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
