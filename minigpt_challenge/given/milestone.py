"""The milestone: the size of your GPT, and the loss to reach on Shakespeare."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.training.train_state import TrainState

from minigpt_challenge.given.dataset import Dataset
from minigpt_challenge.given.training import run_training_loop
from minigpt_challenge.given.training_run import Measurement
from minigpt_challenge.given.vocabulary import SHAKESPEARE, Vocabulary

BATCH_SIZE = 16
BLOCK_SIZE = 32
SIZES = {"hidden_dim": 128, "block_size": BLOCK_SIZE, "num_layers": 4, "num_heads": 4}
LEARNING_RATE = 1e-3
MAX_STEPS = 4_000

# The evaluation loss to reach, in nats per character. The bigram stalls near 2.5.
TARGET_LOSS = 1.9

# Training stops when the loss on a sample of the evaluation text is below the target by this
# margin, so that the loss on the whole text is below it, too.
MARGIN = 0.03


def target_loss(vocabulary: Vocabulary) -> float | None:
    """The evaluation loss to reach; None if the text is not Shakespeare."""
    return TARGET_LOSS if vocabulary == SHAKESPEARE else None


def build(mini_gpt: type[nn.Module], vocab_size: int) -> nn.Module:
    """A MiniGPT of the milestone's size."""
    return mini_gpt(vocab_size=vocab_size, **SIZES)


def train(
    model: nn.Module,
    data: Dataset,
    train_step: Callable,
    eval_step: Callable,
    num_iterations: int = MAX_STEPS,
    target_loss: float | None = TARGET_LOSS,
    **options: Any,
) -> tuple[TrainState, list[Measurement]]:
    """Run `run_training_loop` with the milestone's settings until the target minus MARGIN.

    `options` are passed on to `run_training_loop`.
    """
    return run_training_loop(
        num_iterations,
        BATCH_SIZE,
        BLOCK_SIZE,
        LEARNING_RATE,
        data.evaluation,
        data.train,
        model,
        train_step=train_step,
        eval_step=eval_step,
        target_loss=None if target_loss is None else target_loss - MARGIN,
        **options,
    )


def sees_the_future(model: nn.Module, params: Any, tokens: jax.Array) -> bool:
    """Whether the last token affects any logits before it. Such a model cannot generate text.

    Args:
        tokens: integers (T,), at least two different ones, T at most block_size.
    """
    other = tokens[jnp.argmax(tokens != tokens[-1])]
    apply: Any = jax.jit(model.apply)
    before = [
        apply(params, x[None])[0, :-1] for x in (tokens, tokens.at[-1].set(other))
    ]  # (T - 1, V) each
    return bool(jnp.abs(before[0] - before[1]).max() > 1e-3)
