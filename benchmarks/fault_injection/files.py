"""Kill every other kind of write of the learner's files."""

import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from flax import serialization

from benchmarks.fault_injection import work
from benchmarks.fault_injection.killing import run_and_kill
from benchmarks.fault_injection.table import Row
from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.files import TEMPORARY_PREFIX

KILLS = 100
MAX_DELAY_S = 0.06  # a write takes a few milliseconds

# The work, its name, the requirement, and a function that lists what was lost.
Case = tuple[Callable, str, str, Callable[[Path], list[str]]]


def rows() -> list[Row]:
    """Kill each kind of write 100 times, each time in a new folder."""
    rng = random.Random(66)
    return [_row(rng, *case) for case in CASES]


def _row(
    rng: random.Random,
    write: Callable,
    name: str,
    requirement: str,
    find_lost: Callable[[Path], list[str]],
) -> Row:
    row, leftovers = Row(f"{name} killed", requirement), 0
    while row.times < KILLS:
        with tempfile.TemporaryDirectory() as path:
            folder = Path(path)
            (folder / "tasks").mkdir()
            _stub(folder).write_text(work.text(0))
            if not run_and_kill(write, folder, delay=rng.uniform(0, MAX_DELAY_S)):
                raise RuntimeError(f"{write.__name__} ended by itself")
            try:
                row.count(find_lost(folder))
            except Exception as error:  # a partial file can raise anything
                row.count([f"cannot be read: {error!r}"])
            leftovers += sum(1 for _ in folder.rglob(f"{TEMPORARY_PREFIX}*"))
    row.remark = f"{leftovers} killed in the middle of a write"
    return row


def _stub(folder: Path) -> Path:
    return folder / "tasks" / work.TASK.stub.name


def _lost_texts(folder: Path) -> list[str]:
    """Texts that are missing or incomplete. The number in the file tells how many there were."""
    history = [path.read_text() for path in (folder / "state" / "history").rglob("*.py")]
    texts = [_stub(folder).read_text(), *history]
    numbers = [int(text.split(maxsplit=3)[2]) if text else -1 for text in texts]
    partial = [text[:40] for text, n in zip(texts, numbers, strict=True) if text != work.text(n)]
    missing = set(range(numbers[0])) - set(numbers)
    lost = [f"partial text: {text!r}" for text in partial]
    return lost + [f"text {n} is missing" for n in missing]


def _lost_work(folder: Path) -> list[str]:
    """The learner's only text must be in the file or in the history."""
    history = [path.read_text() for path in (folder / "state" / "history").rglob("*.py")]
    texts, known = [_stub(folder).read_text(), *history], {work.text(0), work.stub()}
    lost = [] if work.text(0) in texts else ["the learner's text is missing"]
    return lost + [f"partial text: {text[:40]!r}" for text in texts if text not in known]


def _lost_records(folder: Path) -> list[str]:
    """Every file must be readable, and no record may disappear."""
    state = folder / "state"
    lost = []
    for name in ("progress.json", "help.json", "ladder.json"):
        if (state / name).exists():
            json.loads((state / name).read_text())
    if (state / "progress.json").exists():
        records = json.loads((state / "progress.json").read_text())
        newest = max(record["passed"] for record in records.values())
        if len(records) < min(newest, len(TASKS)):
            lost.append(f"{len(records)} verdicts of {newest}")
    return lost


def _lost_cache(folder: Path) -> list[str]:
    cached = folder / "cache" / "original.txt"
    if cached.exists() and not cached.read_bytes().removeprefix(work.DATA).isdigit():
        return [f"partial text, {cached.stat().st_size} bytes"]
    return []


def _lost_weights(folder: Path) -> list[str]:
    """Weights and sample must be complete, and so must all former ones."""
    lost = []
    files = [*(folder / "my_gpt" / "one").glob("*"), *(folder / "state" / "history").rglob("*")]
    numbers = set()
    for path in files:
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.suffix == ".msgpack":
            weights = serialization.msgpack_restore(path.read_bytes())["params"]["w"]
            numbers.add(int(weights[0, 0]))
            lost += [] if (weights == weights[0, 0]).all() else [f"mixed weights in {path.name}"]
        elif path.suffix == ".txt":
            text = path.read_text()
            lost += [] if text == work.text(int(text.split(maxsplit=3)[2])) else [path.name]
    missing = set(range(1, max(numbers, default=0))) - numbers
    return lost + [f"weights {number} are missing" for number in missing]


CASES: list[Case] = [
    (
        work.write_cells,
        "`%%task` cells",
        "the file is complete, and the history has every former text",
        _lost_texts,
    ),
    (
        work.reset_and_restore,
        "`minigpt reset` and `history --restore`",
        "the file is complete, and the learner's text is in it or in the history",
        _lost_work,
    ),
    (
        work.record_verdicts,
        "recording of verdicts, hints and rungs",
        "every record is readable, none is missing",
        _lost_records,
    ),
    (
        work.write_cache,
        "write of a text to the cache",
        "the cache has a complete text or none",
        _lost_cache,
    ),
    (
        work.save_weights,
        "saving of weights and sample",
        "they are complete, and so are all former ones",
        _lost_weights,
    ),
]
