"""Task 6, key-value cache. Passing means that all of these hold.

`task` is your file, `reference` the solution's. The attention is held against task 3's, the text
against a model that reads the whole window at every step. In the checks of `generate_fast`, the
model has the reference's attention, so that a slip in yours fails its own checks only; the last
check puts your two together.
"""

from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach import draw, expect
from minigpt_challenge.coach.attention_properties import survives_large_scores
from minigpt_challenge.coach.faults import generation, sampling
from minigpt_challenge.coach.faults.cached_attention import cached_attention_suspects, outcome
from minigpt_challenge.given.cached_gpt import CachedMiniGPT, KeyValueCache

LOGITS = np.array([0.4, 2.1, -0.3, 1.2, 1.7, -0.6, 0.9], np.float32)  # (V,)
DRAWS = 40_000
WAYS_TO_DRAW = [  # (temperature, top_k)
    (1.0, None),
    (0.6, None),
    (1.8, None),
    (1.0, 3),
    (1.5, 4),
    (1.3, 7),  # V
    (1.0, 12),
]

B, S, C, N, H = 2, 9, 5, 3, 4
PIECES = [(9,), (1,) * 9, (3, 1, 4, 1), (2, 5)]  # how many tokens are read at a time

SIZES = {"vocab_size": 13, "hidden_dim": 12, "block_size": 7, "num_layers": 2, "num_heads": 3}
PROMPTS = {"one token": 1, "five tokens": 5, "a full block": 7, "more than a block": 17}
LONG, SHORT = 26, 2  # tokens to write
SEEDS = (0, 1, 3)  # of models whose most probable text is full of change
GREEDY, FAST = "The most probable text", "generate_fast"


@pytest.fixture(scope="module")
def reads(reference):
    """By seed, the reference's model with its weights."""
    model = _model(reference)
    return {seed: generation.reader(model, _params(model, seed)) for seed in SEEDS}


@pytest.fixture(scope="module")
def scans(task, reference):
    """The steps are a loop in the compiled program: unrolled, they would compile for minutes."""
    model, read = _counting(reference)
    params = _params(model)
    del read[:]
    task.generate_fast(jax.random.key(0), model, params, [1], 9)
    if not read:
        raise expect.Wrong("generate_fast never calls the model.")
    if len(read) > 6:
        raise expect.Wrong(
            f"The model was run {len(read)} times from Python to write 9 tokens. In `jax.lax.scan` "
            "it is traced once, whatever the number of steps."
        )


# Drawing a token


def test_temperature_0_takes_the_most_probable(task):
    logits = draw.floats(3, 11, 7)
    for top_k in (None, 1, 4):
        seen = task.sample_token(jax.random.key(0), logits, temperature=0, top_k=top_k)
        of = f"sample_token at temperature 0 and top_k={top_k}"
        expect.equal(
            _integers(seen, (3, 11), of), np.asarray(logits).argmax(-1).astype(np.int32), "ij", of
        )


@pytest.mark.parametrize(
    "temperature, top_k", WAYS_TO_DRAW, ids=lambda value: "all" if value is None else str(value)
)
def test_tokens_are_drawn_as_often_as_they_should_be(task, temperature, top_k):
    def cases():
        for key, shift in enumerate((0, 1000)):  # softmax does not mind, a bare exp does
            rows = jnp.tile(LOGITS + np.float32(shift), (DRAWS, 1))  # (D, V)
            of = f"sample_token for logits of shape {rows.shape}"
            tokens = task.sample_token(jax.random.key(key), rows, temperature, top_k)
            yield sampling.share_case(_integers(tokens, (DRAWS,), of), LOGITS, temperature, top_k)

    of = f"The share of each token in {DRAWS:,} draws, at {temperature=} and {top_k=},"
    expect.all_equal(cases(), "V", of)


