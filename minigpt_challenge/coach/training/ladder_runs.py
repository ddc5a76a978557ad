"""`%ladder 2`: plug the part just written into the rest, train it, and see how far down it gets."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import flax.linen as nn
import jax
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from minigpt_challenge.coach.course.curriculum import TASKS, WARM_UP, Task
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records import ladder, progress
from minigpt_challenge.coach.records.ladder import Rung
from minigpt_challenge.coach.reports import live_training
from minigpt_challenge.coach.training import gpt_run, result, train_and_sample
from minigpt_challenge.given.bigram import SimpleDecoder
from minigpt_challenge.given.dataset import load_data
from minigpt_challenge.given.milestone import sees_the_future
from minigpt_challenge.given.rungs import EmbedAndGuess, LookBackAndGuess
from minigpt_challenge.given.sampling import continue_text
from minigpt_challenge.given.training import evaluate, run_training_loop
from minigpt_challenge.given.vocabulary import SHAKESPEARE

BATCH_SIZE = BLOCK_SIZE = 32
HIDDEN_DIM, NUM_HEADS = 64, 4
SAMPLE_LENGTH = 300


@dataclass(frozen=True)
class Climb:
    """How a rung is reached: about half a minute on two cores, at the most.

    Attributes:
        name: the rung's.
        uses: the numbers of the tasks whose modules are in the model.
        build: from the learner's names and V, the model.
    """

    name: str
    uses: tuple[int, ...]
    build: Callable[[Mapping[str, Any], int], nn.Module]
    steps: int = 2_000
    learning_rate: float = 3e-3


CLIMBS = {
    0: Climb("bigram", (), lambda names, V: SimpleDecoder(V), learning_rate=1e-2),
    1: Climb("+ embedding", (1,), lambda names, V: EmbedAndGuess(_embedding(names, V), V)),
    2: Climb(
        "+ attention",
        (1, 2),
        lambda names, V: LookBackAndGuess(
            _embedding(names, V), names["SelfAttention"](head_dim=HIDDEN_DIM), V
        ),
    ),
    3: Climb(
        "+ many heads",
        (1, 3),
        lambda names, V: LookBackAndGuess(
            _embedding(names, V),
            names["EinsumMultiHeadAttention"](
                num_heads=NUM_HEADS, head_dim=HIDDEN_DIM // NUM_HEADS
            ),
            V,
        ),
    ),
    4: Climb(
        "+ blocks",
        (1, 3, 4),
        lambda names, V: names["MiniGPT"](
            vocab_size=V,
            hidden_dim=HIDDEN_DIM,
            block_size=BLOCK_SIZE,
            num_layers=2,
            num_heads=NUM_HEADS,
        ),
        steps=1_000,
    ),
}
MILESTONE_TASK, MILESTONE_USES = 5, (1, 3, 4, 5)


def may_climb(console: Console, task: Task, borrowed: list[Task]) -> bool:
    """Whether the task's part may join the ladder. Says why not, and whose the other parts are."""
    if task.number not in (*CLIMBS, MILESTONE_TASK):
        console.print(f"Task {task.number} has no rung on the ladder.")
        return False
    if task is WARM_UP:
        return True  # all of it is given
    standing = progress.standing(task)
    if standing.verdict is not Verdict.PASSED:
        state = "changed since its check" if standing.verdict is None else standing.verdict.words
        console.print(
            f"· Task {task.number} is {state}. A part joins the ladder when its check has passed: "
            f"%check {task.number} first, then this cell again.",
            soft_wrap=True,
        )
        return False
    uses = MILESTONE_USES if task.number == MILESTONE_TASK else CLIMBS[task.number].uses
    lent = [str(other.number) for other in borrowed if other.number in uses]
    if lent:
        console.print(
            f"(Not written here, so borrowed from the reference: task {', '.join(lent)}.)"
        )
    for other in TASKS:
        if other.number not in uses or other in (task, *borrowed):
            continue
        if progress.standing(other).verdict is not Verdict.PASSED:
            console.print(
                f"(Task {other.number} is your own, and its check has not passed as it stands: "
                "the loss may suffer.)"
            )
    return True


