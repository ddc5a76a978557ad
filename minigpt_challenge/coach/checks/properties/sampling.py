"""What sampling must do: draw each token with its probability, and follow the key."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.diagnosis import explain
from minigpt_challenge.coach.checks.faults import sampling as faults
from minigpt_challenge.coach.checks.faults.catalogue.sampling import KEYS
from minigpt_challenge.coach.checks.settings import Settings

# With 100 texts and a vocabulary of 5, chance exceeds it a few times in a billion.
MAX_SURPLUS = 0.25


class Draws:
    """The shares of the tokens that the learner's `sample_token` draws, counted once a setting."""

    def __init__(
        self,
        sample_token: Callable,
        logits: np.ndarray,
        number: int,
        settings: Iterable[tuple[float, int | None]],
    ):
        """Draw nothing yet.

        Args:
            sample_token: the learner's.
            logits: float (V,).
            number: D. All are drawn at once, for logits (D, V), and once more for (1, D, V).
            settings: all temperatures that are tried, each with its top_k.
        """
        self._sample_token, self._logits = sample_token, logits
        # 1000 more changes no softmax, but a bare exp; neighbors should change no draw.
        self._shapes = {0: (number,), 1000: (1, number)}
        self._settings = Settings(settings, self._draw)

    def shares_are_the_probabilities(self, temperature: float, top_k: int | None) -> None:
        """In one setting, each token's share is its probability."""
        number = math.prod(self._shapes[0])
        label = f"The share of each token in {number:,} draws at {temperature=} and {top_k=}"
        self._settings.all_equal((temperature, top_k), "V", label)

    def wrong_cases(self) -> list[Callable[[], list[expect.Case]]]:
        """For each setting, a function that gives its cases in which a share is not right."""

        def wrong(cases: Callable[[], Sequence[expect.Case]]) -> list[expect.Case]:
            return [case for case in cases() if not np.array_equal(*case[:2])]

        return [partial(wrong, cases) for cases in self._settings.all()]

    def _draw(self, setting: tuple[float, int | None]) -> list[expect.Case]:
        (temperature, top_k), cases = setting, []
        for key, (shift, shape) in enumerate(self._shapes.items()):
            logits = self._logits + np.float32(shift)
            rows = jnp.tile(logits, (*shape, 1))  # (…, D, V)
            label = f"sample_token for logits of shape {rows.shape}"
            tokens = self._sample_token(jax.random.key(key), rows, temperature, top_k)
            tokens = expect.integers(tokens, shape, label).ravel()  # (D,)
            cases.append(faults.share_case(tokens, logits, temperature, top_k))
        return cases


def written_shares_are_the_probabilities(
    write: Callable[..., Any],
    logits: np.ndarray,
    num_tokens: int,
    block_size: int,
    settings: Iterable[tuple[float, int | None]],
    draws: Draws,
) -> None:
    """Each token's share in a long text is its probability, where that is always the same.

    Args:
        write: from a random key, a number of tokens, temperature and top_k to the text, a prompt
            of one token first.
        logits: float (V,), whatever the context.
        num_tokens: the length of the text, without the prompt.
        block_size: the model's; it is exceeded.
        settings: temperatures, each with its top_k.
        draws: of the learner's `sample_token`. Where they are wrong, a mistake has to explain them,
            too.
    """

    def compared() -> Iterator[tuple]:
        for key, (temperature, top_k) in enumerate(settings):
            text = write(jax.random.key(key), num_tokens, temperature, top_k)
            new = expect.integers(text, (1 + num_tokens,), "generate_fast")[1:]
            if _is_one_token(new[block_size:]):
                raise expect.Wrong(
                    f"From number {block_size + 1} on, all are the token {new[-1]}.",
                    asked=f"The {num_tokens:,} tokens that generate_fast wrote should differ.",
                    advice="Does each step get a key of its own, also when the window slides?",
                    about="all tokens equal when the window slides",
                )
            yield faults.share_case(new, logits, temperature, top_k)

    label = f"The share of each token in {num_tokens:,} that were written"
    expect.all_equal(compared(), "V", label, draws.wrong_cases())


