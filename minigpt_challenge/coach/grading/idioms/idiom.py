"""The type of an idiom, and how its error is recognized."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

ARRAY = "an array"  # the owner of an attribute: any array of JAX, traced or not


@dataclass(frozen=True)
class Raised:
    """An error, with where the learner's code raised it.

    Attributes:
        error: the error.
        text: its class and its message, "TypeError: …".
        code: the learner's statement; empty if no line of theirs was running.
        values: the local variables at that statement.
    """

    error: BaseException
    text: str
    code: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Idiom:
    """What people write who come from PyTorch or NumPy.

    An error comes from the idiom if all that is given of `raises`, `code`, `attribute` and `when`
    holds.

    Attributes:
        example: a statement that uses it.
        instead: what to write in JAX or Flax, in a sentence or two.
        raises: a regular expression for the error's class and message.
        code: a regular expression for the learner's statement.
        attribute: the owner (a module's full name, or ARRAY) and the name of an attribute that
            does not exist.
        when: any other condition.
    """

    example: str
    instead: str
    raises: str = ""
    code: str = ""
    attribute: tuple[str, str] | None = None
    when: Callable[[Raised], bool] = lambda raised: True

    def explains(self, raised: Raised) -> bool:
        """Whether the error comes from this idiom."""
        return bool(
            (self.attribute is None or _misses(raised.error, *self.attribute))
            and re.search(self.raises, raised.text, re.DOTALL)
            and re.search(self.code, raised.code, re.DOTALL)
            and self.when(raised)
        )


def _misses(error: BaseException, owner: str, name: str) -> bool:
    """Whether the error says that this attribute does not exist."""
    if not isinstance(error, AttributeError) or error.name != name:
        return False
    if owner == ARRAY:
        return hasattr(error.obj, "aval")  # arrays and tracers alike
    return isinstance(error.obj, ModuleType) and error.obj.__name__ == owner
