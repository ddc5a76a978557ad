"""`minigpt report`: one page that shows what the learner has built, to keep and to share."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from minigpt_challenge.coach.course.curriculum import TASKS, Task, repository_url
from minigpt_challenge.coach.course.stubs import is_started, read_learner_file
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records import ladder, progress, saved_run
from minigpt_challenge.coach.records.history import overwrite
from minigpt_challenge.coach.records.progress import Standing
from minigpt_challenge.coach.records.saved_run import RunFolder
from minigpt_challenge.coach.reports import chart_style, trained_gpt
from minigpt_challenge.coach.reports.attention_on_text import attention_at_work
from minigpt_challenge.coach.reports.charts import draw_ladder, draw_loss_curve
from minigpt_challenge.coach.reports.html import Picture, render

WIDTH = 800  # of a picture, in CSS pixels
REPORT = saved_run.FOLDER / "report.html"
ATTENTION = TASKS[1]
COLORS = {  # of the charts, which the page shares
    "paper": chart_style.PAPER,
    "ink": chart_style.INK,
    "quiet": chart_style.FAINT,
    "accent": chart_style.BLUE,
}


@dataclass(frozen=True)
class Row:
    """A task in the page's table.

    Attributes:
        code: what the learner wrote; empty if nothing.
    """

    task: Task
    standing: Standing
    code: str


def write(path: Path, run: str | None) -> Path | None:
    """Write the page, and return where the file that it replaces was saved, None if there was none.

    Args:
        path: the page's file.
        run: the name of the run that it shows; None for the last one that reached the milestone,
            or else the last one.

    Raises:
        UserError: there is no such run.
        OSError: the page cannot be written.
    """
    return overwrite(path, page(_chosen(run)))


def _chosen(name: str | None) -> RunFolder:
    if name is not None:
        return saved_run.find(name)
    runs = saved_run.runs()
    reached = [run for run in runs if run.fields().get("milestone") is True]
    return next(iter(reached or runs), saved_run.named(saved_run.MILESTONE))


def page(run: RunFolder) -> str:
    """The page as HTML, without the parts for which there is nothing yet."""
    rows = [Row(task, progress.standing(task), _code(task)) for task in TASKS]
    passed = [row.task for row in rows if row.standing.verdict is Verdict.PASSED]
    saved = run.fields()
    return render(
        "report.html",
        colors=COLORS,
        rows=rows,
        passed=passed,
        facts=trained_gpt.facts(saved),
        sample=_text(run.sample).strip("\n"),
        untrained=saved.get("untrained", "").strip("\n"),
        curve=_curve(saved, run.curve),
        attention=trained_gpt.attention(saved) if saved else None,
        by_hand=attention_at_work(ATTENTION, ATTENTION.stub) if ATTENTION in passed else None,
        ladder=_ladder(ladder.rungs()),
        uses_reference=bool(saved.get("solutions")),
        repository=repository_url(),
        today=date.today().isoformat(),
    )


def _code(task: Task) -> str:
    """What the learner wrote for the task; empty while it is the stub."""
    return read_learner_file(task).strip("\n") if is_started(task) else ""


def _ladder(rungs: tuple[ladder.Rung, ...]) -> Picture | None:
    """A picture of the ladder; None if there are fewer than two rungs to compare."""
    if len(rungs) < 2:
        return None
    losses = ", ".join(f"{rung.name} {rung.loss:.2f} {rung.remark}".rstrip() for rung in rungs)
    caption = (
        "The loss after each part is added (lower is better), in nats per character, on text that "
        "the model was not trained on. Below it stands among how many equally likely characters "
        "one would be as unsure."
    )
    return Picture(draw_ladder(rungs), f"The loss ladder: {losses}.", caption, WIDTH)


def _curve(saved: dict[str, Any], drawn: Path) -> Picture | None:
    """The loss curve of the run, or the one in the file `drawn`; None if there is neither."""
    history = trained_gpt.history(saved)
    alt = "The loss curve of the training run."
    caption = (
        "The loss of the whole model during its training. Here the evaluation loss is measured on "
        "a sample of the text, that at the top of the page on all of it."
    )
    if history:
        first, last = history[0], history[-1]
        alt += (
            f" The evaluation loss goes from {first.eval_loss:.2f} to {last.eval_loss:.2f} in "
            f"{last.step:,} steps."
        )
        return Picture(draw_loss_curve(history, saved.get("target")), alt, caption, WIDTH)
    with suppress(OSError):  # the weights of an older version: they have no history
        return Picture(drawn.read_bytes(), alt, caption, WIDTH)
    return None


def _text(path: Path) -> str:
    """The file's text; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
