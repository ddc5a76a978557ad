"""The models of the loss ladder, and how each is trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flax.linen as nn

from minigpt_challenge.coach.reports.attention_on_text import rung_attention
from minigpt_challenge.coach.reports.character_vectors import character_vectors
from minigpt_challenge.coach.reports.html import Picture
from minigpt_challenge.given.bigram import SimpleDecoder
from minigpt_challenge.given.rungs import EmbedAndGuess, LookBackAndGuess
from minigpt_challenge.given.vocabulary import Vocabulary

BATCH_SIZE = BLOCK_SIZE = 32
HIDDEN_DIM, NUM_HEADS = 64, 4


@dataclass(frozen=True)
class Recipe:
    """How the model of a rung is built and trained: at most about half a minute on two cores.

    Attributes:
        name: of the rung.
        tasks: the numbers of the tasks whose modules the model uses.
        build: called with the names that those tasks define and the vocabulary size V; returns
            the model.
        steps: the number of training steps.
        learning_rate: of Adam.
        picture: called with the trained model, its params and the vocabulary; returns a picture of
            what it has learned, or None.
    """

    name: str
    tasks: tuple[int, ...]
    build: Callable[[Mapping[str, Any], int], nn.Module]
    steps: int = 2_000
    learning_rate: float = 3e-3
    picture: Callable[[Any, Any, Vocabulary], Picture | None] = lambda *_: None


def _embedding(names: Mapping[str, Any], vocab_size: int) -> nn.Module:
    return names["TokenAndPositionEmbedding"](
        vocab_size=vocab_size, block_size=BLOCK_SIZE, hidden_dim=HIDDEN_DIM
    )


RECIPES = {  # by the task's number
    0: Recipe("bigram", (), lambda names, V: SimpleDecoder(V), learning_rate=1e-2),
    1: Recipe(
        "+ embedding",
        (1,),
        lambda names, V: EmbedAndGuess(_embedding(names, V), V),
        picture=character_vectors,
    ),
    2: Recipe(
        "+ attention",
        (1, 2),
        lambda names, V: LookBackAndGuess(
            _embedding(names, V), names["SelfAttention"](head_dim=HIDDEN_DIM), V
        ),
        picture=rung_attention,
    ),
    3: Recipe(
        "+ many heads",
        (1, 3),
        lambda names, V: LookBackAndGuess(
            _embedding(names, V),
            names["EinsumMultiHeadAttention"](
                num_heads=NUM_HEADS, head_dim=HIDDEN_DIM // NUM_HEADS
            ),
            V,
        ),
        picture=rung_attention,
    ),
    4: Recipe(
        "+ blocks",
        (1, 3, 4),
        lambda names, V: names["MiniGPT"](
            vocab_size=V,
            hidden_dim=HIDDEN_DIM,
            block_size=BLOCK_SIZE,
            num_layers=2,
            num_heads=NUM_HEADS,
        ),
        steps=1_000,
    ),
}
MILESTONE_TASK = 5  # its rung is the milestone, which `gpt_run` trains
MILESTONE_USES = (1, 3, 4, 5)  # numbers of tasks
