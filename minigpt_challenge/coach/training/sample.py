"""`minigpt sample`: generate text with the saved weights."""

import secrets
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.coach.checks.param_pairing import under_the_given_names
from minigpt_challenge.coach.course.curriculum import task_by_number
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records import progress, saved_run
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.coach.training.learners_gpt import gpt_modules
from minigpt_challenge.errors import UserError
from minigpt_challenge.given import milestone
from minigpt_challenge.given.cached_gpt import CachedMiniGPT
from minigpt_challenge.given.sampling import generate
from minigpt_challenge.given.vocabulary import Vocabulary

DEFAULT_PROMPT = "ROMEO:"
PIECE = 50  # characters that are generated at a time
MAX_SEED = 2**31

# From a random key, the tokens so far and a number to the tokens so far and as many more.
Write = Callable[[jax.Array, list[int], int], np.ndarray]


class Options(NamedTuple):
    """What `minigpt sample` is asked for; see its options."""

    prompt: str | None
    length: int
    temperature: float
    top_k: int | None
    num_samples: int
    seed: int | None
    run: str | None = None


def sample(options: Options) -> None:
    """Write texts to the standard output, piece by piece, and a line about them to the other one.

    Raises:
        UserError: there are no weights, they are damaged, they no longer fit the learner's code,
            or the prompt has a character that the model has never seen.
    """
    run = saved_run.find(options.run)
    saved = run.fields()
    try:
        params, vocabulary = saved["params"], Vocabulary(saved["characters"])
        solutions = saved["solutions"]
        sizes = {name: saved.get("sizes", milestone.SIZES)[name] for name in milestone.SIZES}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{run.weights} is damaged: train again with `minigpt train`.") from error
    prompt = vocabulary.encode(_checked(options.prompt, vocabulary))
    seed = secrets.randbelow(MAX_SEED) if options.seed is None else options.seed
    task6, console = task_by_number(6), terminal.console(stderr=True)
    by_task_6 = solutions or progress.standing(task6).verdict is Verdict.PASSED
    with gpt_modules(solutions, *([task6] if by_task_6 else [])) as modules:
        model = modules["task4_blocks"].MiniGPT(vocab_size=vocabulary.size, **sizes)
        if by_task_6:
            write = _by_task_6(modules[task6.stem], model, params, options)
        else:
            write = _by_the_given_loop(model, params, options)
        keys = jax.random.split(jax.random.key(seed), options.num_samples)
        speeds = []
        for number, key in enumerate(keys, 1):
            if options.num_samples > 1:
                print(f"--- {number} of {options.num_samples} ---")
            print(vocabulary.decode(prompt), end="", flush=True)
            for piece, speed in _pieces(write, key, prompt, options.length):
                print(vocabulary.decode(piece), end="", flush=True)
                speeds.append(speed)
            print(flush=True)
    owner = "the reference's" if solutions else "your"
    writer = f"{owner} task 6" if by_task_6 else "the given loop"
    again = "" if options.seed is not None else f" --seed {seed} writes the same again."
    console.print(
        f"Run {run.name}: {max(speeds):,.0f} characters a second, by {writer}.{again}", style="dim"
    )


def _checked(prompt: str | None, vocabulary: Vocabulary) -> str:
    """The prompt, or a default that the model can read."""
    characters = set(vocabulary.characters)
    if prompt is None:
        return DEFAULT_PROMPT if set(DEFAULT_PROMPT) <= characters else vocabulary.characters[0]
    if not prompt:
        raise UserError("The prompt is empty. Leave it out, or give at least one character.")
    if unknown := "".join(sorted(set(prompt) - characters)):
        raise UserError(
            f"The model has never seen {unknown!r}. It knows {vocabulary.characters!r}."
        )
    return prompt


def _pieces(
    write: Write, key: jax.Array, prompt: np.ndarray, length: int
) -> Iterator[tuple[np.ndarray, float]]:
    """The text after the prompt, a piece at a time, each with its characters per second."""
    text = [int(token) for token in prompt]
    for start in range(0, length, PIECE):
        began = time.perf_counter()
        # Always a whole piece, so that there is one program.
        piece = write(jax.random.fold_in(key, start), text, PIECE)[len(text) :]
        seconds = time.perf_counter() - began
        text.extend(int(token) for token in piece)
        yield piece[: length - start], PIECE / seconds


def _by_task_6(task6: ModuleType, model: Any, params: Any, options: Options) -> Write:
    """With the learner's cache."""
    sizes = {name: getattr(model, name) for name in ("vocab_size", *milestone.SIZES)}
    cached = CachedMiniGPT(**sizes, attention=task6.CachedAttention)
    tokens = jnp.zeros((1, model.block_size), jnp.int32)
    given = under_the_given_names(model, params, tokens)

    def write(key: jax.Array, text: list[int], number: int) -> np.ndarray:
        return task6.generate_fast(
            key, cached, given, text, number, options.temperature, options.top_k
        )

    return write


def _by_the_given_loop(model: Any, params: Any, options: Options) -> Write:
    """Reading the whole window for each character."""

    def apply(params: Any, tokens: jax.Array) -> jax.Array:
        logits = model.apply(params, tokens)  # (B, T, V)
        k = logits.shape[-1] if options.top_k is None else min(options.top_k, logits.shape[-1])
        smallest = jax.lax.top_k(logits, 1 if options.temperature == 0 else k)[0][..., -1:]
        logits = jnp.where(logits < smallest, -jnp.inf, logits)
        return logits / (options.temperature or 1)

    def write(key: jax.Array, text: list[int], number: int) -> np.ndarray:
        return generate(key, apply, params, text, number, model.block_size)

    return write
