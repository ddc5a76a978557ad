"""Models to try fast generation on: one that is quickly traced, its params, and counting ones."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.coach.checks import param_trees, random_inputs
from minigpt_challenge.given.cached_gpt import CachedMiniGPT


class QuickGPT(CachedMiniGPT):
    """A GPT whose logits depend on the newest token only, so that `apply` is traced quickly.

    It has the weights of the whole model and uses few of them. It serves the checks in which any
    logits will do: what is done with them, and how often the model is run.
    """

    @nn.nowrap
    def apply(  # type: ignore[override]  # called like this only
        self, params: Any, tokens: jax.Array, caches: Any, position: Any
    ) -> tuple:
        tree = params["params"]
        x = tree["embedding"]["token_embedding"]["embedding"][tokens]  # (B, T, C)
        return x @ tree["dense"]["kernel"] + tree["dense"]["bias"], caches  # (B, T, V)


def shapes_of(model: CachedMiniGPT) -> Any:
    """The shapes and dtypes of its params."""
    return param_trees.parameters(model, jnp.zeros((1, 2), jnp.int32), model.empty_caches(), 0)


def non_repeating_params(shapes: Any, seed: int = 0) -> Any:
    """Params of these shapes whose most probable text does not end in repetition.

    For that, attention is scaled up, and no bias prefers a token whatever the context.
    """

    def scaled(path: tuple, leaf: jax.Array) -> jax.Array:
        name = jax.tree_util.keystr(path)
        if any(part in name for part in ("query", "key", "value")):
            return leaf * 3.0
        return leaf * (0.0 if "bias" in name else 1.0)

    return jax.tree_util.tree_map_with_path(scaled, random_inputs.params_of(shapes, seed))


def bias_only_params(shapes: Any, logits: np.ndarray | float = 0.0) -> Any:
    """Params of these shapes with which the model returns these logits in any context."""
    params = jax.tree.map(jnp.zeros_like, random_inputs.params_of(shapes))
    bias = params["params"]["dense"]["bias"]
    params["params"]["dense"]["bias"] = bias + jnp.asarray(logits)
    return params


def counting(model: CachedMiniGPT) -> tuple[CachedMiniGPT, list[tuple[int, ...]]]:
    """The model, and a list that gets the shape of the tokens whenever Python runs it.

    A bound model runs its `__call__`, not its `apply`; a QuickGPT's `apply` does not call that.
    """
    shapes: list[tuple[int, ...]] = []

    class Counting(type(model)):  # type: ignore[misc]
        @nn.nowrap
        def apply(self, params: Any, tokens: jax.Array, caches: Any, position: Any) -> tuple:
            shapes.append(tokens.shape)
            return super().apply(params, tokens, caches, position)

        def __call__(self, tokens: jax.Array, caches: Any, position: Any) -> tuple:
            shapes.append(tokens.shape)
            return super().__call__(tokens, caches, position)

    return _as(Counting, model), shapes


def counting_runs(model: CachedMiniGPT) -> tuple[CachedMiniGPT, list[int]]:
    """The model, and a list that gets the number of tokens whenever it runs, compiled or not."""
    ran: list[int] = []

    class CountingRuns(type(model)):  # type: ignore[misc]
        @nn.nowrap
        def apply(self, params: Any, tokens: jax.Array, caches: Any, position: Any) -> tuple:
            jax.debug.callback(lambda: ran.append(tokens.shape[-1]))
            return super().apply(params, tokens, caches, position)

        def __call__(self, tokens: jax.Array, caches: Any, position: Any) -> tuple:
            jax.debug.callback(lambda: ran.append(tokens.shape[-1]))
            return super().__call__(tokens, caches, position)

    return _as(CountingRuns, model), ran


def _as(kind: type[CachedMiniGPT], model: CachedMiniGPT) -> CachedMiniGPT:
    names = ("vocab_size", "hidden_dim", "block_size", "num_layers", "num_heads", "attention")
    return kind(**{name: getattr(model, name) for name in names})
