"""Write a challenge folder, and take one to a newer version without touching a learner's file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from packaging.version import Version

from minigpt_challenge.coach.course.challenge_files import Release
from minigpt_challenge.coach.records import given_hashes
from minigpt_challenge.coach.records.given_hashes import GivenHashes, hash_of
from minigpt_challenge.errors import UserError
from minigpt_challenge.files import TEMPORARY_PREFIX, locked, write_bytes

MAX_NAMED = 3  # files in the message that a folder is not empty
NEWEST = "pipx run --no-cache minigpt-challenge update"


@dataclass(frozen=True)
class Changes:
    """What an update does, as paths in the folder.

    Attributes:
        written: files that are missing or as they were given, and get another text.
        removed: files that are as they were given, and that the new version does not have.
        kept: files of the learner's that have another text in the new version than before.
        aside: the folder that these texts are written to.
        version: the new version.
        previous: the version before.
    """

    written: list[str]
    removed: list[str]
    kept: list[str]
    aside: str
    version: Version
    previous: Version

    def __bool__(self) -> bool:
        return bool(self.written or self.removed or self.kept)


def init(folder: Path, release: Release) -> None:
    """Write a new challenge folder. If that was cut off, doing it again completes it.

    Raises:
        UserError: something else is in the folder.
        OSError: a file cannot be written.
        LockHeld: another process is writing there and does not finish.
    """
    if names := list(islice(_other_files(folder, release), MAX_NAMED + 1)):
        if given_hashes.read(folder):
            raise UserError(
                f"{folder} is a folder of the challenge already. Run `minigpt update` in it: it "
                "brings what is missing or newer, and changes none of your files."
            )
        listed = ", ".join(names[:MAX_NAMED]) + (", …" if len(names) > MAX_NAMED else "")
        raise UserError(f"{folder} is not empty: it holds {listed}. Name a new folder.")
    with locked(folder / given_hashes.FILE):
        given = GivenHashes(Version(release.version), {})
        _carry_out(folder, release, given, _changes(folder, release, given))


def update(folder: Path, release: Release) -> Changes:
    """Take the folder to this release. What is the learner's is not touched.

    Returns:
        what was changed; empty if the folder was up to date.

    Raises:
        UserError: the folder was not written by `init`, or is of a newer version.
        OSError: a file cannot be read or written; doing it again goes on.
        LockHeld: another process is writing there and does not finish.
    """
    with locked(folder / given_hashes.FILE):
        given = given_hashes.read(folder)
        if given is None:
            raise UserError(
                f"{folder / given_hashes.FILE} is damaged. It says which files are yours, so "
                "nothing here can be updated. Write a new folder with `minigpt init FOLDER`, and "
                "copy your files from minigpt_challenge/tasks/ to the same place in it."
            )
        if given.version > Version(release.version):
            raise UserError(
                f"{folder} holds version {given.version}, newer than this `minigpt`, which is "
                f"{release.version}. `{NEWEST}` takes the newest."
            )
        changes = _changes(folder, release, given)
        _carry_out(folder, release, given, changes)
        return changes


def _changes(folder: Path, release: Release, given: GivenHashes) -> Changes:
    written: list[str] = []
    removed: list[str] = []
    kept: list[str] = []
    for name in sorted({*given.hashes, *release.files}):
        current, new = _read(folder / name), release.files.get(name)
        if current == new:
            continue
        if current is None or given.is_as_given(name, current):
            (removed if new is None else written).append(name)
        elif new is not None and not given.is_as_given(name, new):
            kept.append(name)
    return Changes(
        written,
        removed,
        kept,
        f"update_{release.version}",
        Version(release.version),
        given.version,
    )


def _carry_out(folder: Path, release: Release, given: GivenHashes, changes: Changes) -> None:
    """Make the changes, in an order in which another run can go on after any of them.

    The record comes before the files, with the hashes of their old texts and their new ones: a file
    that was not reached still counts as given.
    """
    for name in changes.kept:
        if not (folder / changes.aside / name).exists():
            write_bytes(folder / changes.aside / name, release.files[name])
    hashes = dict(given.hashes)
    for name, content in release.files.items():
        hashes[name] = list(dict.fromkeys([*hashes.get(name, []), hash_of(content)]))
    given_hashes.write(folder, GivenHashes(Version(release.version), hashes))
    for name in changes.written:
        write_bytes(folder / name, release.files[name])
    for name in changes.removed:
        (folder / name).unlink(missing_ok=True)


def _other_files(folder: Path, release: Release) -> Iterator[str]:
    """The paths of the files in the folder that writing the release there would not give."""
    records = (given_hashes.FILE, f"{given_hashes.FILE}.lock")
    for parent, _, names in os.walk(folder):
        for file in (Path(parent, name) for name in sorted(names)):
            path = file.relative_to(folder).as_posix()
            unfinished = file.name.startswith(TEMPORARY_PREFIX)
            if path in records or unfinished or release.files.get(path) == _read(file):
                continue
            yield path


def _read(path: Path) -> bytes | None:
    """The content of the file; None if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
