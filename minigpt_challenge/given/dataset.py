"""The text to learn from, as integers: tiny Shakespeare, or any text of your own."""

import os
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp

from minigpt_challenge.given.sources import DataError, find_shakespeare
from minigpt_challenge.given.vocabulary import SHAKESPEARE, Vocabulary

TRAIN_FRACTION = 0.9
SHORTEST_SPLIT = 2  # characters: one to see, and the next to predict


@dataclass(frozen=True, eq=False)
class Dataset:
    """A text as tokens: its beginning to train on, its end to evaluate on.

    Attributes:
        train: int32 (L,), the first 90 % of the text.
        evaluation: int32 (M,), the rest.
        vocabulary: which character each token stands for.
        edition: a sentence that says which text it is and where it is from.
    """

    train: jax.Array
    evaluation: jax.Array
    vocabulary: Vocabulary
    edition: str


def load_data(path: str | os.PathLike | None = None) -> Dataset:
    """Load tiny Shakespeare, or a text file of yours, and print which text it is.

    Args:
        path: a text file, UTF-8; None for the one that the environment variable MINIGPT_DATA
            names, and where that is not set, tiny Shakespeare.

    Returns:
        The text in two parts. The vocabulary of tiny Shakespeare is always the same 65
        characters; that of another text is made of the characters in it.

    Raises:
        DataError: there is no text, or it cannot be read, or it is too short.
    """
    if path is None:
        path = os.environ.get("MINIGPT_DATA") or None
    if path is None:
        text, edition = find_shakespeare()
        vocabulary = SHAKESPEARE
    else:
        text, edition = _read_own_text(Path(os.path.expanduser(path)))
        vocabulary = Vocabulary.from_text(text)
    tokens = jnp.asarray(vocabulary.encode(text))  # (L + M,)
    split = _split_position(len(text))
    edition = f"This is {edition}."
    print(edition)
    return Dataset(tokens[:split], tokens[split:], vocabulary, edition)


def _read_own_text(path: Path) -> tuple[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # -sig: some editors begin a file with a mark
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 (byte {error.start:,} is not). Save it as UTF-8 and try again."
        ) from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. Give the path of a text file (as "
            "`--data`, `load_data(path)` or in MINIGPT_DATA), or none for tiny Shakespeare."
        ) from error
    if "\0" in text:  # which no text has, and most of UTF-16 is
        raise DataError(
            f"{path} is no text in UTF-8: there is a zero byte after {text.index(chr(0)):,} "
            "characters. Save it as UTF-8 (not UTF-16) and try again."
        )
    split = _split_position(len(text))
    if min(split, len(text) - split) < SHORTEST_SPLIT:
        raise DataError(
            f"{path} is too short to learn from: it has {len(text)} characters, of which {split} "
            f"would be for training and {len(text) - split} for evaluation. Take a longer text."
        )
    return text, f"your own text ({path})"


def _split_position(length: int) -> int:
    return int(TRAIN_FRACTION * length)
