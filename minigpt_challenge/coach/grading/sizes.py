"""Name the sizes in an error about shapes: "Here hidden_dim is 12 and block_size is 8."

In a check no two sizes are equal, so a size says which axis it is.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

SHAPE = re.compile(r"[(\[]\d+(?:, ?\d+)*,?[)\]]")


def named_sizes(text: str, frames: Iterable[Mapping[str, Any]]) -> str:
    """Which sizes of the learner's code are in the shapes of a message; empty if none are.

    Args:
        text: the error's message.
        frames: the local variables of the learner's functions that were running, innermost last.
    """
    in_shapes = {
        int(number) for shape in SHAPE.findall(text) for number in re.findall(r"\d+", shape)
    }
    names: dict[int, str] = {}
    for values in reversed(list(frames)):
        for name, size in _fields(values.get("self")).items():
            names.setdefault(size, name)
    found = [f"{names[size]} is {size}" for size in sorted(names) if size in in_shapes and size > 1]
    return f"Here {_joined(found)}." if found else ""


def _fields(module: Any) -> dict[str, int]:
    """The sizes among a module's arguments (Linen) or attributes (NNX), by name."""
    values = getattr(module, "__dict__", {})
    return {
        name: value
        for name, value in values.items()
        if type(value) is int and not name.startswith("_")
    }


def _joined(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
