"""Verdicts on answers, cached on disk until anything that they depend on changes."""

import hashlib
import json
import os
import platform
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import ROOT, STATE_FOLDER, Task
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.files import write_text
from tests.project.answers.bank import Answer
from tests.project.answers.gate import Outcome

FOLDER_VARIABLE = "MINIGPT_VERDICTS"
DEFAULT_FOLDER = STATE_FOLDER / "verdicts"
MAX_AGE_S = 30 * 24 * 3600  # since the last use

# Neither the grader nor a suite may import these (a contract and a test hold them to it).
UNUSED_ROOMS = ("commands", "reports", "training")
DISTRIBUTIONS = ("jax", "jaxlib", "flax", "optax", "numpy", "pytest")
ENVIRONMENT_VARIABLES = ("JAX_PLATFORMS", "MINIGPT_INTERPRETER", "XLA_FLAGS")


@dataclass(frozen=True)
class VerdictCache:
    """A folder with one file for each outcome; its name is a hash of all that decides it.

    A mistake of the grader is not cached: it is judged again each time, and so is seen again.
    """

    folder: Path

    def get(self, task: Task, answer: Answer) -> Outcome | None:
        """The cached outcome; None if there is none, or its file is damaged."""
        path = self._path(task, answer)
        try:
            cached = json.loads(path.read_text(encoding="utf-8"))
            verdict, claimed = Verdict(cached["verdict"]), frozenset(cached["claimed"])
            outcome = Outcome(answer, verdict, claimed, str(cached["message"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        with suppress(OSError):
            os.utime(path)
        return outcome

    def put(self, task: Task, outcome: Outcome) -> None:
        """Save the outcome, unless it is a mistake of the grader."""
        if outcome.mistake:
            return
        cached = {
            "task": task.stem,
            "answer": outcome.answer.name,
            "verdict": outcome.verdict.value,
            "claimed": sorted(outcome.claimed),
            "message": outcome.message,
        }
        write_text(self._path(task, outcome.answer), json.dumps(cached))

    def remove_old(self) -> None:
        """Remove what was not used for a month."""
        for path in self.folder.glob("*.json"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > MAX_AGE_S:
                    path.unlink()

    def _path(self, task: Task, answer: Answer) -> Path:
        return self.folder / f"{key(task, answer)}.json"


def default_folder() -> Path:
    """The folder that the environment names, or `.minigpt/verdicts`."""
    return Path(os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER)


def key(task: Task, answer: Answer, root: Path = ROOT) -> str:
    """A hash of everything that the verdict on the answer depends on."""
    suite = (root / "tests" / task.tests.name).read_bytes()
    parts = (task.stem.encode(), answer.text.encode(), suite, shared_code(root), environment())
    return _hash(*parts)


@cache
def shared_code(root: Path) -> bytes:
    """A hash of the files that every verdict depends on: solutions, given/, the grader's rooms."""
    package = root / "minigpt_challenge"
    unused = [package / "coach" / room for room in UNUSED_ROOMS] + [package / "tasks"]
    files = [
        *package.rglob("*.py"),
        *(root / "solutions").glob("*.py"),
        root / "pyproject.toml",
        root / "tests" / "project" / "answers" / "gate.py",
    ]
    used = sorted(path for path in files if not any(path.is_relative_to(one) for one in unused))
    names = [path.relative_to(root).as_posix().encode() for path in used]
    return _hash(*names, *(path.read_bytes() for path in used)).encode()


def environment() -> bytes:
    """The versions of Python and the packages, the platform, and the settings of JAX."""
    versions = {name: version(name) for name in DISTRIBUTIONS}
    settings = {name: os.environ.get(name, "") for name in ENVIRONMENT_VARIABLES}
    where = platform.python_version(), platform.system(), platform.machine()
    return json.dumps([versions, settings, where], sort_keys=True).encode()


def _hash(*parts: bytes) -> str:
    """A hash of the parts, which tells (b"a", b"bc") from (b"ab", b"c")."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
