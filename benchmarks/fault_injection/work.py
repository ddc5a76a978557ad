"""The work of the child processes, on files in a folder: endless, or until its end."""

import hashlib
import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from rich.console import Console

from minigpt_challenge.coach.commands import cli_help, magics_cells
from minigpt_challenge.coach.commands.session import Session
from minigpt_challenge.coach.course import curriculum
from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.stubs import cut_stub
from minigpt_challenge.coach.course.verdict import Check, Report, Verdict
from minigpt_challenge.coach.records import help_used, history, ladder, progress, saved_run
from minigpt_challenge.coach.training import finish
from minigpt_challenge.coach.training.plan import Plan
from minigpt_challenge.coach.training.result import Run
from minigpt_challenge.given import download, sources, training
from minigpt_challenge.given.bigram import SimpleDecoder
from minigpt_challenge.given.checkpoints import Checkpoints
from minigpt_challenge.given.download import RegisteredDownload
from minigpt_challenge.given.training import run_training_loop
from minigpt_challenge.given.training_run import Measurement

TASK = TASKS[0]
V, STEPS, EVAL_EVERY = 5, 40, 2
DATA = b"First Citizen:\nSpeak, speak.\n\n" * 30_000
LENGTH = 2_000  # lines of a text: a write is slow enough to be interrupted


def use_folder(folder: Path) -> None:
    """Put all files of the learner into this folder."""
    curriculum.TASKS_FOLDER = folder / "tasks"
    history.HISTORY_FOLDER = folder / "state" / "history"
    progress.PROGRESS_FILE = folder / "state" / "progress.json"
    help_used.HELP_FILE = folder / "state" / "help.json"
    ladder.LADDER_FILE = folder / "state" / "ladder.json"
    finish.ROOT = folder
    saved_run.FOLDER = folder / "my_gpt"


def text(number: int) -> str:
    """The learner's text with this number; it is complete if it has the last line."""
    lines = [f"# text {number}", *(f"line_{line} = {number}" for line in range(LENGTH)), "# end"]
    return "\n".join(lines) + "\n"


def write_cells(folder: Path, ready: Callable[[], None]) -> None:
    """Run `%%task 1` with one text after the other."""
    use_folder(folder)
    magics_cells._load = lambda *_: []  # do not run the cell's code
    magics_cells.is_untouched = lambda *_: False  # nor parse it, which takes longer than writing
    session = Session(ipython=None)
    ready()
    for number in count(1):
        magics_cells.task(session, "1", text(number))


def write_own_cells(folder: Path, numbers: range) -> None:
    """Run `%%task 1` with the texts of these numbers."""
    use_folder(folder)
    magics_cells._load = lambda *_: []
    session = Session(ipython=None, console=Console(quiet=True))
    for number in numbers:
        magics_cells.task(session, "1", text(number))


def record_own_verdicts(folder: Path, numbers: range) -> None:
    """Record hints with these numbers, and a verdict on a task that no other process records."""
    use_folder(folder)
    task = TASKS[numbers.start]
    for number in numbers:
        help_used.note_hint(TASK, f"hint {number}")
        checks = (Check("one", Verdict.PASSED),)
        progress.remember(task, Report(task, 1.0, checks, f"sha {number}"))


def reset_and_restore(folder: Path, ready: Callable[[], None]) -> None:
    """Alternate `minigpt reset 1` and `minigpt history 1 --restore 1`."""
    use_folder(folder)
    ready()
    while True:
        cli_help.reset(TASK)
        cli_help.show_history(TASK, show=None, restore=1)


def record_verdicts(folder: Path, ready: Callable[[], None]) -> None:
    """Record a verdict on each task in turn, a hint, and a rung of the ladder."""
    use_folder(folder)
    ready()
    for number in count(1):
        task = TASKS[number % len(TASKS)]
        checks = (Check("one", Verdict.PASSED),) * number
        progress.remember(task, Report(task, 1.0, checks, f"sha {number}"))
        help_used.note_hint(task, f"hint {number}")
        ladder.remember(ladder.Rung("bigram", float(number), "a sample"))


def write_cache(folder: Path, ready: Callable[[], None]) -> None:
    """Write the downloaded text to the cache."""
    ready()
    for number in count(1):
        sources._write_cache(DATA + str(number).encode(), folder / "cache" / "original.txt")


def fill_cache(folder: Path, registered: RegisteredDownload) -> None:
    """Find the text, and write a copy next to the cache."""
    download.registered_download = lambda: registered
    os.environ |= {"MINIGPT_CACHE": str(folder), "no_proxy": "*"}
    text, _ = sources.find_shakespeare()
    (folder / f"found by {os.getpid()}").write_text(text)


def save_weights(folder: Path, ready: Callable[[], None]) -> None:
    """Save what `minigpt train` saves at its end: weights, curve and sample."""
    use_folder(folder)
    finish.draw_loss_curve = lambda history, target: text(history[-1].step).encode()
    vocabulary = SimpleNamespace(characters="abc")
    ready()
    for number in count(1):
        state = SimpleNamespace(params={"w": np.full((200, 300), number, np.float32)})
        run = Run(
            model=None,
            state=state,
            history=[Measurement(number, 0.0, 0.0)],
            plan=Plan(name="one"),
            counts=False,
            target=None,
            loss=float(number),
            sees_future=False,
            text=text(number),
            untrained="",
            resumable_until=None,
        )
        finish.save(run, vocabulary)


def stub() -> str:
    """The original stub."""
    return cut_stub(TASK)


def train(folder: Path, ready: Callable[[], None]) -> None:
    """Train a bigram to the end, with a checkpoint every second step; write the results."""
    tokens = np.tile(np.arange(V, dtype=np.int32), 100)

    def report(message: str) -> None:
        with open(folder / "messages", "a", encoding="utf-8") as file:
            file.write(message + "\n")

    training.SAVE_EVERY_S = 0
    state, measured = run_training_loop(
        STEPS,
        batch_size=4,
        block_size=6,
        learning_rate=0.03,
        eval_data=tokens[-80:],
        train_data=tokens[:-80],
        model=SimpleDecoder(V),
        eval_every=EVAL_EVERY,
        show_progress=False,
        checkpoints=Checkpoints(folder / "run", {"the text": "one"}, report),
        on_measure=lambda *_: ready(),
    )
    (weights,) = state.params["params"]["next_token_logits"].values()
    results = {
        "history": [measurement[:3] for measurement in measured],
        "weights": hashlib.sha256(np.asarray(weights)).hexdigest(),
    }
    (folder / "results.json").write_text(json.dumps(results))
