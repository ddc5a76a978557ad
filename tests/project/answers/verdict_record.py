"""The verdicts on the bank's answers, recorded in `verdicts/` until what decides them changes.

A file holds one task's, from one version of Python. Its first line says by what code they were
reached and in what environment; if either is another now, the file counts as empty. Each further
line is an answer: a hash of its text, the verdict, the faults that were named. So the difference
between two commits shows which verdicts have changed.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from minigpt_challenge.coach.course.curriculum import ROOT, Task
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.runtime.environment import CHANGES_RESULTS
from minigpt_challenge.files import write_text
from tests.project.answers.bank import Answer
from tests.project.answers.gate import Outcome

FOLDER = Path(__file__).parent / "verdicts"

# Neither the grader nor a suite may import these (a contract and a test hold them to it).
UNUSED_ROOMS = ("commands", "reports", "training")
JUDGING = (
    "pyproject.toml",
    "tests/project/answers/gate.py",
    "tests/project/answers/known_checks.py",
)
DISTRIBUTIONS = ("jax", "jaxlib", "flax", "optax", "numpy", "pytest")
ENVIRONMENT_VARIABLES = ("JAX_PLATFORMS", "MINIGPT_INTERPRETER", "XLA_FLAGS")


class VerdictRecord:
    """The recorded verdicts on the answers to one task.

    A mistake of the grader is not recorded: it is judged again each time, and so is seen again.
    """

    def __init__(self, task: Task, folder: Path = FOLDER) -> None:
        self.path = folder / f"python{_python()}" / f"{task.stem}.jsonl"
        self._task = task
        self._header = {"code": code_of(task), "environment": environment()}
        self._lines: dict[str, dict[str, Any]] = {}
        try:
            header, *lines = map(json.loads, self.path.read_text(encoding="utf-8").splitlines())
            if header == self._header:
                self._lines = {line["answer"]: line for line in lines}
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none, or damaged: all is judged again

    def get(self, answer: Answer) -> Outcome | None:
        """The recorded outcome; None if the answer has to be judged."""
        line = self._lines.get(answer.name, {})
        try:
            if line["text"] != _hash(answer.text.encode()):
                return None
            return Outcome(answer, Verdict(line["verdict"]), frozenset(line["claimed"]), "")
        except (ValueError, KeyError, TypeError):
            return None

    def differs(self, outcome: Outcome) -> str:
        """What is recorded, in words, if the outcome is another; else empty."""
        recorded = self.get(outcome.answer)
        if not recorded:
            return ""
        if (recorded.verdict, recorded.claimed) == (outcome.verdict, outcome.claimed):
            return ""
        return f"{recorded.verdict.words} {sorted(recorded.claimed)}"

    def put(self, outcome: Outcome, answers: Iterable[Answer]) -> None:
        """Record the outcome, unless it is a mistake of the grader or another than before.

        Then the answer has no line, so that it is judged again.

        Args:
            outcome: to record.
            answers: the bank, which gives the lines their order.

        Raises:
            RuntimeError: the code has changed since the record was opened.
        """
        if code_of(self._task) != self._header["code"]:
            raise RuntimeError("The code has changed since this began: run it again.")
        name, is_new = outcome.answer.name, not self.differs(outcome)
        self._lines.pop(name, None)
        if is_new and not outcome.mistake:
            self._lines[name] = {
                "answer": name,
                "text": _hash(outcome.answer.text.encode()),
                "verdict": outcome.verdict.value,
                "claimed": sorted(outcome.claimed),
            }
        lines = [self._lines[one.name] for one in answers if one.name in self._lines]
        text = [json.dumps(line, ensure_ascii=False) + "\n" for line in (self._header, *lines)]
        write_text(self.path, "".join(text))


def code_of(task: Task, root: Path = ROOT) -> str:
    """A hash of all code that decides the verdict on an answer to the task."""
    return _hash((root / "tests" / task.tests.name).read_bytes(), shared_code(root))


def shared_code(root: Path) -> bytes:
    """A hash of the files that every verdict depends on: solutions, given/, the grader's rooms."""
    package = root / "minigpt_challenge"
    unused = [package / "coach" / room for room in UNUSED_ROOMS] + [package / "tasks"]
    files = [
        *package.rglob("*.py"),
        *(root / "solutions").glob("*.py"),
        *(root / path for path in JUDGING),
    ]
    used = sorted(path for path in files if not any(path.is_relative_to(one) for one in unused))
    names = [path.relative_to(root).as_posix().encode() for path in used]
    return _hash(*names, *(path.read_bytes() for path in used)).encode()


def environment() -> dict[str, str]:
    """The versions of Python and the packages, the platform, and the settings of JAX."""
    return {
        "python": _python(),
        "platform": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in DISTRIBUTIONS},
        **{
            name: value
            for name, value in sorted(os.environ.items())
            if name in ENVIRONMENT_VARIABLES or CHANGES_RESULTS.match(name)
        },
    }


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _hash(*parts: bytes) -> str:
    """A hash of the parts, which tells (b"a", b"bc") from (b"ab", b"c")."""
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    return hashlib.sha256(digests).hexdigest()[:16]
