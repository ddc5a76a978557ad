"""What fast generation must do: write the right text, with one program, and read little for it.

`generate` is the learner's `generate_fast` throughout.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.faults.generation import Reader, greedy_suspects
from minigpt_challenge.coach.checks.properties.quick_gpt import counting, counting_runs
from minigpt_challenge.coach.checks.settings import Settings
from minigpt_challenge.given.cached_gpt import CachedMiniGPT

FAST = "generate_fast"


def readers(model: CachedMiniGPT, weights: Mapping[int, Any]) -> dict[int, Reader]:
    """The model with each of these params, compiled once for all."""
    apply = jax.jit(model.apply)
    return {seed: Reader(model, params, apply) for seed, params in weights.items()}


def naive_text(read: Reader, prompt: Any, num_tokens: int) -> np.ndarray:
    """The most probable text, int32 (T + num_tokens,), reading the whole window at every step."""
    return greedy_suspects(read, prompt, num_tokens).compute(frozenset())


def greedy_text(
    generate: Callable, model: CachedMiniGPT, params: Any, prompt: Any, num_tokens: int
) -> np.ndarray:
    """What the learner's code writes at temperature 0."""
    text = generate(jax.random.key(0), model, params, prompt, num_tokens, temperature=0)
    seen = expect.integers(text, (len(prompt) + num_tokens,), FAST, ["T + num_tokens"])
    if not isinstance(text, np.ndarray):
        raise Wrong(
            f"It is of the type {type(text).__name__}.",
            asked=f"{FAST} should return a NumPy array.",
            advice="`np.asarray(…)` copies it to NumPy.",
            about=f"what {FAST} returns",
        )
    expect.dtype(text, np.int32, f"What {FAST} returns")
    return seen


class GreedyTexts:
    """What the learner's code writes at temperature 0, written once a prompt."""

    def __init__(
        self,
        generate: Callable,
        model: CachedMiniGPT,
        weights: Mapping[int, Any],
        reads: Mapping[int, Reader],
        prompts: Mapping[str, Callable[[int], np.ndarray]],
        lengths: Sequence[int],
    ):
        """Write nothing yet.

        Args:
            generate: the learner's.
            model: what it is called with.
            weights: params of the model, by seed.
            reads: the model with these.
            prompts: by what they are called, functions from a seed to a prompt, integers (T,).
            lengths: after how many tokens the text is compared.
        """
        self._generate, self._model = generate, model
        self._weights, self._reads = weights, reads
        self._prompts, self._lengths = prompts, lengths
        self._settings = Settings(prompts, self._write)

    def equal_the_naive_ones(self, prompt: str) -> None:
        """The text is that of a model that reads the whole window at every step."""
        label = f"The most probable text, from a prompt of {prompt},"
        self._settings.all_equal(prompt, "T", label)

    def _write(self, name: str) -> list[expect.Case]:
        cases = []
        for seed, params in self._weights.items():
            prompt = self._prompts[name](seed)
            text = greedy_text(self._generate, self._model, params, prompt, max(self._lengths))
            for num_tokens in self._lengths:
                suspects = greedy_suspects(self._reads[seed], prompt, num_tokens)
                expected = suspects.compute(frozenset())
                cases.append((text[: len(prompt) + num_tokens], expected, suspects))
        return cases


def logits_equal_those_of_the_window(
    model: CachedMiniGPT, params: Any, read: Reader, tokens: jax.Array
) -> None:
    """Token by token, the model gives what it gives when all tokens are read at once.

    Args:
        model: has the learner's attention.
        params: its weights.
        read: the model with the reference's attention and the same weights.
        tokens: integers (B, T).
    """
    rows = np.asarray(tokens)
    expected = np.stack([read(row, read.empty, 0)[0] for row in rows])  # (B, T, V)
    apply, caches = jax.jit(model.apply), model.empty_caches(len(rows))
    for t in range(rows.shape[1]):
        seen, caches = apply(params, tokens[:, t : t + 1], caches, t)
        label = f"Token by token, what the model gives at position {t}"
        expect.equal(seen[:, 0], expected[:, t], "BV", label)


def prompt_comes_first(
    generate: Callable, model: CachedMiniGPT, params: Any, prompt: list[int], num_tokens: int
) -> None:
    """The text begins with the prompt, whether that is a list or an array."""
    for given in (prompt, jnp.array(prompt), np.array(prompt)):
        text = generate(jax.random.key(0), model, params, given, num_tokens)
        text = expect.integers(text, (len(prompt) + num_tokens,), FAST)
        expected = np.array(prompt, np.int32)
        expect.equal(text[: len(prompt)], expected, "T", f"What {FAST} returns first")


def steps_are_a_loop(generate: Callable, model: CachedMiniGPT, params: Any) -> None:
    """The steps are a loop in the compiled program: unrolled, they would compile for minutes."""
    model, read = counting(model)
    generate(jax.random.key(0), model, params, [1], 9)
    if not read:
        raise Wrong(
            "It never was.",
            asked=f"`model.apply` should be called in {FAST}.",
            about=f"`model.apply` in {FAST}",
        )
    if len(read) > 6:
        raise Wrong(
            f"Python ran the model {len(read)} times.",
            asked="To write 9 tokens, Python should run the model a few times at most.",
            advice="In `jax.lax.scan` it is traced once, whatever the number of steps.",
            about=f"the loop in {FAST}",
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
                "It traced the model again.",
                asked="A second call with a prompt of the same length should run the compiled "
                "program.",
                advice="Is `write_on` still under the `jax.jit` that was given, outside of any "
                "function?",
                about=f"the compilation of {FAST}",
            )
        if len(read) > before:
            raise Wrong(
                f"With {length} tokens instead of {length - 1}, the model was traced again.",
                asked=f"Prompts of all lengths should share one compiled program (block_size is "
                f"{S}).",
                advice="All of them can have the same shape: a window of block_size, and its "
                "length beside it, which is not static.",
                about=f"the compilation of {FAST}",
            )


def cache_is_used_while_there_is_room(
    generate: Callable, model: CachedMiniGPT, params: Any
) -> None:
    """After the prompt, tokens are read one at a time until the window is full."""
    S = model.block_size
    model, read = counting(model)
    model, ran = counting_runs(model)
    generate(jax.random.key(0), model, params, [1, 2], 4)
    jax.effects_barrier()
    if not any(shape == (1, 1) for shape in read):
        raise Wrong(
            f"It read tokens of shape {', '.join(map(str, dict.fromkeys(read)))}.",
            asked="The model should read single tokens, of shape (1, 1).",
            advice="While there is room in the window, the cache holds all earlier tokens.",
            about="reading single tokens",
        )
    if (windows := sum(num_tokens == S for num_tokens in ran)) > 2:
        raise Wrong(
            f"It was read {windows} times.",
            asked=f"To write 4 tokens after a prompt of 2 (block_size is {S}), the whole window "
            "should be read once, for the prompt.",
            advice="`jax.lax.cond` runs one of its two functions; `jnp.where` chooses between "
            "results that have both been computed.",
            about="reading the whole window",
        )
