"""Task 6, key-value cache. You pass when all of these checks hold.

`task` is your file, `reference` the solution. The attention is compared with task 3's, the text
with that of a model that reads the whole window at every step. In the checks of `generate_fast`,
the model has the reference's attention, so that a mistake in yours fails its own checks only; the
last check puts your two together.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks import expect, param_trees, random_inputs
from minigpt_challenge.coach.checks.properties import cached_attention, generation, sampling
from minigpt_challenge.coach.checks.properties.cached_attention import random_cache
from minigpt_challenge.coach.checks.properties.quick_gpt import (
    QuickGPT,
    bias_only_params,
    non_repeating_params,
    shapes_of,
)
from minigpt_challenge.given.cached_gpt import CachedMiniGPT

LOGITS = np.array([0.4, 2.1, -0.3, 1.2, 1.7, -0.6, 0.9], np.float32)  # (V,)
DRAWS = 40_000
WAYS_TO_DRAW = {  # (temperature, top_k)
    "all tokens": (1.0, None),
    "all tokens, temperature 0.6": (0.6, None),
    "all tokens, temperature 1.8": (1.8, None),
    "the best 3": (1.0, 3),
    "the best 4, temperature 1.5": (1.5, 4),
    "the best 7, which is V, temperature 1.3": (1.3, 7),
    "the best 12, which are more than V": (1.0, 12),
}

B, S, C, N, H = 2, 70, 5, 3, 4  # S is more than the sizes that people write down
PIECES = {  # how many tokens are read at a time
    "70 tokens at once": (70,),
    "9 tokens one by one": (1,) * 9,
    "3, 1, 4 and 1 tokens": (3, 1, 4, 1),
    "2, 5 and 63 tokens": (2, 5, 63),
}

SIZES = {"vocab_size": 13, "hidden_dim": 12, "block_size": 7, "num_layers": 2, "num_heads": 3}
PROMPTS = {"one token": 1, "five tokens": 5, "a full block": 7, "more than a block": 17}
SHORT, LONG = 2, 26  # tokens to write: most mistakes show early, at little expense
ROOMY = 64  # a block_size that is not reached
SEEDS = (0, 1, 3)  # of models whose most probable text does not end in repetition


# Fixtures: all checks share what is traced, since tracing takes most of their time.


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
def readings(attends, attention_params):
    """What your attention gives for tokens that are read in pieces."""
    x, cache = random_inputs.floats(B, S, C, seed=1), random_cache(B, S, N, H, seed=2)
    return cached_attention.Readings(*attends, attention_params, x, cache, PIECES.values())


@pytest.fixture(scope="module")
def model(reference):
    """A small GPT with the reference's attention."""
    return gpt_with(reference)


