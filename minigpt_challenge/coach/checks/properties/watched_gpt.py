"""A GPT with a cache that tells when it is run, and weights with which its text is full of change.

Task 6's `generate_fast` is watched at its work with it.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from minigpt_challenge.coach.checks import initial, random_inputs
from minigpt_challenge.given.cached_gpt import CachedMiniGPT


class QuickGPT(CachedMiniGPT):
    """A GPT whose `apply` looks at the newest token only: it is traced in no time.

    It has the whole model's weights, and makes use of few. Where a check is about what is done
    with the logits, or how often the model is run, any logits will do.
    """

    @nn.nowrap
    def apply(self, params, tokens, caches, position):
        tree = params["params"]
        x = tree["embedding"]["token_embedding"]["embedding"][tokens]  # (B, T, C)
        return x @ tree["dense"]["kernel"] + tree["dense"]["bias"], caches  # (B, T, V)


def shapes_of(model: CachedMiniGPT) -> Any:
    """Shapes and dtypes of its weights."""
    return initial.parameters(model, jnp.zeros((1, 2), jnp.int32), model.empty_caches(), 0)


def lively_params(shapes: Any, seed: int = 0) -> Any:
    """Weights of these shapes whose most probable text does not fall into repeating itself.

    For that, attention speaks up, and no bias prefers a token whatever the context.
    """

    def louder(path, leaf):
        name = jax.tree_util.keystr(path)
        quiet = 0.0 if "bias" in name else 1.0
        return leaf * (3.0 if any(part in name for part in ("query", "key", "value")) else quiet)

    return jax.tree_util.tree_map_with_path(louder, random_inputs.params_of(shapes, seed))


def counting(model: QuickGPT) -> tuple[CachedMiniGPT, list[tuple[int, ...]]]:
    """The model, which notes the shape of the tokens whenever Python runs it, and these notes.

    Whoever binds it runs its `__call__`, not its `apply`; a QuickGPT's `apply` does not call that.
    """
    shapes = []

    class Counting(type(model)):
        @nn.nowrap
        def apply(self, params, tokens, caches, position):
            shapes.append(tokens.shape)
            return super().apply(params, tokens, caches, position)

        def __call__(self, tokens, caches, position):
            shapes.append(tokens.shape)
            return super().__call__(tokens, caches, position)

    return _as(Counting, model), shapes


def noting(model: QuickGPT) -> tuple[CachedMiniGPT, list[int]]:
    """The model, which notes how many tokens it reads whenever it runs, compiled or not."""
    ran = []

    class Noting(type(model)):
        @nn.nowrap
        def apply(self, params, tokens, caches, position):
            jax.debug.callback(lambda: ran.append(tokens.shape[-1]))
            return super().apply(params, tokens, caches, position)

        def __call__(self, tokens, caches, position):
            jax.debug.callback(lambda: ran.append(tokens.shape[-1]))
            return super().__call__(tokens, caches, position)

    return _as(Noting, model), ran


def _as(kind: type[CachedMiniGPT], model: CachedMiniGPT) -> CachedMiniGPT:
    names = ("vocab_size", "hidden_dim", "block_size", "num_layers", "num_heads", "attention")
    return kind(**{name: getattr(model, name) for name in names})
