"""`%ladder 2`: use the new part in a model, train it, and report its loss."""

import math
from contextlib import suppress
from types import ModuleType
from typing import Any

import jax
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from minigpt_challenge.coach.course.curriculum import TASKS, WARM_UP, Task
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records import ladder, progress
from minigpt_challenge.coach.records.ladder import Rung
from minigpt_challenge.coach.reports import live_training, road
from minigpt_challenge.coach.runtime.loading import load_for_notebook, unwritten_before
from minigpt_challenge.coach.training import gpt_run
from minigpt_challenge.coach.training.finish import finish
from minigpt_challenge.coach.training.ladder_recipes import (
    BATCH_SIZE,
    BLOCK_SIZE,
    MILESTONE_TASK,
    MILESTONE_USES,
    RECIPES,
    Recipe,
)
from minigpt_challenge.coach.training.plan import Plan
from minigpt_challenge.given.dataset import load_data
from minigpt_challenge.given.milestone import sees_the_future
from minigpt_challenge.given.sampling import continue_text
from minigpt_challenge.given.training import evaluate, run_training_loop
from minigpt_challenge.given.vocabulary import SHAKESPEARE, Vocabulary

SAMPLE_LENGTH = 300  # characters


def run(console: Console, task: Task, options: dict[str, Any]) -> dict[str, Any]:
    """Train the model of the task's rung and add it to the ladder, or print why it cannot join.

    Args:
        console: where to print.
        task: the task.
        options: of the `Plan`; only the milestone has any.

    Returns:
        names for the notebook to use: after the milestone `data`, the model `gpt` and the state
        `trained`, else none.
    """
    if reason := reason_against(task):
        console.print(reason, soft_wrap=True)
        return {}
    for note in notes_on_other_parts(task, unwritten_before(task)):
        console.print(note)
    modules, borrowed = load_for_notebook(task)
    if task.number == MILESTONE_TASK:
        return _train_milestone(console, modules, borrowed, options)
    _train_rung(console, task, modules, borrowed)
    return {}


def reason_against(task: Task) -> str:
    """Why the task's part cannot join the ladder now; empty if it can."""
    if task is WARM_UP:
        return ""  # all of its code is given
    if task.number not in (*RECIPES, MILESTONE_TASK):
        return f"Task {task.number} has no rung on the ladder."
    standing = progress.standing(task)
    if standing.verdict is Verdict.PASSED:
        return ""
    return (
        f"· Task {task.number} is {standing.words}. A part joins the ladder when its check has "
        f"passed: run %check {task.number} first, then this cell again."
    )


def notes_on_other_parts(task: Task, borrowed: list[Task]) -> list[str]:
    """Which of the model's other parts are borrowed, and which have not passed their check."""
    others = [other for other in TASKS if other is not task and other.number in _tasks_used(task)]
    notes = []
    if lent := [str(other.number) for other in others if other in borrowed]:
        notes.append(f"(Not written here, so borrowed from the reference: task {', '.join(lent)}.)")
    for other in others:
        if other not in borrowed and progress.standing(other).verdict is not Verdict.PASSED:
            notes.append(
                f"(Task {other.number} is your own, but its check has not passed: the loss may be "
                "higher.)"
            )
    return notes


def _tasks_used(task: Task) -> tuple[int, ...]:
    return MILESTONE_USES if task.number == MILESTONE_TASK else RECIPES[task.number].tasks


def _train_rung(
    console: Console, task: Task, modules: dict[Task, ModuleType], borrowed: list[Task]
) -> None:
    """Train the model of the warm-up or of one of the tasks 1 to 4, and report the result."""
    recipe = RECIPES[task.number]
    data = load_data()
    names = {name: value for module in modules.values() for name, value in vars(module).items()}
    model = recipe.build(names, data.vocabulary.size)
    steps = gpt_run.limit_steps(recipe.steps)
    console.print(f"Training “{recipe.name}” for {steps:,} steps. Compiling …")
    state, history = run_training_loop(
        steps,
        BATCH_SIZE,
        BLOCK_SIZE,
        recipe.learning_rate,
        data.evaluation,
        data.train,
        model,
    )
    loss = evaluate(state, data.evaluation, BATCH_SIZE, BLOCK_SIZE)
    text = continue_text(
        jax.random.key(1), model.apply, state.params, data.vocabulary, SAMPLE_LENGTH, BLOCK_SIZE
    )
    console.print(Panel(Text(text.strip()), width=72, title=recipe.name))
    if sees_the_future(model, state.params, data.evaluation[:BLOCK_SIZE]):
        console.print(
            "✗ This model looks into the future: changing the last character changes its "
            "predictions before it. Its loss means nothing, so it does not join the ladder.",
            soft_wrap=True,
        )
    elif history[-1].step < steps:
        console.print(f"Stopped after {history[-1].step:,} of {steps:,} steps: not on the ladder.")
    elif not math.isfinite(loss):
        console.print("✗ The loss is not a finite number, so it does not join the ladder.")
    elif data.vocabulary != SHAKESPEARE:
        console.print(f"Loss {loss:.2f}. (Only losses on Shakespeare join the ladder.)")
    else:
        ladder.remember(Rung(recipe.name, loss, text, _lent(borrowed, recipe.tasks)))
        words = ladder.perplexity(loss)
        console.print(f"{recipe.name}: loss {loss:.2f}, as unsure as among {words}")
        _show_what_it_learned(recipe, model, state.params, data.vocabulary)


def _show_what_it_learned(recipe: Recipe, model: Any, params: Any, vocabulary: Vocabulary) -> None:
    """Show the recipe's picture. The rung is trained, so an error only leaves the picture out."""
    with suppress(Exception):
        if picture := recipe.picture(model, params, vocabulary):
            live_training.show_with_caption(picture)


def _train_milestone(
    console: Console,
    modules: dict[Task, ModuleType],
    borrowed: list[Task],
    options: dict[str, Any],
) -> dict[str, Any]:
    """Train or resume the learner's GPT with the learner's own step, and show it live."""
    by_number = {task.number: module for task, module in modules.items()}
    lent = _lent(borrowed, MILESTONE_USES)
    data = load_data()
    watch = live_training.watcher(data.vocabulary)
    plan = Plan(**options)
    with gpt_run.only_this_process(plan):
        run = gpt_run.train(
            by_number[4].MiniGPT,
            by_number[5],
            data,
            plan,
            author=f"the learner, with {lent} borrowed" if lent else "the learner",
            report=lambda message: console.print(message, markup=False, soft_wrap=True),
            on_measure=watch,
        )
        watch(run.state, run.history, at_once=True)
        finish(console, run, data.vocabulary, borrowed=lent, sample_command=road.NOTEBOOK.sample)
    return {"data": data, "gpt": run.model, "trained": run.state}


def _lent(borrowed: list[Task], used: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(task.number for task in borrowed if task.number in used)
