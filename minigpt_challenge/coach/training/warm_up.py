"""`minigpt start`: check the installation, train the bigram, and show what it generates."""

import platform
from importlib.metadata import requires, version
from typing import Any

import jax
from packaging.requirements import Requirement
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from minigpt_challenge.coach.records import ladder
from minigpt_challenge.errors import UserError
from minigpt_challenge.given.batches import get_batch
from minigpt_challenge.given.bigram import SimpleDecoder
from minigpt_challenge.given.dataset import Dataset, load_data
from minigpt_challenge.given.sampling import continue_text
from minigpt_challenge.given.training import run_training_loop
from minigpt_challenge.given.vocabulary import SHAKESPEARE

PACKAGES = ("jax", "flax", "optax", "numpy")
BATCH_SIZE, BLOCK_SIZE, LEARNING_RATE, STEPS = 32, 32, 1e-2, 2_000
SAMPLE_LENGTH = 200  # characters


def run(console: Console) -> None:
    """Print what is installed, load the text, train the bigram; print a sample before and after.

    Raises:
        UserError: a package is too old.
        DataError: there is no text to learn from.
    """
    _check_package_versions()
    versions = " · ".join(f"{name} {version(name)}" for name in PACKAGES)
    console.print(f"✓ Python {platform.python_version()} · {versions}")
    device = jax.devices()[0]
    console.print(f"✓ {device.platform.upper()}: {device.device_kind} × {jax.device_count()}")
    data = load_data()
    length = len(data.train) + len(data.evaluation)
    console.print(f"✓ {length:,} characters, {data.vocabulary.size} distinct")

    model = SimpleDecoder(vocab_size=data.vocabulary.size)
    untrained = model.init(jax.random.key(0), get_batch(jax.random.key(0), data.train, 1, 1)[0])
    console.print(
        "\nA bigram predicts each character from the one before it. Untrained, it writes:"
    )
    console.print(_panel(_sample(data, model, untrained)))
    state, history = run_training_loop(
        STEPS,
        BATCH_SIZE,
        BLOCK_SIZE,
        LEARNING_RATE,
        data.evaluation,
        data.train,
        model,
        show_progress=console.is_terminal,
    )
    first, best = history[0].eval_loss, min(measurement.eval_loss for measurement in history)
    console.print(
        f"\nIts loss on text that it has not seen fell from {first:.2f} to {best:.2f}. It writes:"
    )
    sample = _sample(data, model, state.params)
    console.print(_panel(sample))
    if data.vocabulary == SHAKESPEARE:
        ladder.remember(ladder.Rung("bigram", best, sample))
    console.print(
        "From a distance it looks like English. One character is too little to predict from: in "
        "five tasks you build a model that looks back."
    )


def _check_package_versions() -> None:
    """Compare the installed packages with the bounds in pyproject.toml."""
    for requirement in map(Requirement, requires("minigpt-challenge") or ()):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        if not requirement.specifier.contains(version(requirement.name), prereleases=True):
            raise UserError(
                f"{requirement.name} {version(requirement.name)} is installed, but {requirement} "
                "is needed: run `pip install -e .` again."
            )


def _sample(data: Dataset, model: SimpleDecoder, params: Any) -> str:
    key = jax.random.key(1)
    return continue_text(key, model.apply, params, data.vocabulary, SAMPLE_LENGTH, block_size=1)


def _panel(text: str) -> Panel:
    return Panel(Text(text.strip()), width=72)
