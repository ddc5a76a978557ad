"""`minigpt report`: one page of what the learner has built, to keep and to show."""

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
from minigpt_challenge.coach.records.saved_run import CURVE, FOLDER, SAMPLE, WEIGHTS, saved
from minigpt_challenge.coach.reports.attention_pictures import attention_at_work
from minigpt_challenge.coach.reports.charts import draw_ladder
from minigpt_challenge.coach.reports.html import Picture, render

WIDTH = 800  # of a picture, in CSS pixels
REPORT = FOLDER / "report.html"
ATTENTION = TASKS[1]


@dataclass(frozen=True)
class Stop:
    """A task on the learner's road."""

    task: Task
    standing: Standing
    help: HelpUsed

    @property
    def help_in_words(self) -> str:
        hints, peeks = self.help.hints, self.help.peeks
        parts = [_count(hints, "hint")] * (hints > 0) + [_count(peeks, "peek")] * (peeks > 0)
        if parts:
            return ", ".join(parts)
        return "no help" if self.standing.verdict is Verdict.PASSED else ""


def write(path: Path) -> Path | None:
    """Write the page; where another file stood, keep that first and say where.

    Raises:
        OSError: the page cannot be written.
    """
    return overwrite(path, page())


def page() -> str:
    """The page. What is not there yet is left out."""
    stops = [Stop(task, progress.standing(task), help_used(task)) for task in TASKS]
    passed = [stop.task for stop in stops if stop.standing.verdict is Verdict.PASSED]
    return render(
        "report.html",
        stops=stops,
        passed=passed,
        ladder=_ladder(ladder.rungs()),
        attention=attention_at_work(ATTENTION, ATTENTION.stub) if ATTENTION in passed else None,
        curve=_curve(),
        sample=_text(SAMPLE).strip("\n"),
        by_the_reference=_trained_on_the_reference(),
        repository=repository_url(),
        today=date.today().isoformat(),
    )


def _ladder(rungs: tuple[ladder.Rung, ...]) -> Picture | None:
    """The ladder as a picture, once there are two rungs to compare."""
    if len(rungs) < 2:
        return None
    losses = ", ".join(f"{rung.name} {rung.loss:.2f} {rung.remark}".rstrip() for rung in rungs)
    caption = (
        "What each part brings: the lower the loss, the better. It is measured on text that the "
        "model never learned from, in nats per character."
    )
    return Picture(draw_ladder(rungs), f"The loss ladder: {losses}.", caption, WIDTH)


def _curve() -> Picture | None:
    """The loss curve of the last training."""
    with suppress(OSError):
        return Picture(
            CURVE.read_bytes(),
            "The loss curve of the training: the loss falls with the steps.",
            "The training of the whole model, step by step.",
            WIDTH,
        )
    return None


def _trained_on_the_reference() -> bool:
    """Whether the last training ran on the reference, not on the learner's own code."""
    return bool(saved(WEIGHTS).get("solutions"))


def _text(path: Path) -> str:
    """The file's text; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