def test_a_token_is_drawn_by_its_key(task):
    rows = jnp.tile(LOGITS, (100, 1))
    first, again, other = (
        np.asarray(task.sample_token(jax.random.key(key), rows)) for key in (1, 1, 2)
    )
    expect.equal(again, first, "i", "sample_token with the same key, a second time,")
    if (other == first).all():
        raise expect.Wrong("sample_token draws the same tokens with another key.")


def test_rows_are_drawn_independently(task):
    rows = jnp.zeros((8, 50, 7))
    of = f"sample_token for logits of shape {rows.shape}"
    tokens = _integers(task.sample_token(jax.random.key(0), rows), (8, 50), of)
    if (tokens == tokens[0]).all() or (tokens == tokens[:, :1]).all():
        raise expect.Wrong(f"{of}, all equal, draws the same for each row. Noise has their shape.")
    one = task.sample_token(jax.random.key(0), jnp.asarray(LOGITS))
    _integers(one, (), "sample_token for logits of shape (7,)")


# Attention with a cache


@pytest.mark.parametrize("pieces", PIECES, ids=str)
def test_reading_in_pieces_equals_task_3(task, reference, pieces):
    mine, theirs = (file.CachedAttention(N, H) for file in (task, reference))
    x = draw.floats(B, sum(pieces), C, seed=1)
    rubbish = _cache(seed=2)  # nothing behind the tokens read so far may be seen
    params = draw.params(theirs, x, rubbish, 0)
    apply, position = jax.jit(mine.apply), 0
    kept = expected = rubbish
    seen, whole, evidence = [], [], []
    for T in pieces:
        new = x[:, position : position + T]
        out, kept = _pair(apply(params, new, expected, position))
        out = expect.array(out, (B, T, N * H), ("B", "T", "N·H"), "CachedAttention")
        for name, leaf in kept._asdict().items():
            expect.array(leaf, (B, S, N, H), "BSNH", f"The cache's {name}")
        suspects = cached_attention_suspects(params, new, expected, position, N)
        right, expected = theirs.apply(params, new, expected, position)
        position += T
        seen.append(outcome(out, *kept, position))
        whole.append(outcome(right, *expected, position))
        evidence.append((seen[-1], suspects))
    position = 0
    for T, was, should in zip(pieces, seen, whole, strict=True):
        of = f"CachedAttention, reading {T} token{'s' * (T > 1)} at position {position},"
        expect.trees_equal(was, should, of, evidence)
        position += T


def test_large_scores_give_no_nan(task, reference):
    x, cache = draw.floats(B, S, C), _cache()
    mine, theirs = (
        SimpleNamespace(apply=partial(_attend, file.CachedAttention(N, H), cache))
        for file in (task, reference)
    )
    params = draw.params(reference.CachedAttention(N, H), x, cache, 0)
    survives_large_scores(mine, theirs, params, x.shape, "CachedAttention")


def test_weights_are_those_of_task_3(task, reference):
    x = draw.floats(1, 2, C)
    seen, expected = (
        jax.eval_shape(file.CachedAttention(N, H).init, jax.random.key(0), x, _cache(B=1), 0)
        for file in (task, reference)
    )
    if jax.tree.map(jnp.shape, seen) != jax.tree.map(jnp.shape, expected):
        raise expect.Wrong(
            "CachedAttention should have the layers of the given `setup` and no others, so that "
            "the weights of a trained model fit."
        )


def test_logits_equal_those_of_the_whole_window_at_every_step(task, reference):
    mine, theirs = _model(task), _model(reference)
    params, tokens = _params(theirs), draw.tokens(2, 7, vocab_size=13, seed=3)
    expected, _ = theirs.apply(params, tokens, theirs.empty_caches(2), 0)
    apply, caches = jax.jit(mine.apply), mine.empty_caches(2)
    for t in range(7):
        seen, caches = apply(params, tokens[:, t : t + 1], caches, t)
        of = f"Token by token, what the model gives at position {t}"
        expect.equal(seen[:, 0], expected[:, t], "BV", of)


