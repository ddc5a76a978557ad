"""The training text as integers: tiny Shakespeare, or a text file of your own."""

import os
import textwrap
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp

from minigpt_challenge.given.sources import DataError, find_shakespeare
from minigpt_challenge.given.vocabulary import SHAKESPEARE, Vocabulary

TRAIN_FRACTION = 0.9
MIN_SPLIT = 2  # characters: one to see, and the next to predict
WIDTH = 79  # columns of the note about the text

_announced: str | None = None  # the text whose edition this process printed last


@dataclass(frozen=True, eq=False)
class Dataset:
    """A text as tokens: the beginning for training, the end for evaluation.

    Attributes:
        train: int32 (L,), the first 90 % of the text.
        evaluation: int32 (M,), the rest.
        vocabulary: the character of each token.
        edition: a sentence that names the text and its source.
    """

    train: jax.Array
    evaluation: jax.Array
    vocabulary: Vocabulary
    edition: str


def load_data(path: str | os.PathLike | None = None) -> Dataset:
    """Load tiny Shakespeare or your own text file, and print which text it is.

    That is printed once in a process, and again if the text is another one.

    Args:
        path: a UTF-8 text file. None means the file in the environment variable MINIGPT_DATA, or
            tiny Shakespeare if that is not set.

    Returns:
        the text in two parts. The vocabulary of tiny Shakespeare is always the same 65
        characters; that of another text consists of the characters in it.

    Raises:
        DataError: the text is missing, unreadable or too short.
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
    _announce(text, edition)
    return Dataset(tokens[:split], tokens[split:], vocabulary, edition)


def _announce(text: str, edition: str) -> None:
    global _announced
    if text == _announced:
        return
    _announced = text
    # Paths stay whole, so that they can be copied.
    print(textwrap.fill(edition, WIDTH, break_long_words=False, break_on_hyphens=False))


def _read_own_text(path: Path) -> tuple[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # -sig: some editors write a byte order mark
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 (byte {error.start:,} is not). Save it as UTF-8 and try again."
        ) from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. Give the path of a text file (as "
            "`--data`, `load_data(path)` or in MINIGPT_DATA), or none for tiny Shakespeare."
        ) from error
    if "\0" in text:  # not in any text, but all over English in UTF-16
        raise DataError(
            f"{path} is not a UTF-8 text: there is a zero byte after {text.index(chr(0)):,} "
            "characters. Save it as UTF-8 (not UTF-16) and try again."
        )
    split = _split_position(len(text))
    if min(split, len(text) - split) < MIN_SPLIT:
        raise DataError(
            f"{path} is too short to learn from: it has {len(text)} characters, of which {split} "
            f"would be for training and {len(text) - split} for evaluation. Use a longer text."
        )
    return text, f"your own text ({path})"


def _split_position(length: int) -> int:
    return int(TRAIN_FRACTION * length)
