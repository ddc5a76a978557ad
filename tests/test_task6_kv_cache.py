"""Task 6, key-value cache. Passing means that all of these hold.

`task` is your file, `reference` the solution's. The attention is held against task 3's, the text
against a model that reads the whole window at every step. In the checks of `generate_fast`, the
model has the reference's attention, so that a slip in yours fails its own checks only; the last
check puts your two together.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks import expect, param_trees, random_inputs
from minigpt_challenge.coach.checks.faults import generation, sampling
from minigpt_challenge.coach.checks.properties import generation as properties
from minigpt_challenge.coach.checks.properties.cached_attention import (
    large_scores_give_no_nan,
    random_cache,
    reading_in_pieces_equals,
)
from minigpt_challenge.coach.checks.properties.generation import QuickGPT, lively_params, shapes_of
from minigpt_challenge.given.cached_gpt import CachedMiniGPT

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
ROOMY = 64  # a block_size that is not reached
SEEDS = (0, 1, 3)  # of models whose most probable text is full of change
GREEDY, FAST = "The most probable text", "generate_fast"


# Whatever is traced is kept for all checks: that is what they spend most of their time on.


@pytest.fixture(scope="module")
def attention_params(reference):
    """Weights for CachedAttention."""
    x, cache = random_inputs.floats(B, S, C), random_cache(B, S, N, H)
    return random_inputs.params(reference.CachedAttention(N, H), x, cache, 0)


@pytest.fixture(scope="module")
def attends(task, reference):
    """Your attention and the reference's, compiled."""
    return [jax.jit(file.CachedAttention(N, H).apply) for file in (task, reference)]


@pytest.fixture(scope="module")
def model(reference):
    """A small GPT with the reference's attention."""
    return gpt_with(reference)