# Generating


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_text_equals_the_naive_one(task, reference, reads, scans, prompt):
    def cases():
        for seed in SEEDS:
            model = _model(reference)
            params, read = _params(model, seed), reads[seed]
            start = np.asarray(draw.tokens(PROMPTS[prompt], vocab_size=13, seed=seed))
            for num_tokens in (SHORT, LONG):
                seen = _greedy(task, model, params, start, num_tokens)
                suspects = generation.greedy_suspects(read, model, start, num_tokens)
                yield seen, suspects.compute(frozenset()), suspects

    expect.all_equal(cases(), "T", f"{GREEDY}, from a prompt of {prompt},")


def test_sampled_text_has_the_right_frequencies(task, reference, scans):
    """A model of biases alone knows no context: each token is drawn from the same probabilities."""
    logits = np.array([0.3, 1.1, 0.7, 1.6, 0.9], np.float32)  # (V,)
    model = CachedMiniGPT(5, 4, 3, 1, 2, reference.CachedAttention)
    params = jax.tree.map(jnp.zeros_like, _params(model))
    params["params"]["dense"]["bias"] = jnp.asarray(logits)
    num_draws = 4_000

    roomy = CachedMiniGPT(5, 4, 64, 1, 2, reference.CachedAttention)
    even = jax.tree.map(jnp.zeros_like, _params(roomy))
    text = task.generate_fast(jax.random.key(0), roomy, even, [0], 63)
    sampling.refuse_a_single_token(_integers(text, (64,), FAST)[1:], f"What {FAST} wrote")

    def cases():
        for key, (temperature, top_k) in enumerate([(1.0, None), (0.7, None), (1.2, 3)]):
            text = task.generate_fast(
                jax.random.key(key), model, params, [0], num_draws, temperature, top_k
            )
            new = _integers(text, (1 + num_draws,), FAST)[1:]
            sampling.refuse_a_single_token(new[model.block_size :], f"What {FAST} wrote")
            yield sampling.share_case(new, logits, temperature, top_k)

    expect.all_equal(cases(), "V", f"The share of each token in {num_draws:,} that were written")


def test_the_key_decides_what_is_sampled(task, reference):
    model = _model(reference)
    params = _params(model)
    first, again, other = (
        np.asarray(task.generate_fast(jax.random.key(key), model, params, [3, 1], 20))
        for key in (1, 1, 2)
    )
    expect.equal(again, first, "T", "generate_fast with the same key, a second time,")
    if (other == first).all():
        raise expect.Wrong("generate_fast writes the same text with another key.")


def test_all_prompts_share_a_program(task, reference, scans):
    model, read = _counting(reference)
    params = _params(model)
    task.generate_fast(jax.random.key(0), model, params, [1] * 5, 9)
    for length in (5, 6, 7, 8):
        before = len(read)
        task.generate_fast(jax.random.key(0), model, params, [1] * length, 9)
        if length == 5 and len(read) > before:
            raise expect.Wrong(
                "A second call with a prompt of the same length traced the model anew. Is "
                "`write_on` still under the `jax.jit` that was given, outside of any function?"
            )
        if len(read) > before:
            raise expect.Wrong(
                f"With a prompt of {length} tokens in place of {length - 1} (block_size is 7), "
                "the model was traced anew. A prompt of any length can have the same shape: a "
                "window of block_size, and its length beside it, which is not static."
            )


def test_the_cache_is_used_while_there_is_room(task, reference):
    model, read = _counting(reference)
    params, ran = _params(model), []
    model = _noting(model, ran)
    del read[:]
    task.generate_fast(jax.random.key(0), model, params, [1, 2], 4)
    jax.effects_barrier()
    if not any(shape == (1, 1) for shape in read):
        raise expect.Wrong(
            "The model was never asked to read a single token, (1, 1): it read "
            f"{', '.join(map(str, dict.fromkeys(read)))}. While there is room in the window, the "
            "cache holds all that came before."
        )
    if (windows := sum(num_tokens == SIZES["block_size"] for num_tokens in ran)) > 2:
        raise expect.Wrong(
            f"To write 4 tokens behind a prompt of 2 (block_size is 7), the whole window was read "
            f"{windows} times: once is enough, for the prompt. `jax.lax.cond` runs one of its two "
            "functions; `jnp.where` chooses between results that have both been computed."
        )


