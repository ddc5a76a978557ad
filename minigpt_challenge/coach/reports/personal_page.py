"""`minigpt report`: one page that shows what the learner has built, to keep and to share."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import TASKS, Task, repository_url
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records import ladder, progress
from minigpt_challenge.coach.records.help_used import HelpUsed, help_used
from minigpt_challenge.coach.records.history import overwrite
from minigpt_challenge.coach.records.progress import Standing
from minigpt_challenge.coach.records.saved_run import FOLDER, MILESTONE, named, saved
from minigpt_challenge.coach.reports.attention_pictures import attention_at_work
from minigpt_challenge.coach.reports.charts import draw_ladder
from minigpt_challenge.coach.reports.html import Picture, render

WIDTH = 800  # of a picture, in CSS pixels
REPORT = FOLDER / "report.html"
ATTENTION = TASKS[1]
CURVE, SAMPLE, WEIGHTS = (
    getattr(named(MILESTONE), part) for part in ("curve", "sample", "weights")
)


@dataclass(frozen=True)
class Row:
    """A task in the page's table."""

    task: Task
    standing: Standing
    help: HelpUsed

    @property
    def help_text(self) -> str:
        """How much help was used; "no help" only if the task is passed."""
        hints, peeks = self.help.hints, self.help.peeks
        parts = [_count(hints, "hint")] * (hints > 0) + [_count(peeks, "peek")] * (peeks > 0)
        if parts:
            return ", ".join(parts)
        return "no help" if self.standing.verdict is Verdict.PASSED else ""


def write(path: Path) -> Path | None:
    """Write the page, and return where the file that it replaces was saved, None if there was none.

    Raises:
        OSError: the page cannot be written.
    """
    return overwrite(path, page())


def page() -> str:
    """The page as HTML, without the parts for which there is nothing yet."""
    rows = [Row(task, progress.standing(task), help_used(task)) for task in TASKS]
    passed = [row.task for row in rows if row.standing.verdict is Verdict.PASSED]
    return render(
        "report.html",
        rows=rows,
        passed=passed,
        ladder=_ladder(ladder.rungs()),
        attention=attention_at_work(ATTENTION, ATTENTION.stub) if ATTENTION in passed else None,
        curve=_curve(),
        sample=_text(SAMPLE).strip("\n"),
        uses_reference=_trained_with_the_reference(),
        repository=repository_url(),
        today=date.today().isoformat(),
    )


def _ladder(rungs: tuple[ladder.Rung, ...]) -> Picture | None:
    """A picture of the ladder; None if there are fewer than two rungs to compare."""
    if len(rungs) < 2:
        return None
    losses = ", ".join(f"{rung.name} {rung.loss:.2f} {rung.remark}".rstrip() for rung in rungs)
    caption = (
        "The loss after each part is added (lower is better), in nats per character, on text that "
        "the model was not trained on."
    )
    return Picture(draw_ladder(rungs), f"The loss ladder: {losses}.", caption, WIDTH)


def _curve() -> Picture | None:
    """The loss curve of the last training run; None if there is none."""
    with suppress(OSError):
        return Picture(
            CURVE.read_bytes(),
            "The loss curve of the training run: the loss at each step.",
            "The loss of the whole model, step by step.",
            WIDTH,
        )
    return None


def _trained_with_the_reference() -> bool:
    """Whether the last training run used the reference instead of the learner's code."""
    return bool(saved(WEIGHTS).get("solutions"))


def _text(path: Path) -> str:
    """The file's text; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