def draws_are_independent(
    write: Callable[[jax.Array], Any], num_tokens: int, vocab_size: int, num_keys: int = 100
) -> None:
    """Over many keys, each token is drawn at random, and apart from each token before it.

    In one long text the first draws would not show.

    Args:
        write: from a random key to a text, of which the last `num_tokens` were drawn, all tokens
            being equally probable.
        num_tokens: the number of draws in a text.
        vocab_size: V.
        num_keys: the number of texts.
    """
    texts = [np.asarray(write(jax.random.key(100 + seed))) for seed in range(num_keys)]
    tokens = np.stack(texts)[:, -num_tokens:]  # (num_keys, num_tokens)
    fair = 1 / vocab_size
    for t in range(num_tokens):
        most = np.bincount(tokens[:, t], minlength=vocab_size).max() / num_keys
        if most > fair + MAX_SURPLUS:
            raise expect.Wrong(
                f"With {num_keys} keys, one and the same token was number {t + 1} in {most:.0%} "
                "of the texts.",
                asked=f"Where all {vocab_size} tokens are equally probable, generate_fast should "
                f"draw each in {fair:.0%} of the texts.",
                advice="Draw every token with `sample_token`, the first one too.",
                about="a token that is not drawn",
            )
        for earlier in range(t):
            same = (tokens[:, t] == tokens[:, earlier]).mean()
            if not 0 < same < fair + MAX_SURPLUS:
                raise expect.Wrong(
                    f"With {num_keys} keys, tokens {earlier + 1} and {t + 1} were the same in "
                    f"{same:.0%} of the texts.",
                    asked=f"Where all {vocab_size} tokens are equally probable, two draws of "
                    f"generate_fast should agree in {fair:.0%} of the texts.",
                    advice="Split the key: each step needs a key of its own.",
                    about="draws that depend on each other",
                )


def not_all_the_same(
    write: Callable[[jax.Array], np.ndarray],
    write_in_turn: Callable[[jax.Array], np.ndarray],
    sample_token: Callable,
) -> None:
    """Of many written tokens that could differ, some do, as with a key for each step.

    One key for all steps is claimed if another key gives another token, and if the tokens differ
    where the logits do: a text of one token has other causes, too.

    Args:
        write: from a random key to tokens, integers (T,), that are all equally probable.
        write_in_turn: the same where a token is hardly ever followed by itself.
        sample_token: the learner's, which may be to blame.
    """
    keys = [jax.random.key(seed) for seed in range(6)]
    tokens = write(keys[0])
    if not _is_one_token(tokens):
        return
    wrong = expect.Wrong(
        f"All {len(tokens):,} are the token {tokens[0]}.",
        asked="What generate_fast wrote should be different tokens.",
        about="all tokens equal in what generate_fast wrote",
    )
    rows = np.zeros((len(tokens), 5), np.float32)
    first, second = (np.asarray(sample_token(key, rows)) for key in keys[:2])
    if np.array_equal(first, second):
        raise wrong.but(advice="`sample_token` by itself also draws the same with any key.")
    texts = [tokens, *map(write, keys[1:])]
    follows_the_key = all(map(_is_one_token, texts)) and len({int(text[0]) for text in texts}) > 1
    if not follows_the_key or all(_is_one_token(write_in_turn(key)) for key in keys):
        raise wrong
    raise wrong.but(cause=explain(KEYS), diagnosis=tuple(fault.id for fault in KEYS))


def _is_one_token(tokens: np.ndarray) -> bool:
    return bool((tokens == tokens[0]).all())


def key_decides(draw: Callable[[jax.Array], Any], axes: Sequence[str], label: str) -> None:
    """The same key draws the same, another one something else.

    Args:
        draw: from a random key to tokens.
        axes: a name for each axis of them.
        label: what draws, for the message.
    """
    first, again, other = (np.asarray(draw(jax.random.key(seed))) for seed in (1, 1, 2))
    expect.equal(again, first, axes, f"{label} with the same key, a second time,")
    if (other == first).all():
        raise expect.Wrong(
            "They are the same.",
            asked=f"{label} should draw other tokens with another key.",
            about=f"{label} with another key",
        )


def rows_are_independent(
    sample_token: Callable, shape: tuple[int, int, int], logits: np.ndarray
) -> None:
    """Rows of equal logits do not all draw the same token; logits (V,) draw a single one.

    Args:
        sample_token: the learner's.
        shape: of the logits, of which each axis but the last counts rows.
        logits: float (V,).
    """
    rows = jnp.zeros(shape)
    label = f"sample_token for logits of shape {rows.shape}"
    tokens = sample_token(jax.random.key(0), rows)
    tokens = expect.integers(tokens, shape[:-1], label)
    if (tokens == tokens[0]).all() or (tokens == tokens[:, :1]).all():
        raise expect.Wrong(
            "It draws the same for each row.",
            asked=f"{label}, all equal, should draw for each row independently.",
            advice="The noise should have the shape of the logits.",
            about="independent rows",
        )
    token = sample_token(jax.random.key(0), jnp.asarray(logits))
    expect.integers(token, (), f"sample_token for logits of shape {logits.shape}")