def test_the_prompt_comes_first_and_an_empty_one_is_refused(task, reference):
    model = _model(reference)
    params = _params(model)
    for prompt in ([4, 2, 9], jnp.array([4, 2, 9]), np.array([4, 2, 9])):
        text = task.generate_fast(jax.random.key(0), model, params, prompt, 3)
        text = _integers(text, (6,), FAST)
        expect.equal(
            text[:3], np.array([4, 2, 9], np.int32), "T", "What generate_fast returns first"
        )
    expect.raises(
        ValueError,
        lambda: task.generate_fast(jax.random.key(0), model, params, [], 3),
        "generate_fast with an empty prompt",
        "there is no token to go on from",
    )


def test_your_attention_and_your_generation_work_together(task, reference, reads):
    model, theirs = _model(task), _model(reference)
    params, start = _params(theirs), np.array([5, 0, 8])
    seen = _greedy(task, model, params, start, LONG)
    suspects = generation.greedy_suspects(reads[SEEDS[0]], theirs, start, LONG)
    expect.equal(seen, suspects.compute(frozenset()), "T", f"{GREEDY}, with your own attention,")


# What the checks need


def _attend(module, cache, params, x):
    return module.apply(params, x, cache, 0)[0]


def _model(file):
    return CachedMiniGPT(**SIZES, attention=file.CachedAttention)


def _params(model, seed=0):
    """Weights with which the most probable text does not fall into repeating itself.

    For that, attention speaks up, and no bias prefers a token whatever the context.
    """

    def louder(path, leaf):
        name = jax.tree_util.keystr(path)
        quiet = 0.0 if "bias" in name else 1.0
        return leaf * (3.0 if any(part in name for part in ("query", "key", "value")) else quiet)

    tokens = jnp.zeros((1, 2), jnp.int32)
    drawn = draw.params(model, tokens, model.empty_caches(), 0, seed=seed)
    return jax.tree_util.tree_map_with_path(louder, drawn)


def _counting(reference):
    """A model that notes the shape of the tokens whenever Python runs it, and these notes."""
    shapes = []

    class Counting(CachedMiniGPT):
        def __call__(self, tokens, caches, position):
            shapes.append(tokens.shape)
            return super().__call__(tokens, caches, position)

    return Counting(**SIZES, attention=reference.CachedAttention), shapes


def _noting(model, ran):
    """The model, which notes how many tokens it reads whenever it runs, compiled or not."""

    class Noting(type(model)):
        def __call__(self, tokens, caches, position):
            jax.debug.callback(lambda: ran.append(tokens.shape[-1]))
            return super().__call__(tokens, caches, position)

    return Noting(**SIZES, attention=model.attention)


def _cache(B=B, seed=0):
    return KeyValueCache(draw.floats(B, S, N, H, seed=seed), draw.floats(B, S, N, H, seed=seed + 1))


def _pair(returned):
    of = "CachedAttention(…)(x, cache, position)"
    out, kept = expect.pair(returned, of, jax.Array)
    if not hasattr(kept, "key") or not hasattr(kept, "value"):
        raise expect.Wrong(f"{of} should return a KeyValueCache second.")
    return out, KeyValueCache(kept.key, kept.value)


def _integers(seen, shape, of):
    """`seen` as int32, once it is known to be integers of this shape."""
    seen = expect.array(seen, shape, "ij"[: len(shape)], of)
    if not np.issubdtype(seen.dtype, np.integer):
        raise expect.Wrong(f"{of} should be integers, and is {seen.dtype}.")
    return seen.astype(np.int32)


def _greedy(task, model, params, prompt, num_tokens):
    text = task.generate_fast(jax.random.key(0), model, params, prompt, num_tokens, temperature=0)
    return _integers(text, (len(prompt) + num_tokens,), FAST).astype(np.int32)
