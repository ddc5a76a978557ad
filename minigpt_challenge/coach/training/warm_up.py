"""`minigpt start`: is everything here? Then train the bigram, and see what it writes."""

import platform
from importlib.metadata import requires, version

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
LENGTH = 200


def run(console: Console) -> None:
    """Say what is installed, load the text, train the bigram; show its writing before and after.

    Raises:
        UserError: a package is older than the challenge needs.
        DataError: there is no text to learn from.
    """
    _refuse_old_packages()
    versions = " · ".join(f"{name} {version(name)}" for name in PACKAGES)
    console.print(f"✓ Python {platform.python_version()} · {versions}")
    device = jax.devices()[0]
    console.print(f"✓ {device.platform.upper()}: {device.device_kind} × {jax.device_count()}")
    data = load_data()
    length = len(data.train) + len(data.evaluation)
    console.print(f"✓ {length:,} characters, {data.vocabulary.size} distinct")

    model = SimpleDecoder(vocab_size=data.vocabulary.size)
    untrained = model.init(jax.random.key(0), get_batch(jax.random.key(0), data.train, 1, 1)[0])
    console.print("\nA bigram guesses each character from the one before it. Untrained, it writes:")
    console.print(_framed(_written(data, model, untrained)))
    state, history = run_training_loop(
        STEPS, BATCH_SIZE, BLOCK_SIZE, LEARNING_RATE, data.evaluation, data.train, model
    )
    first, best = history[0].eval_loss, min(measured.eval_loss for measured in history)
    console.print(
        f"\nIts loss on text that it has not seen fell from {first:.2f} to {best:.2f}. It writes:"
    )
    written = _written(data, model, state.params)
    console.print(_framed(written))
    if data.vocabulary == SHAKESPEARE:
        ladder.remember(ladder.Rung("bigram", best, written))
    console.print(
        "Like English from far away. One character is too little to go on: in five tasks you "
        "build a model that looks back."
    )


def _refuse_old_packages() -> None:
    """Compare what is installed with the bounds that the challenge declares."""
    for requirement in map(Requirement, requires("minigpt-challenge") or ()):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        if not requirement.specifier.contains(version(requirement.name), prereleases=True):
            raise UserError(
                f"{requirement.name} {version(requirement.name)} is installed, {requirement} is "
                "needed: run `pip install -e .` again."
            )


def _written(data: Dataset, model: SimpleDecoder, params) -> str:
    key = jax.random.key(1)
    return continue_text(key, model.apply, params, data.vocabulary, LENGTH, block_size=1)


def _framed(text: str) -> Panel:
    return Panel(Text(text.strip()), width=72)
