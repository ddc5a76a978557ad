"""Time a training step: tokens per second, at several model sizes, in JAX and PyTorch.

`python benchmarks/steps.py` times, each in a new process, the step of task 5 (of the reference) in
a Python loop and in a compiled loop, and, if PyTorch is installed, the same step there, without and
with `torch.compile`. On a GPU it also uses nanoGPT's size, in float32 (TF32 on a GPU) and bfloat16.
The last column is the fraction of the floating-point throughput that a large matrix product of the
same dtype reached in the same process.
"""

import json
import math
import statistics
import subprocess
import sys
from importlib.util import find_spec

from measuring import REPEATS, time_runs
from rich.console import Console
from rich.table import Table

from minigpt_challenge.given import milestone

VOCAB_SIZE = 65
SHAPES = {
    "milestone": milestone.SIZES | dict(batch_size=milestone.BATCH_SIZE, steps=50),
    "nanoGPT": dict(
        batch_size=64, block_size=256, hidden_dim=384, num_layers=6, num_heads=6, steps=25
    ),
}


def flops_per_token(hidden_dim, num_layers, block_size, **_) -> float:
    """Of the matrix products of a training step; the backward pass has twice those of the forward.

    A block has 12·C² weights, the last layer C·V. The products of queries and keys, and of
    attention weights and values, take 2·C multiplications for each of T keys (half of them masked,
    but computed).
    """
    C, T = hidden_dim, block_size
    multiplications = num_layers * (12 * C**2 + 2 * T * C) + C * VOCAB_SIZE
    return 3 * 2 * multiplications


def time_steps(run, steps: int) -> dict:
    """Seconds of the first run of `steps` steps, and seconds per step of each later run."""
    first, *later = time_runs(run, 1 + REPEATS)
    return {"first": first, "step": [seconds / steps for seconds in later]}


def peak_flops(multiply, size: int) -> float:
    """Floating-point operations per second in a product of two matrices (size, size)."""
    multiply()
    return 2 * size**3 / min(time_runs(multiply))


def measure_jax(shape: dict, dtype: str, mode: str) -> dict:
    import jax
    import jax.numpy as jnp

    from minigpt_challenge.coach.course.curriculum import GPT_TASKS, SOLUTIONS_FOLDER
    from minigpt_challenge.coach.runtime.loading import tasks_from
    from minigpt_challenge.given.batches import get_batch
    from minigpt_challenge.given.many_steps import compiled_loop, python_loop
    from minigpt_challenge.given.training import init_train_state

    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS) as modules:
        names = ("hidden_dim", "block_size", "num_layers", "num_heads")
        model = modules["task4_blocks"].MiniGPT(VOCAB_SIZE, **{name: shape[name] for name in names})
        train_step = modules["task5_training_step"].train_step
    B, T, steps = shape["batch_size"], shape["block_size"], shape["steps"]
    text = jax.random.randint(jax.random.key(0), (1_000_000,), 0, VOCAB_SIZE)
    params = jax.jit(model.init)(jax.random.key(1), text[None, :T])
    state = init_train_state(model, params, milestone.LEARNING_RATE)
    if dtype == "bfloat16":  # the weights stay in float32; the model computes in bfloat16
        state = state.replace(
            apply_fn=lambda params, x: model.apply(
                jax.tree.map(lambda leaf: leaf.astype(dtype), params), x
            ).astype("float32")
        )

    def make_batch(step, text, key):
        return get_batch(jax.random.fold_in(key, step), text, B, T)

    if mode == "compiled loop":
        run_steps = compiled_loop(train_step, make_batch)
    else:
        run_steps = python_loop(train_step, jax.jit(make_batch))
    size = 8192 if jax.default_backend() == "gpu" else 1024
    a = jax.random.normal(jax.random.key(2), (size, size), dtype)
    multiply = jax.jit(jnp.matmul)
    return time_steps(
        lambda: jax.block_until_ready(run_steps(state, 0, steps, text, jax.random.key(3))), steps
    ) | {
        "peak": peak_flops(lambda: multiply(a, a).block_until_ready(), size),
        "device": jax.devices()[0].device_kind,
        "version": f"JAX {jax.__version__}",
    }


def measure_torch(shape: dict, dtype: str, mode: str) -> dict:
    import torch
    import torch_gpt

    on_gpu = torch.cuda.is_available()
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU, as in JAX
    with torch.device("cuda" if on_gpu else "cpu"):
        names = ("hidden_dim", "block_size", "num_layers", "num_heads")
        model = torch_gpt.MiniGPT(VOCAB_SIZE, **{name: shape[name] for name in names})
        text = torch.randint(VOCAB_SIZE, (1_000_000,))
        size = 8192 if on_gpu else 1024
        a = torch.randn(size, size, dtype=getattr(torch, dtype))
    compiled = mode == "compiled"
    step = torch_gpt.make_train_step(
        model, milestone.LEARNING_RATE, getattr(torch, dtype), compiled
    )

    def run():
        for _ in range(shape["steps"]):
            loss = step(*torch_gpt.get_batch(text, shape["batch_size"], shape["block_size"]))
        assert math.isfinite(loss.item())  # waits for the result

    return time_steps(run, shape["steps"]) | {
        "peak": peak_flops(lambda: (a @ a)[0, 0].item(), size),
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "version": f"PyTorch {torch.__version__}",
    }


VARIANTS = {  # the first is the baseline
    "JAX, Python loop": (measure_jax, "Python loop"),
    "JAX, compiled loop": (measure_jax, "compiled loop"),
    "PyTorch": (measure_torch, "plain"),
    "PyTorch, torch.compile": (measure_torch, "compiled"),
}


def measure_in_new_process(name: str, shape: str, dtype: str) -> dict:
    completed = subprocess.run(
        [sys.executable, __file__, name, shape, dtype], capture_output=True, text=True
    )
    if completed.returncode:
        raise SystemExit(f"{name}, {shape}, {dtype}:\n{completed.stderr[-3000:]}")
    return json.loads(completed.stdout.splitlines()[-1])


def main() -> None:
    import jax

    on_gpu = jax.default_backend() == "gpu"
    settings = [("milestone", "float32")]
    if on_gpu:
        settings += [("nanoGPT", "bfloat16"), ("nanoGPT", "float32")]
    headings = ("", "dtype", "first, s", "ms per step", "tokens/s", "speedup", "of peak")
    table = Table(*headings)
    environment = set()
    for shape, dtype in settings:
        sizes, baseline = SHAPES[shape], None
        for name, (measure, _) in VARIANTS.items():
            if measure is measure_torch and not find_spec("torch"):
                continue
            result = measure_in_new_process(name, shape, dtype)
            print(shape, dtype, name, result, file=sys.stderr, flush=True)
            environment |= {result["version"], result["device"]}
            step = statistics.median(result["step"])
            baseline = baseline or step
            tokens = sizes["batch_size"] * sizes["block_size"] / step
            extremes = f"{1e3 * min(result['step']):.2f}–{1e3 * max(result['step']):.2f}"
            table.add_row(
                f"{shape}: {name}",
                dtype,
                f"{result['first']:.1f}",
                f"{1e3 * step:.2f} ({extremes})",
                f"{tokens:,.0f}",
                f"{baseline / step:.2f}",
                f"{tokens * flops_per_token(**sizes) / result['peak']:.1%}",
            )
    Console(width=130).print(table)
    print("; ".join(sorted(environment)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        name, shape, dtype = sys.argv[1:]
        measure, mode = VARIANTS[name]
        print(json.dumps(measure(SHAPES[shape], dtype, mode)))
    else:
        main()