@pytest.fixture(scope="module")
def weights(model):
    """Weights for it, by seed."""
    shapes = shapes_of(model)
    return {seed: non_repeating_params(shapes, seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def reads(model, weights):
    """The model with its weights, compiled, by seed."""
    return generation.readers(model, weights)


@pytest.fixture(scope="module")
def greedy_texts(task, model, weights, reads, scans):
    """What your code writes at temperature 0."""

    def start(length, seed):
        return np.asarray(random_inputs.tokens(length, vocab_size=13, seed=seed))

    prompts = {name: partial(start, length) for name, length in PROMPTS.items()}
    return generation.GreedyTexts(task.generate_fast, model, weights, reads, prompts, (SHORT, LONG))


@pytest.fixture(scope="module")
def draws(task):
    """The tokens that your code draws."""
    return sampling.Draws(task.sample_token, LOGITS, DRAWS, WAYS_TO_DRAW.values())


@pytest.fixture(scope="module")
def quick(reference):
    """A GPT that is quickly traced, and its weights."""
    model = QuickGPT(**SIZES | {"num_layers": 1}, attention=reference.CachedAttention)
    return model, non_repeating_params(shapes_of(model))


@pytest.fixture(scope="module")
def tiny(reference):
    """By block_size, a model of five tokens only, and the shapes of its weights."""
    models = {S: QuickGPT(5, 4, S, 1, 2, reference.CachedAttention) for S in (3, ROOMY)}
    return {S: (model, shapes_of(model)) for S, model in models.items()}


@pytest.fixture(scope="module")
def scans(task, quick):
    """Your steps are a loop. Code that would compile for minutes is not tried any further."""
    generation.steps_are_a_loop(task.generate_fast, *quick)


def gpt_with(file):
    """A model with this file's attention."""
    return CachedMiniGPT(**SIZES, attention=file.CachedAttention)


# sample_token


def test_temperature_0_takes_the_most_probable(task):
    """Dividing the logits by 0 would give NaN; what you want is the best guess, always."""
    logits = random_inputs.floats(3, 11, 7)
    for top_k in (None, 1, 4):
        label = f"sample_token at temperature 0 and top_k={top_k}"
        seen = task.sample_token(jax.random.key(0), logits, temperature=0, top_k=top_k)
        seen = expect.integers(seen, (3, 11), label)
        expect.equal(seen, np.asarray(logits).argmax(-1).astype(np.int32), "ij", label)


@pytest.mark.parametrize("way", WAYS_TO_DRAW)
def test_tokens_are_drawn_as_often_as_they_should_be(draws, way):
    """The temperature and top_k change the text only by way of these shares."""
    draws.shares_are_the_probabilities(*WAYS_TO_DRAW[way])


def test_a_token_is_drawn_by_its_key(task):
    """With the same key you get the same text again, with another key another text."""
    rows = jnp.tile(LOGITS, (100, 1))
    sampling.key_decides(lambda key: task.sample_token(key, rows), "i", "sample_token")


def test_rows_are_drawn_independently(task):
    """Several texts written at once should not all be the same."""
    sampling.rows_are_independent(task.sample_token, (8, 50, 7), LOGITS)


# CachedAttention


@pytest.mark.parametrize("pieces", PIECES)
def test_reading_in_pieces_equals_task_3(readings, pieces):
    """The cache saves work and changes no result: with it, the trained model is still the same."""
    readings.equal_task_3(PIECES[pieces])


def test_large_scores_give_no_nan(attends, attention_params):
    """A model that is sure of itself has large scores: after one overflow, all text is lost."""
    x, cache = random_inputs.floats(B, S, C), random_cache(B, S, N, H)
    cached_attention.large_scores_give_no_nan(*attends, attention_params, x, cache)


def test_weights_are_those_of_task_3(task, attention_params):
    """Your generation is for a model that is trained already, so its weights have to fit."""
    x, cache = random_inputs.floats(1, 2, C), random_cache(1, S, N, H)
    seen = param_trees.parameters(task.CachedAttention(N, H), x, cache, 0)
    cached_attention.has_the_weights_of_task_3(seen, attention_params)


def test_logits_equal_those_of_the_whole_window_at_every_step(task, weights, reads):
    """In the whole model, too, a token read alone should give what it gives among the others."""
    tokens = random_inputs.tokens(2, 7, vocab_size=13, seed=3)
    generation.logits_equal_those_of_the_window(gpt_with(task), weights[0], reads[0], tokens)


# generate_fast


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_text_equals_the_naive_one(greedy_texts, prompt):
    """Faster, and otherwise the same: before the window is full, and when it slides."""
    greedy_texts.equal_the_naive_ones(prompt)


def test_sampled_text_has_the_right_frequencies(task, tiny, draws, scans):
    """Each step needs a key of its own, and has to pass temperature and top_k on."""
    # With biases alone, the model knows no context: all tokens have the same probabilities.
    logits = np.array([-1.3, -0.5, -0.9, 0.0, -0.7], np.float32)  # (V,)
    (model, shapes), (roomy, roomy_shapes) = tiny[3], tiny[ROOMY]

    def write_in_one_window(params, key):
        text = task.generate_fast(key, roomy, params, [0], ROOMY - 1)
        return expect.integers(text, (ROOMY,), "generate_fast")[1:]

    sampling.not_all_the_same(
        partial(write_in_one_window, bias_only_params(roomy_shapes)),
        partial(write_in_one_window, non_repeating_params(roomy_shapes)),
        task.sample_token,
    )
    undecided = bias_only_params(shapes)
    sampling.draws_are_independent(
        lambda key: task.generate_fast(key, model, undecided, [0], 5), 5, len(logits)
    )
    params = bias_only_params(shapes, logits)
    settings = [(1.0, None), (0.6, None), (4.0, 4), (1.0, 3)]  # (temperature, top_k)

    def write(key, num_tokens, temperature, top_k):
        return task.generate_fast(key, model, params, [0], num_tokens, temperature, top_k)

    sampling.written_shares_are_the_probabilities(
        write, logits, 4_000, model.block_size, settings, draws
    )


def test_the_key_decides_what_is_sampled(task, tiny):
    """With the same key you get the same text again, with another key another text."""
    model, shapes = tiny[ROOMY]
    params = non_repeating_params(shapes)
    sampling.key_decides(
        lambda key: task.generate_fast(key, model, params, [3, 1], ROOMY - 1), "T", "generate_fast"
    )


def test_all_prompts_share_a_program(task, quick, scans):
    """Compiling takes seconds: once is enough, not once for each prompt."""
    generation.prompts_share_a_program(task.generate_fast, *quick)


def test_the_cache_is_used_while_there_is_room(task, quick):
    """This is what makes it fast: a step reads one token, and not the whole window."""
    generation.cache_is_used_while_there_is_room(task.generate_fast, *quick)


def test_the_prompt_comes_first_and_an_empty_one_is_refused(task, tiny):
    """You want to read what you asked for, and a clear error where there is nothing to go on."""
    model, shapes = tiny[ROOMY]
    params = non_repeating_params(shapes)
    generation.prompt_comes_first(task.generate_fast, model, params, [4, 2, 1], ROOMY - 1)
    expect.raises(
        ValueError,
        lambda: task.generate_fast(jax.random.key(0), model, params, [], 3),
        "generate_fast with an empty prompt",
        "there is no token to go on from",
    )


def test_your_attention_and_your_generation_work_together(task, weights, reads, scans):
    """Each was tried with the reference's other half; here both are yours, as in the notebook."""
    prompt = np.array([5, 0, 8])
    seen = generation.greedy_text(task.generate_fast, gpt_with(task), weights[0], prompt, LONG)
    expected = generation.naive_text(reads[0], prompt, LONG)
    expect.equal(seen, expected, "T", "The most probable text, with your own attention,")
