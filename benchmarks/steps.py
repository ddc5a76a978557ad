"""How fast a training step is: tokens per second, at several shapes, beside PyTorch.

`python benchmarks/steps.py` times, in one run and each in a process of its own, the learner's step
(the reference's, of task 5) asked for by Python one by one and many in one program, and, where
PyTorch is installed, the same model's step there, plain and under `torch.compile`. On a GPU also at
nanoGPT's shapes, in float32 (which there means TF32) and bfloat16. The last column is the share of
the floating-point operations that the machine reached in a large matrix product of the same dtype,
measured in the same process.
"""

import json
import math
import statistics
import subprocess
import sys
from importlib.util import find_spec

from measuring import REPEATS, measured
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
    """Of the matrix products of a training step: forward once, backward twice as much.

    A block has 12·C² weights, the last layer C·V; queries meet keys and weights meet values, 2·C
    multiplications for each of T keys (half of them hidden, but computed).
    """
    C, T = hidden_dim, block_size
    multiplications = num_layers * (12 * C**2 + 2 * T * C) + C * VOCAB_SIZE
    return 3 * 2 * multiplications


def timed(run, steps: int) -> dict:
    """Seconds until the first `steps` are done, and seconds a step from then on, each time."""
    first, *again = measured(run, 1 + REPEATS)
    return {"first": first, "step": [seconds / steps for seconds in again]}


def peak(multiply, size: int) -> float:
    """Floating-point operations a second in a product of two matrices (size, size)."""
    multiply()
    return 2 * size**3 / min(measured(multiply))


def of_jax(shape: dict, dtype: str, way: str) -> dict:
    import jax
    import jax.numpy as jnp

    from minigpt_challenge.coach.course.curriculum import GPT_TASKS, SOLUTIONS_FOLDER
    from minigpt_challenge.coach.runtime.loading import tasks_from
    from minigpt_challenge.given.batches import get_batch
    from minigpt_challenge.given.many_steps import in_one_program, one_by_one
    from minigpt_challenge.given.training import init_train_state

    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS) as modules:
        names = ("hidden_dim", "block_size", "num_layers", "num_heads")
        model = modules["task4_blocks"].MiniGPT(VOCAB_SIZE, **{name: shape[name] for name in names})
        train_step = modules["task5_training_step"].train_step
    B, T, steps = shape["batch_size"], shape["block_size"], shape["steps"]
    text = jax.random.randint(jax.random.key(0), (1_000_000,), 0, VOCAB_SIZE)
    params = jax.jit(model.init)(jax.random.key(1), text[None, :T])
    state = init_train_state(model, params, milestone.LEARNING_RATE)
    if dtype == "bfloat16":  # the weights stay in float32, the model computes in bfloat16
        state = state.replace(
            apply_fn=lambda params, x: model.apply(
                jax.tree.map(lambda leaf: leaf.astype(dtype), params), x
            ).astype("float32")
        )

    def batch_of(step, text, key):
        return get_batch(jax.random.fold_in(key, step), text, B, T)

    if way == "many in one program":
        run_steps = in_one_program(train_step, batch_of)
    else:
        run_steps = one_by_one(train_step, jax.jit(batch_of))
    size = 8192 if jax.default_backend() == "gpu" else 1024
    a = jax.random.normal(jax.random.key(2), (size, size), dtype)
    multiply = jax.jit(jnp.matmul)
    return timed(
        lambda: jax.block_until_ready(run_steps(state, 0, steps, text, jax.random.key(3))), steps
    ) | {
        "peak": peak(lambda: multiply(a, a).block_until_ready(), size),
        "device": jax.devices()[0].device_kind,
        "version": f"JAX {jax.__version__}",
    }


def of_torch(shape: dict, dtype: str, way: str) -> dict:
    import torch
    import torch_gpt

    on_gpu = torch.cuda.is_available()
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU, as JAX does it
    with torch.device("cuda" if on_gpu else "cpu"):
        names = ("hidden_dim", "block_size", "num_layers", "num_heads")
        model = torch_gpt.MiniGPT(VOCAB_SIZE, **{name: shape[name] for name in names})
        text = torch.randint(VOCAB_SIZE, (1_000_000,))
        size = 8192 if on_gpu else 1024
        a = torch.randn(size, size, dtype=getattr(torch, dtype))
    compiled = way == "compiled"
    step = torch_gpt.stepper(model, milestone.LEARNING_RATE, getattr(torch, dtype), compiled)

    def run():
        for _ in range(shape["steps"]):
            loss = step(*torch_gpt.get_batch(text, shape["batch_size"], shape["block_size"]))
        assert math.isfinite(loss.item())  # waits for it

    return timed(run, shape["steps"]) | {
        "peak": peak(lambda: (a @ a)[0, 0].item(), size),
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "version": f"PyTorch {torch.__version__}",
    }


WAYS = {  # the first is the one that the others are compared with
    "JAX, one by one": (of_jax, "one by one"),
    "JAX, many in one program": (of_jax, "many in one program"),
    "PyTorch": (of_torch, "plain"),
    "PyTorch, torch.compile": (of_torch, "compiled"),
}


def in_new_process(name: str, shape: str, dtype: str) -> dict:
    done = subprocess.run(
        [sys.executable, __file__, name, shape, dtype], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{name}, {shape}, {dtype}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    import jax

    on_gpu = jax.default_backend() == "gpu"
    settings = [("milestone", "float32")]
    if on_gpu:
        settings += [("nanoGPT", "bfloat16"), ("nanoGPT", "float32")]
    headings = ("", "dtype", "first, s", "ms a step", "tokens/s", "× one by one", "of peak")
    table = Table(*headings)
    said = set()
    for shape, dtype in settings:
        sizes, one_by_one = SHAPES[shape], None
        for name, (of_library, _) in WAYS.items():
            if of_library is of_torch and not find_spec("torch"):
                continue
            its = in_new_process(name, shape, dtype)
            print(shape, dtype, name, its, file=sys.stderr, flush=True)
            said |= {its["version"], its["device"]}
            step = statistics.median(its["step"])
            one_by_one = one_by_one or step
            tokens = sizes["batch_size"] * sizes["block_size"] / step
            spread = f"{1e3 * min(its['step']):.2f}–{1e3 * max(its['step']):.2f}"
            table.add_row(
                f"{shape}: {name}",
                dtype,
                f"{its['first']:.1f}",
                f"{1e3 * step:.2f} ({spread})",
                f"{tokens:,.0f}",
                f"{one_by_one / step:.2f}",
                f"{tokens * flops_per_token(**sizes) / its['peak']:.1%}",
            )
    Console(width=130).print(table)
    print("; ".join(sorted(said)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        name, shape, dtype = sys.argv[1:]
        of_library, way = WAYS[name]
        print(json.dumps(of_library(SHAPES[shape], dtype, way)))
    else:
        main()
