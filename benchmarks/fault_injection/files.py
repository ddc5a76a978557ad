"""Everything else that is written for the learner, killed while it is written."""

import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from flax import serialization

from benchmarks.fault_injection import work
from benchmarks.fault_injection.killing import killed
from benchmarks.fault_injection.table import Row
from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.files import TEMPORARY_PREFIX

KILLS, LONGEST = 100, 0.06  # seconds: a write takes a few thousandths

# The work, what it is called, what must hold, and what tells what was lost.
Case = tuple[Callable, str, str, Callable[[Path], list[str]]]


def rows() -> list[Row]:
    """Kill each kind of writing 100 times, in a new folder each time."""
    dice = random.Random(66)
    return [_row(dice, *case) for case in CASES]


def _row(dice: random.Random, its_work: Callable, fault: str, meant: str, lost: Callable) -> Row:
    row, leftovers = Row(f"{fault} killed", meant), 0
    while row.times < KILLS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "tasks").mkdir()
            _stub(folder).write_text(work.text(0))
            if not killed(its_work, folder, moment=dice.uniform(0, LONGEST)):
                raise RuntimeError(f"{its_work.__name__} ended by itself")
            try:
                row.count(lost(folder))
            except Exception as error:  # half a file has many ways to be unreadable
                row.count([f"cannot be read: {error!r}"])
            leftovers += sum(1 for _ in folder.rglob(f"{TEMPORARY_PREFIX}*"))
    row.remark = f"{leftovers} killed in the middle of a write"
    return row


def _stub(folder: Path) -> Path:
    return folder / "tasks" / work.TASK.stub.name


def _texts_lost(folder: Path) -> list[str]:
    """Texts that are nowhere, or not whole. The file's own number says how many there were."""
    kept = [path.read_text() for path in (folder / "state" / "history").rglob("*.py")]
    texts = [_stub(folder).read_text(), *kept]
    numbers = [int(text.split(maxsplit=3)[2]) if text else -1 for text in texts]
    broken = [text[:40] for text, n in zip(texts, numbers, strict=True) if text != work.text(n)]
    missing = set(range(numbers[0])) - set(numbers)
    return [f"half a text: {text!r}" for text in broken] + [f"text {n} is gone" for n in missing]


def _work_lost(folder: Path) -> list[str]:
    """The one text of the learner's must be in the file or kept, whatever else was kept."""
    kept = [path.read_text() for path in (folder / "state" / "history").rglob("*.py")]
    texts, known = [_stub(folder).read_text(), *kept], {work.text(0), work.stub()}
    lost = [] if work.text(0) in texts else ["the learner's text is gone"]
    return lost + [f"half a text: {text[:40]!r}" for text in texts if text not in known]


def _records_lost(folder: Path) -> list[str]:
    """Every file can be read, and what was once noted stays noted."""
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


def _cache_lost(folder: Path) -> list[str]:
    cached = folder / "cache" / "original.txt"
    if cached.exists() and not cached.read_bytes().removeprefix(work.DATA).isdigit():
        return [f"half a text, {cached.stat().st_size} bytes"]
    return []


def _weights_lost(folder: Path) -> list[str]:
    """Weights and sample are whole, and so are all former ones."""
    lost = []
    files = [*(folder / "my_gpt").glob("*"), *(folder / "state" / "history").rglob("*")]
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
    return lost + [f"weights {number} are gone" for number in missing]


CASES: list[Case] = [
    (
        work.write_cells,
        "`%%task` cell, one after the other,",
        "the file is whole, and every former text is kept",
        _texts_lost,
    ),
    (
        work.reset_and_restore,
        "`minigpt reset` and `history --restore`",
        "the file is whole, and the learner's text is there or kept",
        _work_lost,
    ),
    (
        work.note_verdicts,
        "verdicts, hints and rungs being noted,",
        "every record can be read, none is gone",
        _records_lost,
    ),
    (
        work.keep_in_cache,
        "text being put into the cache,",
        "the cache holds a whole text, or none",
        _cache_lost,
    ),
    (
        work.save_weights,
        "weights and sample being saved,",
        "they are whole, and so is every former one",
        _weights_lost,
    ),
]
