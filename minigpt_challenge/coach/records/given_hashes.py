"""Which files of a challenge folder `minigpt init` and `minigpt update` wrote, by their hashes.

A file that has one of its hashes is as it was given; any other file is the learner's.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.version import InvalidVersion, Version

from minigpt_challenge.coach.records import json_store
from minigpt_challenge.files import write_text

FILE = ".minigpt/given_files.json"


@dataclass(frozen=True)
class GivenHashes:
    """The version of a challenge folder, and the hashes of every text that each file was given."""

    version: Version
    hashes: Mapping[str, list[str]]

    def is_as_given(self, name: str, content: bytes) -> bool:
        """Whether the file was once written with this content."""
        return hash_of(content) in self.hashes.get(name, [])


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read(folder: Path) -> GivenHashes | None:
    """The record in this folder; None if it is missing or damaged."""
    record = json_store.read(folder / FILE, dict)
    try:
        hashes = {name: list(values) for name, values in record["files"].items()}
        version = Version(record["version"])
    except (KeyError, TypeError, ValueError, AttributeError, InvalidVersion):
        return None
    # The folder may be somebody else's: nothing outside it is written or removed.
    if not all(_is_inside(PurePosixPath(name)) for name in hashes):
        return None
    return GivenHashes(version, hashes)


def _is_inside(path: PurePosixPath) -> bool:
    return not path.is_absolute() and ".." not in path.parts and "\\" not in str(path)


def write(folder: Path, given: GivenHashes) -> None:
    """Write the record.

    Raises:
        OSError: it cannot be written; the old one is unchanged.
    """
    record = {"version": str(given.version), "files": given.hashes}
    write_text(folder / FILE, json.dumps(record, indent=1) + "\n")


def folder_around(path: Path) -> Path | None:
    """The innermost folder with a record that `path` lies in; None if there is none."""
    return next((one for one in (path, *path.parents) if (one / FILE).is_file()), None)
