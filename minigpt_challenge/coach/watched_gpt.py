"""A GPT with a cache that tells when it is run, and weights with which its text is full of change.

Task 6's `generate_fast` is watched at its work with it.
"""

from typing import Any

import jax
import jax.numpy as jnp

from minigpt_challenge.coach import draw
from minigpt_challenge.given.cached_gpt import CachedMiniGPT


def shapes_of(model: CachedMiniGPT) -> Any:
    """Shapes and dtypes of its weights."""
    return draw.shapes_of(model, jnp.zeros((1, 2), jnp.int32), model.empty_caches(), 0)


def lively_params(shapes: Any, seed: int = 0) -> Any:
    """Weights of these shapes whose most probable text does not fall into repeating itself.

    For that, attention speaks up, and no bias prefers a token whatever the context.
    """

    def louder(path, leaf):
        name = jax.tree_util.keystr(path)
        quiet = 0.0 if "bias" in name else 1.0
        return leaf * (3.0 if any(part in name for part in ("query", "key", "value")) else quiet)

    return jax.tree_util.tree_map_with_path(louder, draw.params_of(shapes, seed))


def counting(model: CachedMiniGPT) -> tuple[CachedMiniGPT, list[tuple[int, ...]]]:
    """The model, which notes the shape of the tokens whenever Python runs it, and these notes."""
    shapes = []

    class Counting(type(model)):
        def __call__(self, tokens, caches, position):
            shapes.append(tokens.shape)
            return super().__call__(tokens, caches, position)

    return _as(Counting, model), shapes


def noting(model: CachedMiniGPT) -> tuple[CachedMiniGPT, list[int]]:
    """The model, which notes how many tokens it reads whenever it runs, compiled or not."""
    ran = []

    class Noting(type(model)):
        def __call__(self, tokens, caches, position):
            jax.debug.callback(lambda: ran.append(tokens.shape[-1]))
            return super().__call__(tokens, caches, position)

    return _as(Noting, model), ran


def _as(kind: type[CachedMiniGPT], model: CachedMiniGPT) -> CachedMiniGPT:
    names = ("vocab_size", "hidden_dim", "block_size", "num_layers", "num_heads", "attention")
    return kind(**{name: getattr(model, name) for name in names})
