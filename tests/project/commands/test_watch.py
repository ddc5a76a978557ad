"""`minigpt watch`, driven through a pseudo-terminal."""

import os
import re
import sys
import time

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS

pexpect = pytest.importorskip("pexpect")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.newest,
    pytest.mark.skipif(sys.platform == "win32", reason="pexpect needs a pseudo-terminal"),
]
EMBEDDING, ATTENTION = TASKS[:2]


@pytest.fixture
def watching(workshop):
    """Start `minigpt watch` in a terminal of 100 columns; it is closed after the test."""
    started = []

    def watch(*arguments):
        environment = os.environ | {"PYTHONPATH": str(workshop.root), "TERM": "xterm-256color"}
        command = ["-m", "minigpt_challenge", "watch", *arguments]
        child = pexpect.spawn(
            sys.executable,
            command,
            cwd=str(workshop.root),
            env=environment,
            dimensions=(50, 100),
            encoding="utf-8",
            timeout=120,
        )
        started.append(child)
        return child

    yield watch
    for child in started:
        child.close(force=True)


def test_a_save_starts_a_check_and_keys_go_on_and_quit(workshop, watching):
    child = watching("1")
    child.expect("not started")
    child.expect("Watching task1_embedding.py")
    stub = workshop.stub(EMBEDDING)
    solution = EMBEDDING.solution.read_text(encoding="utf-8")
    stub.write_text(solution.replace("what + where", "what * where"), encoding="utf-8")
    child.expect("multipl")
    child.expect("Watching")
    # Saved as many editors do: written to a temporary file, then moved.
    temporary = stub.with_suffix(".tmp")
    temporary.write_text(solution, encoding="utf-8")
    os.replace(temporary, stub)
    child.expect("Embedding.*passed")
    child.expect("1 of 8 tasks.*task 2")
    child.send("n")
    child.expect("Attention.*not started")
    child.expect("Watching task2_attention.py")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "passed" in workshop.minigpt().stdout


def test_code_that_exits_does_not_end_the_watch(workshop, watching):
    workshop.stub(ATTENTION).write_text("import os\nos._exit(3)\n", encoding="utf-8")
    child = watching("2")
    child.expect("could not run")
    child.expect("exit code 3")
    child.expect("Watching")
    workshop.solve(ATTENTION)
    child.expect("Attention.*passed")
    child.expect("1 of 8 tasks")
    child.sendcontrol("c")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_leaves_no_process_running(workshop, watching):
    child = watching("1")
    child.expect("Watching")
    time.sleep(0.5)
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    left = [
        entry.name
        for entry in os.scandir("/proc")
        if entry.name.isdigit() and _runs_in(entry.name, str(workshop.root))
    ]
    assert not left


def _runs_in(process, root):
    try:
        with open(f"/proc/{process}/environ", encoding="utf-8", errors="replace") as file:
            return re.search(rf"PYTHONPATH={re.escape(root)}\b", file.read()) is not None
    except OSError:
        return False
