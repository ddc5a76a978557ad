"""Run things concurrently: checks, saves, notebooks, training runs, downloads."""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.fault_injection import data, work
from benchmarks.fault_injection.killing import CONTEXT
from benchmarks.fault_injection.table import Row
from minigpt_challenge.coach.course.curriculum import TASKS
from tests.conftest import Workshop, open_workshop

CHECKS, CHECKS_WHILE_SAVING = 5, 10
WRITERS, WRITES, DOWNLOADS = 4, 50, 10
SHARES = [range(writer, WRITERS * WRITES, WRITERS) for writer in range(WRITERS)]
TASK = TASKS[0]


def rows() -> list[Row]:
    """Run every combination that can occur."""
    with tempfile.TemporaryDirectory() as folder:
        workshop = open_workshop(Path(folder, "challenge"))
        workshop.solve(*TASKS)
        return [
            _two_checks(workshop),
            _check_while_saving(workshop, "atomically", _replace),
            _check_while_saving(workshop, "emptied first, as many editors do", _empty_and_write),
            *_many_writers(),
            _two_training_runs(workshop),
            _two_downloads(),
        ]


def _check(workshop: Workshop) -> dict:
    completed = workshop.minigpt("check", str(TASK.number), "--json")
    if not completed.stdout:
        return {"verdict": completed.stderr[-300:], "checks": []}
    return json.loads(completed.stdout)


def _two_checks(workshop: Workshop) -> Row:
    row = Row("two checks of one task at once", "both give their verdict, and it is recorded")
    with ThreadPoolExecutor(2) as pool:
        for _ in range(CHECKS):
            reports = pool.map(_check, [workshop] * 2)
            verdicts = [report["verdict"] for report in reports]
            lost = [verdict for verdict in verdicts if verdict != "passed"]
            records = json.loads((workshop.root / ".minigpt" / "progress.json").read_text())
            recorded = records[TASK.stem]["verdict"] == "passed"
            row.count(lost if recorded else [*lost, "the verdict is not recorded"])
    return row


def _replace(path: Path, text: str) -> None:
    new = path.with_name("saving")
    new.write_text(text)
    new.replace(path)


def _empty_and_write(path: Path, text: str) -> None:
    """Write two halves, as an operating system may do."""
    with path.open("w") as file:
        file.write(text[: len(text) // 2])
        file.flush()
        time.sleep(0.01)
        file.write(text[len(text) // 2 :])


def _check_while_saving(workshop: Workshop, how: str, save: Callable) -> Row:
    """Alternate two texts: the solution, and one without any definition."""
    row = Row(
        f"file saved repeatedly while it is checked ({how})",
        "the verdict is on a complete text",
    )
    stub, end, rng = workshop.stub(TASK), threading.Event(), random.Random(6)
    solution = stub.read_text()
    empty = "# nothing yet\n" * 400

    def keep_saving() -> None:
        while not end.is_set():
            for text in (solution, empty):
                save(stub, text)
                time.sleep(rng.uniform(0.03, 0.1))

    thread = threading.Thread(target=keep_saving)
    thread.start()
    try:
        for _ in range(CHECKS_WHILE_SAVING):
            report = _check(workshop)
            messages = {check["message"].split("\n")[0] for check in report["checks"]}
            complete = report["verdict"] == "passed" or all(
                "defines no `TokenAndPositionEmbedding`" in message for message in messages
            )
            row.count([] if complete else [f"{report['verdict']}: {messages}"])
    finally:
        end.set()
        thread.join()
        stub.write_text(solution)
    return row


def _many_writers() -> list[Row]:
    """Run several processes in one folder, as for two notebooks."""
    texts = Row(
        f"{WRITERS} notebooks writing one task's file", "every text is in the file or history"
    )
    verdicts = Row(f"{WRITERS} processes recording verdicts and hints", "every one is recorded")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tasks").mkdir()
        _run_concurrently(work.write_own_cells, folder, SHARES)
        found = [path.read_text() for path in (folder / "state" / "history").rglob("*.py")]
        found.append((folder / "tasks" / TASK.stub.name).read_text())
        for number in range(WRITERS * WRITES):
            texts.count([] if work.text(number) in found else [f"text {number} is missing"])
    with tempfile.TemporaryDirectory() as name:
        _run_concurrently(work.record_own_verdicts, Path(name), SHARES)
        help_used = json.loads(Path(name, "state", "help.json").read_text())
        hints = {hint for record in help_used.values() for hint in record["hints"]}
        for number in range(WRITERS * WRITES):
            verdicts.count([] if f"hint {number}" in hints else [f"hint {number} is missing"])
        records = json.loads(Path(name, "state", "progress.json").read_text())
        verdicts.count([] if len(records) == WRITERS else [f"{len(records)} of {WRITERS} verdicts"])
    return [texts, verdicts]


def _run_concurrently(task: Callable, folder: Path, shares: Iterable) -> None:
    """Start a process for each share of the work, and wait for all."""
    writers = [CONTEXT.Process(target=task, args=(folder, share)) for share in shares]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        if writer.exitcode:
            raise RuntimeError(f"{task.__name__} ended with exit code {writer.exitcode}")


def _two_training_runs(workshop: Workshop) -> Row:
    row = Row("a second training run in the same folder", "rejected, the first is undisturbed")
    text = workshop.root / "text.txt"
    text.write_text("to be, or not to be: that is the question.\n" * 60)
    command = ("train", "--solutions", "--steps", "400", "--data", str(text), "--fresh")
    first = subprocess.Popen(
        [sys.executable, "-m", "minigpt_challenge", *command],
        cwd=workshop.root,
        env=workshop.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lock = workshop.root / ".minigpt" / "checkpoints.lock"
    while not (lock.exists() and lock.read_text()) and first.poll() is None:
        time.sleep(0.05)
    second = workshop.minigpt(*command)
    second_error = " ".join(second.stderr.split())
    first_output = first.communicate()[0]
    lost = []
    rejected = f"Process {first.pid} is training in this folder" in second_error
    if second.returncode != 1 or not rejected:
        lost.append(f"the second printed {second_error[-300:]!r}")
    if "After 400 steps" not in first_output:
        lost.append(f"the first printed {first_output[-300:]!r}")
    row.count(lost)
    return row


def _two_downloads() -> Row:
    row = Row("two processes filling one cache", "both get the complete text, and it is cached")
    for _ in range(DOWNLOADS):
        with data.simulated_sources([data.DATA]) as (cache, registered):
            _run_concurrently(work.fill_cache, cache.parent, (registered, registered))
            texts = [(cache.parent / name).read_text() for name in os.listdir(cache.parent)]
            complete = len(texts) == 3 and set(texts) == {data.TEXT}
            row.count([] if complete else [f"{len(texts)} files: {[len(text) for text in texts]}"])
    return row
