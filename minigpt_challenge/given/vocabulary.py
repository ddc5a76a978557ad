"""Characters as tokens: convert text to integers and back."""

import string
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

UNKNOWN = -1


@dataclass(frozen=True)
class Vocabulary:
    """The characters that a text may contain; a character's token is its index among them.

    Attributes:
        characters: V different characters.

    Raises:
        ValueError: there is no character, or a repeated one.
    """

    characters: str

    def __post_init__(self) -> None:
        if not self.characters or len(set(self.characters)) < len(self.characters):
            raise ValueError("a vocabulary has at least one character, and no repeated ones")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The vocabulary of all characters in `text`, in the order of their code points."""
        return cls("".join(sorted(set(text))))

    @property
    def size(self) -> int:
        """V, the number of characters."""
        return len(self.characters)

    def encode(self, text: str) -> np.ndarray:
        """Turn text into tokens.

        Args:
            text: T characters.

        Returns:
            int32 (T,), from 0 to V - 1.

        Raises:
            ValueError: a character is not in the vocabulary.
        """
        # Code points beyond the table use its last entry, which is UNKNOWN.
        code_points = np.minimum(_code_points(text), len(self._token_table) - 1)  # (T,)
        tokens = self._token_table[code_points]  # (T,)
        if (unknown := tokens == UNKNOWN).any():
            position = int(unknown.argmax())
            raise ValueError(
                f"the character {text[position]!r} at position {position} is not among the "
                f"{self.size} in the vocabulary"
            )
        return tokens

    def decode(self, tokens: ArrayLike) -> str:
        """Turn tokens back into text.

        Args:
            tokens: integers (T,) from 0 to V - 1, of any dtype: a NumPy or JAX array or a list.

        Returns:
            T characters.

        Raises:
            TypeError: the tokens are not integers.
            ValueError: they are not one-dimensional, or one is out of range.
        """
        tokens = np.asarray(tokens)
        if tokens.ndim != 1:
            raise ValueError(f"decode takes tokens of shape (T,), not {tokens.shape}")
        if tokens.size == 0:
            return ""  # NumPy makes floats of an empty list
        if not np.issubdtype(tokens.dtype, np.integer):
            raise TypeError(f"tokens must be integers, not {tokens.dtype}")
        if (outside := (tokens < 0) | (tokens >= self.size)).any():
            position = int(outside.argmax())
            raise ValueError(
                f"the token {tokens[position]} at position {position} is not between 0 and "
                f"{self.size - 1}"
            )
        code_points = _code_points(self.characters)[tokens]  # (T,)
        return code_points.tobytes().decode("utf-32-le", "surrogatepass")

    @cached_property
    def _token_table(self) -> np.ndarray:
        """int32: the token of each code point, UNKNOWN if it has none."""
        code_points = _code_points(self.characters)
        table = np.full(code_points.max() + 2, UNKNOWN, np.int32)
        table[code_points] = np.arange(self.size)
        return table


def _code_points(text: str) -> np.ndarray:
    """uint32 (T,): the Unicode code points of `text`."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


# The 65 characters of the original, sorted. Another edition may lack one ('3' is in no speech), but
# the shape of a model must not depend on the edition.
SHAKESPEARE = Vocabulary("\n !$&',-.3:;?" + string.ascii_uppercase + string.ascii_lowercase)
