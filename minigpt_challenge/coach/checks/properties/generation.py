"""What fast generation must do besides the right text: run as few programs, and as little, as can.

`generate` is the learner's `generate_fast` throughout.
"""

from collections.abc import Callable
from typing import Any

import jax

from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.properties.watched_gpt import counting, noting
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
