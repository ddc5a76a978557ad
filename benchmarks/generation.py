"""How fast text is written: 500 characters at the milestone's shapes, on this machine's CPU or GPU.

`python benchmarks/generation.py` times, in one run and in new processes, the naive loop (append,
crop, run the whole model again), the given `generate` (a window of one shape), task 6's
`generate_fast`, and, where PyTorch is installed, the naive loop of the same model there. It prints
seconds with everything compiled for the first time, seconds once more, and the ratio to the naive
loop. No compiled program is taken from disk. The exit code is 1 where task 6 misses its aims.
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
LEAST_COLD, LEAST_WARM = 50, 200  # how many times faster than the naive loop task 6 shall be
VOCAB_SIZE, PROMPT = 65, [0]


def jax_writers():
    """By name, a function that writes LENGTH characters with a JAX model, and waits for them."""
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
    rest = PROMPT, LENGTH, block_size
    return {
        "naive": lambda: generate_naively(key, model.apply, params, *rest),
        "naive, model jitted": lambda: generate_naively(key, jax.jit(model.apply), params, *rest),
        "given": lambda: generate(key, model.apply, params, *rest),
        "task 6": lambda: task6.generate_fast(key, cached, params, PROMPT, LENGTH),
    }


def torch_writers():
    """The same model in PyTorch, written as in the original: no cache."""
    import torch
    import torch_gpt

    torch.manual_seed(0)
    model, S = torch_gpt.MiniGPT(VOCAB_SIZE, **SIZES).eval(), SIZES["block_size"]

    @torch.inference_mode()
    def write():
        text = torch.tensor([PROMPT])
        for _ in range(LENGTH):
            probs = torch.softmax(model(text[:, -S:])[:, -1], dim=-1)
            text = torch.cat([text, torch.multinomial(probs, 1)], dim=1)
        return text.numpy()

    return {"PyTorch, naive": write}


WRITERS = {
    "naive": jax_writers,
    "naive, model jitted": jax_writers,
    "given": jax_writers,
    "task 6": jax_writers,
    "PyTorch, naive": torch_writers,
}
ONCE_IS_ENOUGH = ("naive", "naive, model jitted")  # they take minutes


def measure(name: str) -> list[float]:
    """Seconds: the first time, and each further one. (In a process of its own.)"""
    write = WRITERS[name]()[name]
    seconds = []
    for _ in range(1 if name in ONCE_IS_ENOUGH else 1 + REPEATS):
        start = time.perf_counter()
        assert write().size == len(PROMPT) + LENGTH
        seconds.append(time.perf_counter() - start)
    return seconds


def main() -> int:
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    measured = {}
    for name, of_library in WRITERS.items():
        if of_library is torch_writers and not find_spec("torch"):
            continue
        command = [sys.executable, __file__, name]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        measured[name] = json.loads(done.stdout.splitlines()[-1])
    naive = measured["naive"][0]
    table = Table(f"{LENGTH} characters", "first time, s", "naive ÷", "again, s", "naive ÷")
    for name, (first, *again) in measured.items():
        row = [f"{first:.2f}", f"{naive / first:,.0f}"]
        if again:
            median = statistics.median(again)
            spread = f"{median:.3f} ({min(again):.3f}–{max(again):.3f})"
            row += [spread, f"{naive / median:,.0f}"]
        table.add_row(name, *row)
    Console(width=110).print(table)
    first, *again = measured["task 6"]
    cold, warm = naive / first, naive / statistics.median(again)
    print(f"Task 6 takes 1/{cold:.0f} of the naive time at first (the aim: 1/{LEAST_COLD}),")
    print(f"and 1/{warm:.0f} from then on (the aim: 1/{LEAST_WARM}).")
    return 0 if cold >= LEAST_COLD and warm >= LEAST_WARM else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        sys.exit(main())