def climb(
    console: Console, task: Task, modules: dict[Task, ModuleType], borrowed: list[Task]
) -> None:
    """Train the rung of the warm-up or of one of the tasks 1 to 4, and say what came of it."""
    climb = CLIMBS[task.number]
    data = load_data()
    names = {name: value for module in modules.values() for name, value in vars(module).items()}
    model = climb.build(names, data.vocabulary.size)
    steps = gpt_run.most_steps(climb.steps)
    state, history = run_training_loop(
        steps,
        BATCH_SIZE,
        BLOCK_SIZE,
        climb.learning_rate,
        data.evaluation,
        data.train,
        model,
    )
    loss = evaluate(state, data.evaluation, BATCH_SIZE, BLOCK_SIZE)
    text = continue_text(
        jax.random.key(1), model.apply, state.params, data.vocabulary, SAMPLE_LENGTH, BLOCK_SIZE
    )
    console.print(Panel(Text(text.strip()), width=72, title=climb.name))
    if sees_the_future(model, state.params, data.evaluation[:BLOCK_SIZE]):
        console.print(
            "✗ This model looks into the future: another last character changes its guesses "
            "before it. So its loss says nothing, and stays off the ladder.",
            soft_wrap=True,
        )
    elif history[-1].step < steps:
        console.print(f"Stopped after {history[-1].step:,} of {steps:,} steps: not on the ladder.")
    else:
        lent = tuple(other.number for other in borrowed if other.number in climb.uses)
        _join(console, Rung(climb.name, loss, text, lent), data.vocabulary == SHAKESPEARE)


def climb_to_milestone(
    console: Console,
    modules: dict[Task, ModuleType],
    borrowed: list[Task],
    options: dict[str, Any],
) -> dict[str, Any]:
    """Train the learner's own GPT with the learner's own step, live; an interrupted run goes on.

    `options` go to `gpt_run.train` as they are.

    Returns:
        what the notebook may play with: `data`, the model `gpt` and the state `trained`.
    """
    by_number = {task.number: module for task, module in modules.items()}
    lent = tuple(other.number for other in borrowed if other.number in MILESTONE_USES)
    data = load_data()
    run = gpt_run.train(
        by_number[4].MiniGPT,
        by_number[5],
        data,
        whose=f"the learner, with {lent} borrowed" if lent else "the learner",
        **options,
        say=lambda words: console.print(words, markup=False, soft_wrap=True),
        on_measure=live_training.watcher(data.vocabulary),
    )
    if not lent:  # `minigpt sample` would look for the learner's own files
        former = result.save(run, data.vocabulary, solutions=False)
        if former:
            console.print(former, markup=False, soft_wrap=True)
    console.print(Panel(Text(run.text.strip()), width=72, title=ladder.MILESTONE))
    console.print(result.in_words(run), soft_wrap=True)
    console.print(train_and_sample.verdict(run))
    if run.reached:
        _join(console, Rung(ladder.MILESTONE, run.loss, run.text, lent), run.target is not None)
    return {"data": data, "gpt": run.model, "trained": run.state}


def _join(console: Console, rung: Rung, is_shakespeare: bool) -> None:
    if not math.isfinite(rung.loss):
        console.print("✗ The loss is not a number, and stays off the ladder.")
    elif not is_shakespeare:
        console.print(f"Loss {rung.loss:.2f}. (Only losses on Shakespeare join the ladder.)")
    else:
        ladder.remember(rung)
        console.print(f"{rung.name}: loss {rung.loss:.2f}")


def _embedding(names: Mapping[str, Any], vocab_size: int) -> nn.Module:
    return names["TokenAndPositionEmbedding"](
        vocab_size=vocab_size, block_size=BLOCK_SIZE, hidden_dim=HIDDEN_DIM
    )
