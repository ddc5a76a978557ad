"""How long it takes to the milestone: an evaluation loss below 1.9 on Shakespeare.

`python benchmarks/milestone.py` trains the milestone's model in one run, each way in a process of
its own with nothing compiled before: as the original notebook does (4,000 steps from Python, each
batch cut op by op), by the recipe of `minigpt train`, by that of `minigpt train --fast`, and, where
PyTorch is installed, by the plain recipe there, without and with `torch.compile`. Seconds count
from the first weights to the last step, compilation and evaluation included, imports and reading
the text not. All but the original stop once a fixed, even sample of the evaluation text is safely
below the target; the loss printed is over the whole of it. The floor is what the matrix products of
the plain recipe's steps alone would take at the best speed that this machine showed.
"""

import json
import os
import subprocess
import sys
import time
from functools import partial
from importlib.util import find_spec

from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import GPT_TASKS, SOLUTIONS_FOLDER
from minigpt_challenge.given.dataset import Dataset, load_data

AIMS = {"minigpt train": 4, "minigpt train --fast": 8}  # times as fast as the original


def reference():
    """The reference's MiniGPT, train_step and eval_step."""
    from minigpt_challenge.coach.runtime.loading import tasks_from

    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS) as modules:
        steps = modules["task5_training_step"]
        return modules["task4_blocks"].MiniGPT, steps.train_step, steps.eval_step


def as_the_original(data: Dataset) -> dict:
    import jax

    from minigpt_challenge.given import milestone
    from minigpt_challenge.given.batches import get_batch
    from minigpt_challenge.given.training import init_train_state

    mini_gpt, train_step, eval_step = reference()
    start = time.perf_counter()
    key, model = jax.random.key(0), milestone.build(mini_gpt, data.vocabulary.size)
    x, y = get_batch(key, data.train, milestone.BATCH_SIZE, milestone.BLOCK_SIZE)
    state = init_train_state(model, model.init(key, x), milestone.LEARNING_RATE)
    for _ in range(milestone.MOST_STEPS):
        key, batch_key = jax.random.split(key)
        x, y = get_batch(batch_key, data.train, milestone.BATCH_SIZE, milestone.BLOCK_SIZE)
        state, loss = train_step(state, x, y)
    loss.block_until_ready()
    return judged(start, state, milestone.MOST_STEPS, data, eval_step)


def by_train(data: Dataset, fast: bool) -> dict:
    from minigpt_challenge.given import milestone
    from minigpt_challenge.given.fast import FAST_STEPS, fast_train_state

    mini_gpt, train_step, eval_step = reference()
    recipe = {}
    if fast:
        recipe = {
            "num_iterations": FAST_STEPS,
            "make_state": partial(fast_train_state, num_steps=FAST_STEPS),
        }
    start = time.perf_counter()
    model = milestone.build(mini_gpt, data.vocabulary.size)
    state, history = milestone.train(
        model, data, train_step, eval_step, show_progress=False, **recipe
    )
    return judged(start, state, history[-1].step, data, eval_step)


def judged(start: float, state, steps: int, data: Dataset, eval_step) -> dict:
    from minigpt_challenge.given import milestone
    from minigpt_challenge.given.training import evaluate

    seconds = time.perf_counter() - start
    loss = evaluate(
        state, data.evaluation, milestone.BATCH_SIZE, milestone.BLOCK_SIZE, eval_step=eval_step
    )
    return {"seconds": seconds, "steps": steps, "loss": loss}


def by_torch(data: Dataset, compiled: bool) -> dict:
    import numpy as np
    import torch
    import torch_gpt

    from minigpt_challenge.given import milestone
    from minigpt_challenge.given.batches import evenly_spaced_batches
    from minigpt_challenge.given.training import EVALUATION_BATCHES

    B, T = milestone.BATCH_SIZE, milestone.BLOCK_SIZE
    text = torch.from_numpy(np.array(data.train)).long()
    sample, whole = (
        torch.from_numpy(
            np.stack(evenly_spaced_batches(data.evaluation, B, T, most), axis=1)
        ).long()
        for most in (EVALUATION_BATCHES, None)
    )  # (number of batches, 2, B, T): x and y
    start = time.perf_counter()
    torch.manual_seed(0)
    model = torch_gpt.MiniGPT(data.vocabulary.size, **milestone.SIZES)
    step = torch_gpt.stepper(model, milestone.LEARNING_RATE, compiled=compiled)

    @torch.no_grad()
    def evaluate(batches) -> float:
        return float(np.mean([torch_gpt.loss_of(model, x, y).item() for x, y in batches]))

    for number in range(1, milestone.MOST_STEPS + 1):
        step(*torch_gpt.get_batch(text, B, T))
        if not number % 250 and evaluate(sample) <= milestone.TARGET_LOSS - milestone.MARGIN:
            break
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "steps": number, "loss": evaluate(whole)}


WAYS = {
    "as the original": as_the_original,
    "minigpt train": partial(by_train, fast=False),
    "minigpt train --fast": partial(by_train, fast=True),
    "PyTorch": partial(by_torch, compiled=False),
    "PyTorch, torch.compile": partial(by_torch, compiled=True),
}


def floor(steps: int) -> float:
    """Seconds for the matrix products alone of so many steps, at this machine's best speed."""
    import jax
    import jax.numpy as jnp
    from steps import SHAPES, flops_per_token, peak

    a = jax.random.normal(jax.random.key(0), (1024, 1024))
    multiply = jax.jit(jnp.matmul)
    best = max(peak(lambda: multiply(a, a).block_until_ready(), 1024) for _ in range(5))
    shape = SHAPES["milestone"]
    tokens = shape["batch_size"] * shape["block_size"]
    return steps * tokens * flops_per_token(**shape) / best


def main() -> int:
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    measured = {}
    for name in WAYS:
        if "PyTorch" in name and not find_spec("torch"):
            continue
        command = [sys.executable, __file__, name]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, env=environment, check=True
        )
        measured[name] = json.loads(done.stdout.splitlines()[-1])
        print(name, measured[name], flush=True)
    original = measured["as the original"]["seconds"]
    table = Table("", "steps", "loss", "seconds", "ms a step", "original ÷", "the aim")
    for name, its in measured.items():
        table.add_row(
            name,
            f"{its['steps']:,}",
            f"{its['loss']:.3f}",
            f"{its['seconds']:.1f}",
            f"{1e3 * its['seconds'] / its['steps']:.1f}",
            f"{original / its['seconds']:.1f}",
            str(AIMS.get(name, "")),
        )
    steps = measured["minigpt train"]["steps"]
    least = floor(steps)
    row = f"{steps:,}", "", f"{least:.1f}", f"{1e3 * least / steps:.1f}", f"{original / least:.1f}"
    table.add_row("floor of minigpt train", *row)
    Console(width=100).print(table)
    missed = [name for name, aim in AIMS.items() if measured[name]["seconds"] * aim > original]
    print(f"Missed: {', '.join(missed)}" if missed else "Both aims are met.")
    return 1 if missed else 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(WAYS[sys.argv[1]](load_data())))
    else:
        sys.exit(main())
