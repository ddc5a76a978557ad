"""Two at once: checks, saves, notebooks, trainings, downloads."""

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.faults import work
from benchmarks.faults.killing import CONTEXT
from benchmarks.faults.table import Row
from minigpt_challenge.coach.curriculum import TASKS
from tests.conftest import Workshop, open_workshop

CHECKS, SAVED_WHILE_CHECKED = 5, 10
WRITERS, EACH = 4, 50
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
            lost += (
                [] if records[TASK.stem]["verdict"] == "passed" else ["the verdict is not noted"]
            )
            row.count(lost)
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
        time.sleep(0.002)
        file.write(text[len(text) // 2 :])


def _check_while_saving(workshop: Workshop, how: str, save) -> Row:
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
                time.sleep(dice.uniform(0, 0.1))

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
        _all_at_once(work.write_own_cells, folder)
        kept = [path.read_text() for path in (folder / "state" / "history").rglob("*.py")]
        kept.append((folder / "tasks" / TASK.stub.name).read_text())
        for number in range(WRITERS * EACH):
            texts.count([] if work.text(number) in kept else [f"text {number} is gone"])
    with tempfile.TemporaryDirectory() as name:
        _all_at_once(work.note_own_verdicts, Path(name))
        help_used = json.loads(Path(name, "state", "help.json").read_text())
        noted = {hint for record in help_used.values() for hint in record["hints"]}
        for number in range(WRITERS * EACH):
            verdicts.count([] if f"hint {number}" in noted else [f"hint {number} is gone"])
        records = json.loads(Path(name, "state", "progress.json").read_text())
        verdicts.count([] if len(records) == WRITERS else [f"{len(records)} of {WRITERS} verdicts"])
    return [texts, verdicts]


def _all_at_once(its_work, folder: Path) -> None:
    numbers = [range(writer, WRITERS * EACH, WRITERS) for writer in range(WRITERS)]
    writers = [CONTEXT.Process(target=its_work, args=(folder, each)) for each in numbers]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        if writer.exitcode:
            raise RuntimeError(f"{its_work.__name__} ended with exit code {writer.exitcode}")


def _two_trainings(workshop: Workshop) -> Row:
    row = Row(
        "a second training in the same folder", "refused in words; the first is not disturbed"
    )
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
    refused = f"Process {first.pid} is training in this folder" in " ".join(second.stderr.split())
    first_said = first.communicate()[0]
    row.count(
        (
            []
            if refused and second.returncode == 1
            else [f"the second said {second.stderr[-300:]!r}"]
        )
        + ([] if "After 400 steps" in first_said else [f"the first said {first_said[-300:]!r}"])
    )
    return row
