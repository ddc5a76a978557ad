"""Time text generation: 500 characters with a model of the milestone's size, on the CPU or GPU.

`python benchmarks/generation.py` times, each in a new process, the naive loop (append, crop, run
the whole model again), the given `generate` (a window of fixed shape), task 6's `generate_fast`,
and, if PyTorch is installed, the naive loop with the same model there. It prints the seconds of the
first run, compilation included, and of later runs, with the ratio to the naive loop. No compiled
program is reused from disk. The exit code is 1 if task 6 misses its targets.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec

from rich.console import Console
from rich.table import Table

from minigpt_challenge.given.milestone import SIZES

LENGTH, REPEATS = 500, 5
MIN_FIRST_SPEEDUP, MIN_SPEEDUP = 50, 200  # targets of task 6, against the naive loop
VOCAB_SIZE, PROMPT = 65, [0]


def jax_generators():
    """Functions that generate LENGTH characters with a JAX model and wait for them, by name."""
    import jax
    import jax.numpy as jnp

    from minigpt_challenge.coach.course.curriculum import (
        GPT_TASKS,
        SOLUTIONS_FOLDER,
        task_by_stem,
    )
    from minigpt_challenge.coach.runtime.loading import load_file, tasks_from
    from minigpt_challenge.given.cached_gpt import CachedMiniGPT
    from minigpt_challenge.given.naive_sampling import generate_naively
    from minigpt_challenge.given.sampling import generate

    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS) as modules:
        model = modules["task4_blocks"].MiniGPT(VOCAB_SIZE, **SIZES)
        task6 = load_file(task_by_stem("task6_kv_cache").solution, "task6")
    cached = CachedMiniGPT(VOCAB_SIZE, **SIZES, attention=task6.CachedAttention)
    key, block_size = jax.random.key(0), SIZES["block_size"]
    params = jax.jit(model.init)(key, jnp.zeros((1, block_size), jnp.int32))
    options = PROMPT, LENGTH, block_size
    return {
        "naive": lambda: generate_naively(key, model.apply, params, *options),
        "naive, model jitted": lambda: generate_naively(
            key, jax.jit(model.apply), params, *options
        ),
        "given": lambda: generate(key, model.apply, params, *options),
        "task 6": lambda: task6.generate_fast(key, cached, params, PROMPT, LENGTH),
    }


def torch_generators():
    """The same model in PyTorch, with the naive loop."""
    import torch
    import torch_gpt

    torch.manual_seed(0)
    model, S = torch_gpt.MiniGPT(VOCAB_SIZE, **SIZES).eval(), SIZES["block_size"]

    @torch.inference_mode()
    def generate():
        text = torch.tensor([PROMPT])
        for _ in range(LENGTH):
            probs = torch.softmax(model(text[:, -S:])[:, -1], dim=-1)
            text = torch.cat([text, torch.multinomial(probs, 1)], dim=1)
        return text.numpy()

    return {"PyTorch, naive": generate}


GENERATORS = {
    "naive": jax_generators,
    "naive, model jitted": jax_generators,
    "given": jax_generators,
    "task 6": jax_generators,
    "PyTorch, naive": torch_generators,
}
RUN_ONCE = ("naive", "naive, model jitted")  # they take minutes


def measure(name: str) -> list[float]:
    """Seconds of the first run and of each later one, in this process."""
    generate = GENERATORS[name]()[name]
    seconds = []
    for _ in range(1 if name in RUN_ONCE else 1 + REPEATS):
        start = time.perf_counter()
        assert generate().size == len(PROMPT) + LENGTH
        seconds.append(time.perf_counter() - start)
    return seconds


def main() -> int:
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    results = {}
    for name, make_generators in GENERATORS.items():
        if make_generators is torch_generators and not find_spec("torch"):
            continue
        command = [sys.executable, __file__, name]
        completed = subprocess.run(
            command, capture_output=True, text=True, env=environment, check=True
        )
        results[name] = json.loads(completed.stdout.splitlines()[-1])
    naive = results["naive"][0]
    table = Table(f"{LENGTH} characters", "first run, s", "speedup", "later runs, s", "speedup")
    for name, (first, *later) in results.items():
        row = [f"{first:.2f}", f"{naive / first:,.0f}"]
        if later:
            median = statistics.median(later)
            times = f"{median:.3f} ({min(later):.3f}–{max(later):.3f})"
            row += [times, f"{naive / median:,.0f}"]
        table.add_row(name, *row)
    Console(width=110).print(table)
    first, *later = results["task 6"]
    cold, warm = naive / first, naive / statistics.median(later)
    print(
        f"Task 6 is {cold:.0f} times as fast as the naive loop (target: {MIN_FIRST_SPEEDUP}) in the"
    )
    print(f"first run, and {warm:.0f} times (target: {MIN_SPEEDUP}) in later runs.")
    return 0 if cold >= MIN_FIRST_SPEEDUP and warm >= MIN_SPEEDUP else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        sys.exit(main())
