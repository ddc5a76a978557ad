"""Save a finished run, and report what it has reached."""

import jax
from flax import serialization
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from minigpt_challenge.coach.course.curriculum import ROOT
from minigpt_challenge.coach.records import ladder, saved_run
from minigpt_challenge.coach.records.history import overwrite
from minigpt_challenge.coach.reports.charts import draw_loss_curve
from minigpt_challenge.coach.training.result import Run
from minigpt_challenge.given.vocabulary import Vocabulary

# The loss on a sample of the evaluation text differs from that on the whole by less than this.
SAME_LOSS = 0.2  # nats per character


def finish(
    console: Console,
    run: Run,
    vocabulary: Vocabulary,
    *,
    solutions: bool = False,
    borrowed: tuple[int, ...] = (),
    sample_command: str = "minigpt sample",
) -> None:
    """Save the run, print what it has reached, and add it to the ladder if it is at its target.

    Args:
        console: where to print.
        run: the run.
        vocabulary: of its text.
        solutions: whether all code is the reference's; then the run does not join the ladder.
        borrowed: the numbers of the tasks borrowed from the reference. A run with any is not
            saved, since `minigpt sample` would load the learner's own files.
        sample_command: how to generate more text.
    """
    previous = "" if borrowed else save(run, vocabulary, solutions)
    console.print(Panel(Text(run.text.strip()), width=72))
    console.print(summary(run), soft_wrap=True)
    if not borrowed:
        console.print(
            f"The curve is in {saved_run.CURVE.relative_to(ROOT)}, the weights are in "
            f"{saved_run.WEIGHTS.relative_to(ROOT)}. [bold]{sample_command}[/bold] writes more."
        )
    if previous:
        console.print(previous, markup=False, soft_wrap=True)
    console.print(verdict(run))
    if run.reached and run.target and not solutions:
        ladder.remember(ladder.Rung(ladder.MILESTONE, run.loss, run.text, borrowed))


def save(run: Run, vocabulary: Vocabulary, solutions: bool) -> str:
    """Save the curve, the sample and what `minigpt sample` needs.

    The weights are msgpack, not pickle, so that loading them runs no code.

    Returns:
        a message that says where the previous weights are; empty if there were none.
    """
    packed = {
        "params": jax.device_get(run.state.params),
        "characters": vocabulary.characters,
        "solutions": solutions,
        "loss": run.loss,
    }
    previous = overwrite(saved_run.WEIGHTS, serialization.msgpack_serialize(packed))
    overwrite(saved_run.CURVE, draw_loss_curve(run.history, run.target))
    overwrite(saved_run.SAMPLE, run.text)
    if previous is None:
        return ""
    loss = saved_run.saved(previous).get("loss")
    with_loss = f" (loss {loss:.3f})" if isinstance(loss, float) else ""
    return (
        f"The previous weights{with_loss} are saved in {previous}; `minigpt sample` uses those in "
        f"{saved_run.WEIGHTS.relative_to(ROOT)}."
    )


def summary(run: Run) -> str:
    """A few sentences: the number of steps, the loss, and what is wrong with it, if anything."""
    message = (
        f"After {run.history[-1].step:,} steps the loss on the whole evaluation text is "
        f"{run.loss:.3f}."
    )
    if not abs(run.own_loss - run.loss) <= SAME_LOSS:  # true if either is NaN
        message += (
            f" The given eval_step measured this; yours measured {run.own_loss:.3f}. The check of "
            "task 5 looks for the reason."
        )
    if run.can_be_resumed:
        message += " The run was stopped and is saved: the same command without --fresh resumes it."
    return message


def verdict(run: Run) -> str:
    """A sentence (Rich markup): whether the run has reached the milestone."""
    if run.sees_future:
        return "[red]✗ The model looks into the future, so its loss means nothing.[/red]"
    if run.target is None:
        return "(This text is not Shakespeare, so there is no target.)"
    if run.reached:
        return f"[green]✓ Below {run.target}: the milestone is reached.[/green]"
    if run.can_be_resumed:
        return f"The milestone, a loss below {run.target}, is not reached yet."
    return f"[red]✗ The milestone, a loss below {run.target}, is not reached.[/red]"
