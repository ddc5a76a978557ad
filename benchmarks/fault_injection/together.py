"""Two at once: checks, saves, notebooks, trainings, downloads."""

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

CHECKS, SAVED_WHILE_CHECKED = 5, 10
WRITERS, EACH, DOWNLOADS = 4, 50, 10
SHARES = [range(writer, WRITERS * EACH, WRITERS) for writer in range(WRITERS)]
TASK = TASKS[0]


def rows() -> list[Row]:
    """Every pair that can meet."""
    with tempfile.TemporaryDirectory() as folder:
        workshop = open_workshop(Path(folder, "challenge"))
        workshop.solve(*TASKS)
        return [
            _two_checks(workshop),
            _check_while_saving(workshop, "in one go", _replace),
            _check_while_saving(workshop, "emptied first, as many editors do", _empty_and_write),
            *_many_writers(),
            _two_trainings(workshop),
            _two_downloads(),
        ]


def _check(workshop: Workshop, *more: str) -> dict:
    done = workshop.minigpt("check", str(TASK.number), "--json", *more)
    if not done.stdout:
        return {"verdict": done.stderr[-300:], "checks": []}
    return json.loads(done.stdout)


def _two_checks(workshop: Workshop) -> Row:
    row = Row("two checks of one task at once", "both give their verdict, and it is noted")
    with ThreadPoolExecutor(2) as pool:
        for _ in range(CHECKS):
            reports = pool.map(_check, [workshop] * 2)
            lost = [f"{one['verdict']}" for one in reports if one["verdict"] != "passed"]
            records = json.loads((workshop.root / ".minigpt" / "progress.json").read_text())
            noted = records[TASK.stem]["verdict"] == "passed"
            row.count(lost if noted else [*lost, "the verdict is not noted"])
    return row


def _replace(path: Path, text: str) -> None:
    new = path.with_name("saving")
    new.write_text(text)
    new.replace(path)


def _empty_and_write(path: Path, text: str) -> None:
    """In two halves, as the system may well write them."""
    with path.open("w") as file:
        file.write(text[: len(text) // 2])
        file.flush()
        time.sleep(0.01)
        file.write(text[len(text) // 2 :])


def _check_while_saving(workshop: Workshop, how: str, save: Callable) -> Row:
    """Two texts take turns: the solution, which passes, and one that another check refuses."""
    row = Row(
        f"file saved over and over while it is checked ({how})",
        "the verdict is on one of its whole texts",
    )
    stub, end, dice = workshop.stub(TASK), threading.Event(), random.Random(6)
    solution = stub.read_text()
    empty = "# nothing yet\n" * 400

    def keep_saving() -> None:
        while not end.is_set():
            for text in (solution, empty):
                save(stub, text)
                time.sleep(dice.uniform(0.03, 0.1))

    thread = threading.Thread(target=keep_saving)
    thread.start()
    try:
        for _ in range(SAVED_WHILE_CHECKED):
            report = _check(workshop)
            said = {check["message"].split("\n")[0] for check in report["checks"]}
            whole = report["verdict"] == "passed" or all(
                "defines no `TokenAndPositionEmbedding`" in words for words in said
            )
            row.count([] if whole else [f"{report['verdict']}: {said}"])
    finally:
        end.set()
        thread.join()
        stub.write_text(solution)
    return row


def _many_writers() -> list[Row]:
    """Processes that share a folder, as two notebooks do."""
    texts = Row(f"{WRITERS} notebooks writing one task's file", "every text is there or kept")
    verdicts = Row(f"{WRITERS} processes noting verdicts and hints", "each of them is noted")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tasks").mkdir()
        _all_at_once(work.write_own_cells, folder, SHARES)
        kept = [path.read_text() for path in (folder / "state" / "history").rglob("*.py")]
        kept.append((folder / "tasks" / TASK.stub.name).read_text())
        for number in range(WRITERS * EACH):
            texts.count([] if work.text(number) in kept else [f"text {number} is gone"])
    with tempfile.TemporaryDirectory() as name:
        _all_at_once(work.note_own_verdicts, Path(name), SHARES)
        help_used = json.loads(Path(name, "state", "help.json").read_text())
        noted = {hint for record in help_used.values() for hint in record["hints"]}
        for number in range(WRITERS * EACH):
            verdicts.count([] if f"hint {number}" in noted else [f"hint {number} is gone"])
        records = json.loads(Path(name, "state", "progress.json").read_text())
        verdicts.count([] if len(records) == WRITERS else [f"{len(records)} of {WRITERS} verdicts"])
    return [texts, verdicts]


def _all_at_once(its_work: Callable, folder: Path, shares: Iterable) -> None:
    """Start a process for each share of the work, and wait for all."""
    writers = [CONTEXT.Process(target=its_work, args=(folder, share)) for share in shares]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        if writer.exitcode:
            raise RuntimeError(f"{its_work.__name__} ended with exit code {writer.exitcode}")


def _two_trainings(workshop: Workshop) -> Row:
    row = Row("a second training in the same folder", "refused in words, the first undisturbed")
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
    said = " ".join(second.stderr.split())
    first_said = first.communicate()[0]
    lost = []
    if second.returncode != 1 or f"Process {first.pid} is training in this folder" not in said:
        lost.append(f"the second said {said[-300:]!r}")
    if "After 400 steps" not in first_said:
        lost.append(f"the first said {first_said[-300:]!r}")
    row.count(lost)
    return row


def _two_downloads() -> Row:
    row = Row("two processes filling one cache", "both get the whole text, and the cache holds it")
    for _ in range(DOWNLOADS):
        with data.world([data.DATA]) as (cache, registered):
            _all_at_once(work.fill_cache, cache.parent, (registered, registered))
            got = [(cache.parent / name).read_text() for name in os.listdir(cache.parent)]
            whole = len(got) == 3 and set(got) == {data.TEXT}
            row.count([] if whole else [f"{len(got)} files: {[len(text) for text in got]}"])
    return row
