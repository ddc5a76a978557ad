"""Time the training until the milestone: an evaluation loss below 1.9 on Shakespeare.

`python benchmarks/milestone.py` trains the milestone's model with several recipes, each in a new
process with nothing compiled before: like the original notebook (4,000 steps in a Python loop, each
batch cut without jit), like `minigpt train`, like `minigpt train --fast`, and, if PyTorch is
installed, with the plain recipe there, without and with `torch.compile`. The time is from
initialization to the last step, with compilation and evaluation, without imports and loading. All
but the original stop once the loss on a fixed, evenly spaced sample of the evaluation text is below
the target by a margin; the printed loss is on the whole text. The lower bound is the time for the
matrix products of `minigpt train` alone, at the best speed measured on this machine.
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

TARGETS = {"minigpt train": 4, "minigpt train --fast": 8}  # speedup over the original


def load_reference():
    """The reference's MiniGPT, train_step and eval_step."""
    from minigpt_challenge.coach.runtime.loading import tasks_from

    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS) as modules:
        steps = modules["task5_training_step"]
        return modules["task4_blocks"].MiniGPT, steps.train_step, steps.eval_step


def train_like_original(data: Dataset) -> dict:
    import jax

    from minigpt_challenge.given import milestone
    from minigpt_challenge.given.batches import get_batch
    from minigpt_challenge.given.training import init_train_state

    mini_gpt, train_step, eval_step = load_reference()
    start = time.perf_counter()
    key, model = jax.random.key(0), milestone.build(mini_gpt, data.vocabulary.size)
    x, y = get_batch(key, data.train, milestone.BATCH_SIZE, milestone.BLOCK_SIZE)
    state = init_train_state(model, model.init(key, x), milestone.LEARNING_RATE)
    for _ in range(milestone.MAX_STEPS):
        key, batch_key = jax.random.split(key)
        x, y = get_batch(batch_key, data.train, milestone.BATCH_SIZE, milestone.BLOCK_SIZE)
        state, loss = train_step(state, x, y)
    loss.block_until_ready()
    return summarize(start, state, milestone.MAX_STEPS, data, eval_step)


def train_with_recipe(data: Dataset, fast: bool) -> dict:
    from minigpt_challenge.given import milestone
    from minigpt_challenge.given.fast import FAST_STEPS, fast_train_state

    mini_gpt, train_step, eval_step = load_reference()
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
    return summarize(start, state, history[-1].step, data, eval_step)


def summarize(start: float, state, steps: int, data: Dataset, eval_step) -> dict:
    from minigpt_challenge.given import milestone
    from minigpt_challenge.given.training import evaluate

    seconds = time.perf_counter() - start
    loss = evaluate(
        state, data.evaluation, milestone.BATCH_SIZE, milestone.BLOCK_SIZE, eval_step=eval_step
    )
    return {"seconds": seconds, "steps": steps, "loss": loss}


def train_with_torch(data: Dataset, compiled: bool) -> dict:
    import numpy as np
    import torch
    import torch_gpt

    from minigpt_challenge.given import milestone
    from minigpt_challenge.given.batches import evenly_spaced_batches
    from minigpt_challenge.given.training import EVALUATION_TOKENS

    B, T = milestone.BATCH_SIZE, milestone.BLOCK_SIZE
    text = torch.from_numpy(np.array(data.train)).long()
    sample, whole = (
        torch.from_numpy(
            np.stack(evenly_spaced_batches(data.evaluation, B, T, max_batches), axis=1)
        ).long()
        for max_batches in (EVALUATION_TOKENS // (B * T), None)
    )  # (number of batches, 2, B, T): x and y
    start = time.perf_counter()
    torch.manual_seed(0)
    model = torch_gpt.MiniGPT(data.vocabulary.size, **milestone.SIZES)
    step = torch_gpt.make_train_step(model, milestone.LEARNING_RATE, compiled=compiled)

    @torch.no_grad()
    def evaluate(batches) -> float:
        return float(np.mean([torch_gpt.loss_fn(model, x, y).item() for x, y in batches]))

    for number in range(1, milestone.MAX_STEPS + 1):
        step(*torch_gpt.get_batch(text, B, T))
        if not number % 50 and evaluate(sample) <= milestone.TARGET_LOSS - milestone.MARGIN:
            break
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "steps": number, "loss": evaluate(whole)}


RECIPES = {
    "original": train_like_original,
    "minigpt train": partial(train_with_recipe, fast=False),
    "minigpt train --fast": partial(train_with_recipe, fast=True),
    "PyTorch": partial(train_with_torch, compiled=False),
    "PyTorch, torch.compile": partial(train_with_torch, compiled=True),
}


def min_seconds(steps: int) -> float:
    """Seconds for the matrix products of `steps` steps alone, at this machine's best speed."""
    import jax
    import jax.numpy as jnp
    from steps import SHAPES, flops_per_token, peak_flops

    a = jax.random.normal(jax.random.key(0), (1024, 1024))
    multiply = jax.jit(jnp.matmul)
    best = max(peak_flops(lambda: multiply(a, a).block_until_ready(), 1024) for _ in range(5))
    shape = SHAPES["milestone"]
    tokens = shape["batch_size"] * shape["block_size"]
    return steps * tokens * flops_per_token(**shape) / best


def main() -> int:
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    results = {}
    for name in RECIPES:
        if "PyTorch" in name and not find_spec("torch"):
            continue
        command = [sys.executable, __file__, name]
        completed = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, env=environment, check=True
        )
        results[name] = json.loads(completed.stdout.splitlines()[-1])
        print(name, results[name], flush=True)
    original = results["original"]["seconds"]
    table = Table("", "steps", "loss", "seconds", "ms per step", "speedup", "target")
    for name, result in results.items():
        table.add_row(
            name,
            f"{result['steps']:,}",
            f"{result['loss']:.3f}",
            f"{result['seconds']:.1f}",
            f"{1e3 * result['seconds'] / result['steps']:.1f}",
            f"{original / result['seconds']:.1f}",
            str(TARGETS.get(name, "")),
        )
    steps = results["minigpt train"]["steps"]
    bound = min_seconds(steps)
    row = f"{steps:,}", "", f"{bound:.1f}", f"{1e3 * bound / steps:.1f}", f"{original / bound:.1f}"
    table.add_row("minigpt train, lower bound", *row)
    Console(width=100).print(table)
    missed = [
        name for name, target in TARGETS.items() if results[name]["seconds"] * target > original
    ]
    print(f"Missed: {', '.join(missed)}" if missed else "Both targets are met.")
    return 1 if missed else 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(RECIPES[sys.argv[1]](load_data())))
    else:
        sys.exit(main())