@pytest.fixture(scope="module")
def weights(model):
    """By seed, weights for it."""
    shapes = shapes_of(model)
    return {seed: lively_params(shapes, seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def reads(model, weights):
    """By seed, the model with its weights, compiled."""
    apply = jax.jit(model.apply)
    return {seed: generation.Reader(model, params, apply) for seed, params in weights.items()}


@pytest.fixture(scope="module")
def quick(reference):
    """A GPT that is quickly traced, and its weights."""
    model = QuickGPT(**SIZES | {"num_layers": 1}, attention=reference.CachedAttention)
    return model, lively_params(shapes_of(model))


@pytest.fixture(scope="module")
def tiny(reference):
    """By block_size, one that has five tokens only, and the shapes of its weights."""
    models = {S: QuickGPT(5, 4, S, 1, 2, reference.CachedAttention) for S in (3, ROOMY)}
    return {S: (model, shapes_of(model)) for S, model in models.items()}


@pytest.fixture(scope="module")
def scans(task, quick):
    """What would compile for minutes is not tried any further."""
    properties.steps_are_a_loop(task.generate_fast, *quick)


def gpt_with(file):
    """A model with this file's attention."""
    return CachedMiniGPT(**SIZES, attention=file.CachedAttention)


def greedy(task, model, params, prompt, num_tokens):
    text = task.generate_fast(jax.random.key(0), model, params, prompt, num_tokens, temperature=0)
    return expect.integers(text, (len(prompt) + num_tokens,), FAST)


# Drawing a token


def test_temperature_0_takes_the_most_probable(task):
    logits = random_inputs.floats(3, 11, 7)
    for top_k in (None, 1, 4):
        seen = task.sample_token(jax.random.key(0), logits, temperature=0, top_k=top_k)
        of = f"sample_token at temperature 0 and top_k={top_k}"
        expect.equal(
            expect.integers(seen, (3, 11), of),
            np.asarray(logits).argmax(-1).astype(np.int32),
            "ij",
            of,
        )


@pytest.mark.parametrize(
    "temperature, top_k", WAYS_TO_DRAW, ids=lambda value: "all" if value is None else str(value)
)
def test_tokens_are_drawn_as_often_as_they_should_be(task, temperature, top_k):
    shapes = {0: (DRAWS,), 1000: (1, DRAWS)}

    def cases():
        # Softmax does not mind 1000 more, a bare exp does; and a draw minds no neighbours.
        for key, (shift, shape) in enumerate(shapes.items()):
            rows = jnp.tile(LOGITS + np.float32(shift), (*shape, 1))  # (…, D, V)
            of = f"sample_token for logits of shape {rows.shape}"
            tokens = task.sample_token(jax.random.key(key), rows, temperature, top_k)
            tokens = expect.integers(tokens, shape, of).ravel()  # (D,)
            yield sampling.share_case(tokens, LOGITS, temperature, top_k)

    here = " and ".join(
        f"{(*shape, len(LOGITS))}, {shift} added," for shift, shape in shapes.items()
    )
    of = (
        f"The share of each token in {DRAWS:,} draws, from logits of shape {here} at "
        f"{temperature=} and {top_k=},"
    )
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
    tokens = expect.integers(task.sample_token(jax.random.key(0), rows), (8, 50), of)
    if (tokens == tokens[0]).all() or (tokens == tokens[:, :1]).all():
        raise expect.Wrong(f"{of}, all equal, draws the same for each row. Noise has their shape.")
    one = task.sample_token(jax.random.key(0), jnp.asarray(LOGITS))
    expect.integers(one, (), "sample_token for logits of shape (7,)")


# Attention with a cache


@pytest.mark.parametrize("pieces", PIECES, ids=str)
def test_reading_in_pieces_equals_task_3(attends, attention_params, pieces):
    x, rubbish = random_inputs.floats(B, sum(pieces), C, seed=1), random_cache(B, S, N, H, seed=2)
    reading_in_pieces_equals(*attends, attention_params, x, rubbish, pieces)


def test_large_scores_give_no_nan(attends, attention_params):
    x, cache = random_inputs.floats(B, S, C), random_cache(B, S, N, H)
    large_scores_give_no_nan(*attends, attention_params, x, cache)


def test_weights_are_those_of_task_3(task, attention_params):
    x, cache = random_inputs.floats(1, 2, C), random_cache(1, S, N, H)
    seen = param_trees.parameters(task.CachedAttention(N, H), x, cache, 0)
    if jax.tree.map(jnp.shape, seen) != jax.tree.map(jnp.shape, attention_params):
        raise expect.Wrong(
            "CachedAttention should have the layers of the given `setup` and no others, so that "
            "the weights of a trained model fit."
        )


def test_logits_equal_those_of_the_whole_window_at_every_step(task, weights, reads):
    mine, read = gpt_with(task), reads[0]
    params, tokens = weights[0], random_inputs.tokens(2, 7, vocab_size=13, seed=3)
    expected = np.stack([read(row, read.empty, 0)[0] for row in np.asarray(tokens)])  # (2, 7, V)
    apply, caches = jax.jit(mine.apply), mine.empty_caches(2)
    for t in range(7):
        seen, caches = apply(params, tokens[:, t : t + 1], caches, t)
        of = f"Token by token, what the model gives at position {t}"
        expect.equal(seen[:, 0], expected[:, t], "BV", of)


# Generating


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_text_equals_the_naive_one(task, model, weights, reads, scans, prompt):
    def cases():
        for seed in SEEDS:
            params, read = weights[seed], reads[seed]
            start = np.asarray(random_inputs.tokens(PROMPTS[prompt], vocab_size=13, seed=seed))
            text = greedy(task, model, params, start, LONG)
            for num_tokens in (SHORT, LONG):  # most mistakes show early, at little expense
                suspects = generation.greedy_suspects(read, start, num_tokens)
                yield text[: len(start) + num_tokens], suspects.compute(frozenset()), suspects

    expect.all_equal(cases(), "T", f"{GREEDY}, from a prompt of {prompt},")


def test_sampled_text_has_the_right_frequencies(task, tiny, scans):
    """A model of biases alone knows no context: each token is drawn from the same probabilities."""
    logits = np.array([0.3, 1.1, 0.7, 1.6, 0.9], np.float32)  # (V,)
    (model, shapes), (roomy, roomy_shapes) = tiny[3], tiny[ROOMY]
    params = jax.tree.map(jnp.zeros_like, lively_params(shapes))
    params["params"]["dense"]["bias"] = jnp.asarray(logits)
    num_draws = 4_000

    even = jax.tree.map(jnp.zeros_like, lively_params(roomy_shapes))
    text = task.generate_fast(jax.random.key(0), roomy, even, [0], ROOMY - 1)
    wrote, draw_one = f"What {FAST} wrote", task.sample_token
    sampling.refuse_a_single_token(expect.integers(text, (ROOMY,), FAST)[1:], wrote, draw_one)

    def cases():
        for key, (temperature, top_k) in enumerate([(1.0, None), (0.7, None), (1.2, 3)]):
            text = task.generate_fast(
                jax.random.key(key), model, params, [0], num_draws, temperature, top_k
            )
            new = expect.integers(text, (1 + num_draws,), FAST)[1:]
            sampling.refuse_a_single_token(new[model.block_size :], wrote, draw_one)
            yield sampling.share_case(new, logits, temperature, top_k)

    expect.all_equal(cases(), "V", f"The share of each token in {num_draws:,} that were written")


def test_the_key_decides_what_is_sampled(task, tiny):
    model, shapes = tiny[ROOMY]
    params = lively_params(shapes)
    first, again, other = (
        np.asarray(task.generate_fast(jax.random.key(key), model, params, [3, 1], ROOMY - 1))
        for key in (1, 1, 2)
    )
    expect.equal(again, first, "T", "generate_fast with the same key, a second time,")
    if (other == first).all():
        raise expect.Wrong("generate_fast writes the same text with another key.")


def test_all_prompts_share_a_program(task, quick, scans):
    properties.prompts_share_a_program(task.generate_fast, *quick)


def test_the_cache_is_used_while_there_is_room(task, quick):
    properties.cache_is_used_while_there_is_room(task.generate_fast, *quick)


def test_the_prompt_comes_first_and_an_empty_one_is_refused(task, tiny):
    model, shapes = tiny[ROOMY]
    params = lively_params(shapes)
    for prompt in ([4, 2, 1], jnp.array([4, 2, 1]), np.array([4, 2, 1])):
        text = task.generate_fast(jax.random.key(0), model, params, prompt, ROOMY - 1)
        text = expect.integers(text, (3 + ROOMY - 1,), FAST)
        expect.equal(
            text[:3], np.array([4, 2, 1], np.int32), "T", "What generate_fast returns first"
        )
    expect.raises(
        ValueError,
        lambda: task.generate_fast(jax.random.key(0), model, params, [], 3),
        "generate_fast with an empty prompt",
        "there is no token to go on from",
    )


def test_your_attention_and_your_generation_work_together(task, weights, reads):
    mine, params, start = gpt_with(task), weights[0], np.array([5, 0, 8])
    seen = greedy(task, mine, params, start, LONG)
    suspects = generation.greedy_suspects(reads[0], start, LONG)
    expect.equal(seen, suspects.compute(frozenset()), "T", f"{GREEDY}, with your own attention,")
