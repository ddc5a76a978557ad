"""For the project's own tests: a workshop, which is a copy of the challenge that may be spoiled."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from minigpt_challenge.coach.course.curriculum import ROOT, TASKS, Task
from minigpt_challenge.coach.course.stubs import cut_stub
from minigpt_challenge.coach.runtime.compilation import CACHE_ENVIRONMENT

# Tests and the processes that they start compile the same things over and over, and run them a few
# times: compiling takes longer than all else.
QUICK_COMPILATION = {
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "JAX_TRACEBACK_IN_LOCATIONS_LIMIT": "0",  # programs need not know where they were written
}
os.environ.update(CACHE_ENVIRONMENT | QUICK_COMPILATION | os.environ)

PARTS = ("minigpt_challenge", "notebooks", "solutions", "tests", "pyproject.toml", "README.md")


@dataclass(frozen=True)
class Workshop:
    """A copy of the challenge as a fresh clone has it, whatever the learner's own files hold."""

    root: Path

    def stub(self, task: Task) -> Path:
        return self.root / "minigpt_challenge" / "tasks" / task.stub.name

    def solve(self, *tasks: Task) -> None:
        """Copy the solutions over the stubs."""
        for task in tasks:
            shutil.copy(task.solution, self.stub(task))

    def minigpt(
        self, *arguments: str, timeout: float = 600, **environment: str
    ) -> subprocess.CompletedProcess:
        """Run `minigpt …` there, as a learner would in a terminal of 100 columns."""
        return self.python("-m", "minigpt_challenge", *arguments, timeout=timeout, **environment)

    def environment(self) -> dict[str, str]:
        """The variables of every process that runs there."""
        ours = {"PYTHONPATH": str(self.root), "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
        return os.environ | ours

    def python(
        self, *arguments: str, timeout: float = 600, **environment: str
    ) -> subprocess.CompletedProcess:
        """Run Python there, for at most `timeout` seconds."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self.environment() | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
        )


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A fresh copy for this test alone."""
    return open_workshop(tmp_path / "challenge")


def open_workshop(root: Path) -> Workshop:
    """A fresh copy in this folder, which is made."""
    root.mkdir()
    for part in PARTS:  # with what is compiled already: many processes start in such a copy
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, root / part)
        else:
            shutil.copy(source, root / part)
    workshop = Workshop(root)
    for task in TASKS:
        workshop.stub(task).write_text(cut_stub(task), encoding="utf-8")
    return workshop


@pytest.fixture
def own_text(tmp_path: Path) -> Path:
    """A text to learn from that needs no download."""
    path = tmp_path / "own_text.txt"
    path.write_text("to be, or not to be: that is the question.\n" * 60, encoding="utf-8")
    return path
