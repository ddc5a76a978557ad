"""Save a finished run, and report what it has reached."""

from pathlib import Path

import jax
from flax import serialization
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from minigpt_challenge.coach.course.curriculum import ROOT
from minigpt_challenge.coach.records import ladder
from minigpt_challenge.coach.records.history import overwrite
from minigpt_challenge.coach.reports.charts import draw_loss_curve
from minigpt_challenge.coach.training.gpt_run import device
from minigpt_challenge.coach.training.result import Run
from minigpt_challenge.coach.training.setting import MILESTONE
from minigpt_challenge.given import milestone
from minigpt_challenge.given.vocabulary import SHAKESPEARE, Vocabulary

# The loss on a sample of the evaluation text differs from that on the whole by less than this.
SAME_LOSS = 0.2  # nats per character


def finish(
    console: Console,
    run: Run,
    vocabulary: Vocabulary,
    *,
    borrowed: tuple[int, ...] = (),
    sample_command: str = "minigpt sample",
) -> None:
    """Save the run, print what it has reached, and add it to the ladder if it is at the milestone.

    Args:
        console: where to print.
        run: the run.
        vocabulary: of its text.
        borrowed: the numbers of the tasks borrowed from the reference. A run with any is not
            saved, since `minigpt sample` would load the learner's own files.
        sample_command: how to generate more text.
    """
    previous = "" if borrowed else save(run, vocabulary)
    console.print(Panel(Text(run.text.strip()), width=72))
    console.print(summary(run), soft_wrap=True)
    if not borrowed:
        console.print(
            f"The weights and the curve are in {_short(run.plan.folder.path)}. "
            f"[bold]{sample_command}{_option(run)}[/bold] writes more.",
            soft_wrap=True,
        )
    if previous:
        console.print(previous, markup=False, soft_wrap=True)
    console.print(verdict(run), soft_wrap=True)
    if run.plan.setting.note and vocabulary == SHAKESPEARE:
        console.print(run.plan.setting.note, soft_wrap=True)
    if run.reached_milestone and not run.plan.solutions:
        ladder.remember(ladder.Rung(ladder.MILESTONE, run.loss, run.text, borrowed))


def save(run: Run, vocabulary: Vocabulary) -> str:
    """Save the curve, the sample and what `minigpt sample` needs.

    The weights are msgpack, not pickle, so that loading them runs no code.

    Returns:
        a message that says where the previous weights are; empty if there were none.
    """
    folder = run.plan.folder
    before = folder.fields()
    reached_before = before.get("milestone") is True
    packed = {
        "params": jax.device_get(run.state.params),
        "characters": vocabulary.characters,
        "solutions": run.plan.solutions,
        "loss": run.loss,
        "sizes": run.plan.setting.sizes,
        "steps": run.history[-1].step,
        "seconds": run.history[-1].seconds,
        "device": device(),
        "untrained": run.untrained,
        "history": [list(measurement) for measurement in run.history],
        "target": run.target,
        # Once reached, it stays so, however long the run is trained on. None if it does not count.
        "milestone": reached_before or run.reached_milestone if run.counts else None,
    }
    previous = overwrite(folder.weights, serialization.msgpack_serialize(packed))
    overwrite(folder.curve, draw_loss_curve(run.history, run.target))
    overwrite(folder.sample, run.text)
    if previous is None:
        return ""
    with_loss = f" (loss {before['loss']:.3f})" if "loss" in before else ""
    return f"The previous weights{with_loss} of this run are saved in {_short(previous)}."


def _option(run: Run) -> str:
    """What `minigpt sample` needs to find the run: it looks for the last one in `my_gpt/`."""
    return f" --run {run.plan.output}" if run.plan.output else ""


def _short(path: Path) -> Path:
    """The path from the challenge's folder, if it lies in there."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def summary(run: Run) -> str:
    """A few sentences: the number of steps, the loss, and what is wrong with it, if anything."""
    message = (
        f"After {run.history[-1].step:,} steps the loss on the whole evaluation text is "
        f"{run.loss:.3f}: as unsure as among {ladder.perplexity(run.loss)}."
    )
    if not abs(run.own_loss - run.loss) <= SAME_LOSS:  # true if either is NaN
        message += (
            f" The given eval_step measured this; yours measured {run.own_loss:.3f}. The check of "
            "task 5 looks for the reason."
        )
    if run.can_be_resumed:
        without_fresh = " without --fresh" if run.plan.fresh else ""
        message += f" The run was stopped and is saved: the same command{without_fresh} resumes it."
    elif run.resumable_until:
        message += " To train it on, give --until with a lower loss, or more --steps."
    return message


def verdict(run: Run) -> str:
    """A few sentences (Rich markup): whether the run has reached its target, and the milestone."""
    if run.sees_future:
        return "[red]✗ The model looks into the future, so its loss means nothing.[/red]"
    target, max_steps = milestone.TARGET_LOSS, milestone.MAX_STEPS
    if run.reached_milestone:
        lines = [f"[green]✓ Below {target}: the milestone is reached.[/green]"]
    elif run.counts and run.steps > max_steps:
        lines = [f"(The milestone is to be reached in at most {max_steps:,} steps.)"]
    elif run.counts and run.can_be_resumed:
        lines = [f"The milestone, a loss below {target}, is not reached yet."]
    elif run.counts:
        lines = [f"[red]✗ The milestone, a loss below {target}, is not reached.[/red]"]
    else:
        lines = [f"(The milestone is for Shakespeare, {MILESTONE}, at most {max_steps:,} steps.)"]
    if run.plan.until is not None:
        lines.append(
            f"[green]✓ Below {run.target:g}.[/green]"
            if run.reached
            else f"[red]✗ Not below {run.target:g}.[/red]"
        )
    return "\n".join(lines)
