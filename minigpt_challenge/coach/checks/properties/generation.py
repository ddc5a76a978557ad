"""What fast generation must do besides the right text: run as few programs, and as little, as can.

`generate` is the learner's `generate_fast` throughout.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from minigpt_challenge.coach.checks import param_trees, random_inputs
from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.given.cached_gpt import CachedMiniGPT


def steps_are_a_loop(generate: Callable, model: CachedMiniGPT, params: Any) -> None:
    """The steps are a loop in the compiled program: unrolled, they would compile for minutes."""
    model, read = counting(model)
    generate(jax.random.key(0), model, params, [1], 9)
    if not read:
        raise Wrong("generate_fast never calls the model.")
    if len(read) > 6:
        raise Wrong(
            f"The model was run {len(read)} times from Python to write 9 tokens. In `jax.lax.scan` "
            "it is traced once, whatever the number of steps."
        )


def prompts_share_a_program(generate: Callable, model: CachedMiniGPT, params: Any) -> None:
    """A prompt of any length is of the same shape to the compiled program."""
    S = model.block_size
    model, read = counting(model)
    generate(jax.random.key(0), model, params, [1] * (S - 2), 9)
    for length in (S - 2, S - 1, S, S + 1):
        before = len(read)
        generate(jax.random.key(0), model, params, [1] * length, 9)
        if length == S - 2 and len(read) > before:
            raise Wrong(
                "A second call with a prompt of the same length traced the model anew. Is "
                "`write_on` still under the `jax.jit` that was given, outside of any function?"
            )
        if len(read) > before:
            raise Wrong(
                f"With a prompt of {length} tokens in place of {length - 1} (block_size is {S}), "
                "the model was traced anew. A prompt of any length can have the same shape: a "
                "window of block_size, and its length beside it, which is not static."
            )


def cache_is_used_while_there_is_room(
    generate: Callable, model: CachedMiniGPT, params: Any
) -> None:
    """Behind the prompt tokens are read one at a time, until the window is full."""
    S = model.block_size
    model, read = counting(model)
    model, ran = noting(model)
    generate(jax.random.key(0), model, params, [1, 2], 4)
    jax.effects_barrier()
    if not any(shape == (1, 1) for shape in read):
        raise Wrong(
            "The model was never asked to read a single token, (1, 1): it read "
            f"{', '.join(map(str, dict.fromkeys(read)))}. While there is room in the window, the "
            "cache holds all that came before."
        )
    if (windows := sum(num_tokens == S for num_tokens in ran)) > 2:
        raise Wrong(
            f"To write 4 tokens behind a prompt of 2 (block_size is {S}), the whole window was "
            f"read {windows} times: once is enough, for the prompt. `jax.lax.cond` runs one of its "
            "two functions; `jnp.where` chooses between results that have both been computed."
        )


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
    return param_trees.parameters(model, jnp.zeros((1, 2), jnp.int32), model.empty_caches(), 0)


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
