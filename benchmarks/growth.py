"""How time and memory grow with the model: a training step against one size at a time.

`python benchmarks/growth.py` doubles `block_size`, `num_layers` and `hidden_dim`, each from the
milestone's shapes. It draws the seconds of a step, and the bytes that XLA plans to hold at once,
into `benchmarks/growth.png`, on scales where a power is a straight line. Dashed is what to expect:
for time the floating-point operations of the matrix products, for memory the weights, Adam's memory
and what the backward pass needs. Bytes are read from the compiled program, so they do not depend on
what else the machine is doing.
"""

import statistics

import jax
import numpy as np
from matplotlib.figure import Figure
from measuring import measured
from rich.console import Console
from rich.table import Table
from steps import VOCAB_SIZE, flops_per_token

from minigpt_challenge.coach.course.curriculum import GPT_TASKS, ROOT, SOLUTIONS_FOLDER
from minigpt_challenge.coach.runtime.loading import tasks_from
from minigpt_challenge.given import milestone
from minigpt_challenge.given.training import init_train_state

REPEATS = 7
B = milestone.BATCH_SIZE
GROWN = {
    "block_size": (32, 64, 128, 256, 512),
    "num_layers": (2, 4, 8, 16),
    "hidden_dim": (64, 128, 256, 512),
}
PICTURE = ROOT / "benchmarks" / "growth.png"
INK, FAINT, PAPER, MEASURED = "#24292f", "#6e7781", "#fbfaf6", "#1f6fb2"


def kept_bytes(hidden_dim, num_layers, block_size, num_heads) -> float:
    """What a step has to hold: weights, their gradients and Adam's two memories, old and new; and
    for the backward pass each block's activations: about 16 vectors and the rows of attention.
    """
    C, T = hidden_dim, block_size
    weights = num_layers * 12 * C**2 + (2 * VOCAB_SIZE + T) * C
    activations = B * T * (num_layers * (16 * C + 2 * num_heads * T) + 3 * VOCAB_SIZE)
    return 4 * (7 * weights + activations)


def cost(modules, sizes: dict) -> tuple[float, int]:
    """Seconds a step, and the bytes of its arguments, results and intermediate arrays."""
    model = modules["task4_blocks"].MiniGPT(VOCAB_SIZE, **sizes)
    train_step = modules["task5_training_step"].train_step
    x = jax.random.randint(jax.random.key(0), (B, sizes["block_size"]), 0, VOCAB_SIZE)
    params = jax.jit(model.init)(jax.random.key(1), x)
    state = init_train_state(model, params, milestone.LEARNING_RATE)
    step = jax.jit(train_step).lower(state, x, x).compile()
    plan = step.memory_analysis()
    held = plan.argument_size_in_bytes + plan.output_size_in_bytes + plan.temp_size_in_bytes
    jax.block_until_ready(step(state, x, x))
    seconds = measured(lambda: jax.block_until_ready(step(state, x, x)), REPEATS)
    return statistics.median(seconds), held


def slope(sizes, values) -> float:
    """The power with which values grow, from the two largest sizes."""
    return float(np.log(values[-1] / values[-2]) / np.log(sizes[-1] / sizes[-2]))


def draw(rows: dict) -> Figure:
    """A column for each size, time above memory; what is expected goes through the last point."""
    figure = Figure(figsize=(10, 6), dpi=120, layout="constrained")
    figure.patch.set_facecolor(PAPER)
    grid = figure.subplots(2, len(rows), sharey="row")
    for column, (name, (sizes, *kinds)) in enumerate(rows.items()):
        for row, (seen, expected) in enumerate(kinds):
            axes = grid[row, column]
            scaled = np.array(expected) * seen[-1] / expected[-1]
            axes.plot(
                sizes, scaled, "--", color=FAINT, label=f"expected {slope(sizes, expected):.2f}"
            )
            axes.plot(sizes, seen, "o-", color=MEASURED, label=f"measured {slope(sizes, seen):.2f}")
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
    rows, table = {}, Table("", "size", "ms a step", "MB held", "× ms", "× MB")
    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS) as modules:
        for name, sizes in GROWN.items():
            shapes = [milestone.SIZES | {name: size} for size in sizes]
            seconds, held = zip(*(cost(modules, shape) for shape in shapes), strict=True)
            flops = [shape["block_size"] * flops_per_token(**shape) for shape in shapes]
            kept = [kept_bytes(**shape) for shape in shapes]
            ms, mb = [1e3 * s for s in seconds], [h / 1e6 for h in held]
            rows[name] = sizes, (ms, flops), (mb, kept)
            for i, size in enumerate(sizes):
                grown = (f"{ms[i] / ms[i - 1]:.2f}", f"{mb[i] / mb[i - 1]:.2f}") if i else ()
                table.add_row("" if i else name, str(size), f"{ms[i]:.1f}", f"{mb[i]:.1f}", *grown)
    Console(width=100).print(table)
    draw(rows).savefig(PICTURE)
    print(f"Drawn in {PICTURE}.")


if __name__ == "__main__":
    main()
