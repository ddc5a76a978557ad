"""Time and memory of a training step as a function of one model size at a time.

`python benchmarks/growth.py` varies `block_size`, `num_layers` and `hidden_dim`, one at a time, in
the milestone's model. It plots the time of a step, and its memory in XLA's plan, in
`benchmarks/growth.png` with logarithmic axes. The dashed lines are expectations: for time the
floating-point operations of the matrix products; for memory the weights, Adam's state and what the
backward pass needs. The memory is read from the compiled program, so it does not depend on other
load on the machine.
"""

import statistics

import jax
import numpy as np
from matplotlib.figure import Figure
from measuring import time_runs
from rich.console import Console
from rich.table import Table
from steps import VOCAB_SIZE, flops_per_token

from minigpt_challenge.coach.course.curriculum import GPT_TASKS, ROOT, SOLUTIONS_FOLDER
from minigpt_challenge.coach.runtime.loading import tasks_from
from minigpt_challenge.given import milestone
from minigpt_challenge.given.training import init_train_state

REPEATS = 7
B = milestone.BATCH_SIZE
SIZES = {
    "block_size": (32, 64, 128, 256, 512),
    "num_layers": (2, 4, 8, 16),
    "hidden_dim": (64, 128, 256, 512),
}
PICTURE = ROOT / "benchmarks" / "growth.png"
INK, FAINT, PAPER, BLUE = "#24292f", "#6e7781", "#fbfaf6", "#1f6fb2"


def expected_bytes(hidden_dim, num_layers, block_size, num_heads) -> float:
    """Expected memory of a step, in bytes.

    The weights, their gradients and Adam's two moments, old and new, and the activations of each
    block for the backward pass: about 16 vectors per token, and the attention weights.
    """
    C, T = hidden_dim, block_size
    weights = num_layers * 12 * C**2 + (2 * VOCAB_SIZE + T) * C
    activations = B * T * (num_layers * (16 * C + 2 * num_heads * T) + 3 * VOCAB_SIZE)
    return 4 * (7 * weights + activations)


def cost(modules, sizes: dict) -> tuple[float, int]:
    """Seconds per step, and the bytes of its arguments, results and temporary arrays."""
    model = modules["task4_blocks"].MiniGPT(VOCAB_SIZE, **sizes)
    train_step = modules["task5_training_step"].train_step
    x = jax.random.randint(jax.random.key(0), (B, sizes["block_size"]), 0, VOCAB_SIZE)
    params = jax.jit(model.init)(jax.random.key(1), x)
    state = init_train_state(model, params, milestone.LEARNING_RATE)
    step = jax.jit(train_step).lower(state, x, x).compile()
    plan = step.memory_analysis()
    num_bytes = plan.argument_size_in_bytes + plan.output_size_in_bytes + plan.temp_size_in_bytes
    jax.block_until_ready(step(state, x, x))
    seconds = time_runs(lambda: jax.block_until_ready(step(state, x, x)), REPEATS)
    return statistics.median(seconds), num_bytes


def slope(sizes, values) -> float:
    """The exponent with which values grow, from the two largest sizes."""
    return float(np.log(values[-1] / values[-2]) / np.log(sizes[-1] / sizes[-2]))


def draw(rows: dict) -> Figure:
    """A column for each size, time above memory; expectations go through the last point."""
    figure = Figure(figsize=(10, 6), dpi=120, layout="constrained")
    figure.patch.set_facecolor(PAPER)
    grid = figure.subplots(2, len(rows), sharey="row")
    for column, (name, (sizes, *kinds)) in enumerate(rows.items()):
        for row, (measured, expected) in enumerate(kinds):
            axes = grid[row, column]
            scaled = np.array(expected) * measured[-1] / expected[-1]
            axes.plot(
                sizes, scaled, "--", color=FAINT, label=f"expected {slope(sizes, expected):.2f}"
            )
            label = f"measured {slope(sizes, measured):.2f}"
            axes.plot(sizes, measured, "o-", color=BLUE, label=label)
            axes.set(xscale="log", yscale="log", facecolor=PAPER)
            axes.set_xticks(sizes, [str(size) for size in sizes], color=INK)
            axes.minorticks_off()
            axes.legend(frameon=False, labelcolor=INK, title="slope at the end")
            axes.spines[["top", "right"]].set_visible(False)
            if row:
                axes.set_xlabel(name, color=INK)
            if not column:
                axes.set_ylabel(("ms a step", "MB held")[row], color=INK)
    return figure


def main() -> None:
    rows, table = {}, Table("", "size", "ms per step", "MB", "× ms", "× MB")
    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS) as modules:
        for name, sizes in SIZES.items():
            shapes = [milestone.SIZES | {name: size} for size in sizes]
            seconds, num_bytes = zip(*(cost(modules, shape) for shape in shapes), strict=True)
            flops = [shape["block_size"] * flops_per_token(**shape) for shape in shapes]
            expected = [expected_bytes(**shape) for shape in shapes]
            ms, mb = [1e3 * s for s in seconds], [n / 1e6 for n in num_bytes]
            rows[name] = sizes, (ms, flops), (mb, expected)
            for i, size in enumerate(sizes):
                growth = (f"{ms[i] / ms[i - 1]:.2f}", f"{mb[i] / mb[i - 1]:.2f}") if i else ()
                table.add_row("" if i else name, str(size), f"{ms[i]:.1f}", f"{mb[i]:.1f}", *growth)
    Console(width=100).print(table)
    draw(rows).savefig(PICTURE)
    print(f"Saved as {PICTURE}.")


if __name__ == "__main__":
    main()
