"""The code given for task 6: cached model, naive sampling, speeds; and renaming of weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks import random_inputs
from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.param_pairing import under_the_given_names
from minigpt_challenge.coach.course.curriculum import (
    GPT_TASKS,
    SOLUTIONS_FOLDER,
    task_by_stem,
)
from minigpt_challenge.coach.runtime.loading import load_file, tasks_from
from minigpt_challenge.given import milestone
from minigpt_challenge.given.cached_gpt import CachedMiniGPT
from minigpt_challenge.given.naive_sampling import generate_naively, greedy
from minigpt_challenge.given.sampling import generate
from minigpt_challenge.given.speed import characters_per_second, draw_speeds, show_speeds
from tests.project.answers.gate import bank

SIZES = {"vocab_size": 13, "hidden_dim": 12, "block_size": 7, "num_layers": 2, "num_heads": 3}
BLOCKS = task_by_stem("task4_blocks")


@pytest.fixture(scope="module")
def solution():
    return load_file(task_by_stem("task6_kv_cache").solution, "solution_of_task6")


@pytest.fixture(scope="module")
def mini_gpt():
    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS) as modules:
        yield modules[BLOCKS.stem].MiniGPT(**SIZES)


@pytest.fixture(scope="module")
def cached(solution):
    return CachedMiniGPT(**SIZES, attention=solution.CachedAttention)


def test_the_cached_model_equals_that_of_task_4(mini_gpt, cached):
    tokens = random_inputs.tokens(2, 7, vocab_size=13)
    params = random_inputs.params(mini_gpt, tokens)
    logits, _ = cached.apply(params, tokens, cached.empty_caches(2), 0)
    np.testing.assert_allclose(logits, mini_gpt.apply(params, tokens), atol=1e-5)


def test_naive_sampling_continues_the_prompt_and_sees_the_last_block():
    def count_twos(params, tokens):
        """Predict 4 where there is a 2 at or before the position, else 0."""
        seen = jnp.cumsum(tokens == 2, axis=-1) > 0
        return jax.nn.one_hot(jnp.where(seen, 4, 0), 5)

    text = generate_naively(jax.random.key(0), count_twos, {}, [2, 1], 6, 4, greedy)
    np.testing.assert_array_equal(text, [2, 1, 4, 4, 4, 0, 0, 0])
    assert text.dtype == np.int32


def test_naive_sampling_has_growing_shapes_and_the_same_text_as_generate():
    shapes = []

    def uniform(params, tokens):
        shapes.append(tokens.shape)
        return jnp.zeros((*tokens.shape, 5))

    naive = generate_naively(jax.random.key(3), uniform, {}, [1], 5, 4)
    assert shapes == [(1, 1), (1, 2), (1, 3), (1, 4), (1, 4)]
    given = generate(jax.random.key(3), uniform, {}, [1], 5, 4)
    np.testing.assert_array_equal(naive, given)


@pytest.mark.slow
def test_at_the_milestone_sizes_generate_fast_equals_naive_sampling(solution):
    model = CachedMiniGPT(65, **milestone.SIZES, attention=solution.CachedAttention)
    caches = model.empty_caches()
    params = jax.jit(model.init)(jax.random.key(0), jnp.zeros((1, 2), jnp.int32), caches, 0)

    @jax.jit
    def apply_fn(params, tokens):
        return model.apply(params, tokens, caches, 0)[0]

    # Two more tokens fill the block: every length that is read naively is compiled anew.
    key, prompt = jax.random.key(1), list(range(milestone.BLOCK_SIZE - 2))
    naive = generate_naively(key, apply_fn, params, prompt, 60, milestone.BLOCK_SIZE, greedy)
    fast = solution.generate_fast(key, model, params, prompt, 60, temperature=0)
    np.testing.assert_array_equal(fast, naive)


RENAMED = {
    "self.embedding": "self.lookup",
    "self.norm": "self.a_last_norm",
    "self.dense": "self.z",
    "attention_norm": "second",
    "feed_forward_norm": "first",
}


def test_weights_are_renamed_whatever_the_layers_are_called(tmp_path, mini_gpt):
    text = BLOCKS.solution.read_text(encoding="utf-8")
    for name, new_name in RENAMED.items():
        text = text.replace(name, new_name)
    (tmp_path / "own.py").write_text(text, encoding="utf-8")
    tokens = random_inputs.tokens(2, 7, vocab_size=13)
    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS):
        own = load_file(tmp_path / "own.py", "own_names").MiniGPT(**SIZES)
        params = random_inputs.params(own, tokens)
        expected = own.apply(params, tokens)
        assert "lookup" in params["params"]
        renamed = under_the_given_names(own, params, tokens)
        assert set(renamed["params"]) == {"embedding", "blocks_0", "blocks_1", "norm", "dense"}
        np.testing.assert_allclose(mini_gpt.apply(renamed, tokens), expected, atol=1e-5)


def test_weights_of_layers_that_are_stacked_are_taken_apart(tmp_path, mini_gpt):
    (answer,) = (row for row in bank(BLOCKS) if row.name.startswith("blocks in an nn.scan, with"))
    (tmp_path / "own.py").write_text(answer.text, encoding="utf-8")
    tokens = random_inputs.tokens(2, 7, vocab_size=13)
    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS):
        own = load_file(tmp_path / "own.py", "own_scan").MiniGPT(**SIZES)
        params = random_inputs.params(own, tokens)
        renamed = under_the_given_names(own, params, tokens)
        expected = own.apply(params, tokens)
        np.testing.assert_allclose(mini_gpt.apply(renamed, tokens), expected, atol=1e-5)


def test_weights_of_another_shape_are_rejected(mini_gpt):
    tokens = random_inputs.tokens(2, 7, vocab_size=13)
    params = random_inputs.params(mini_gpt, tokens)
    wider = mini_gpt.clone(hidden_dim=15)
    with tasks_from(SOLUTIONS_FOLDER, GPT_TASKS), pytest.raises(Wrong, match="parameters"):
        model = _FalseWidth(wider.hidden_dim, mini_gpt)
        under_the_given_names(model, params, tokens)


class _FalseWidth:
    """A model that reports a wrong hidden_dim."""

    def __init__(self, hidden_dim, model):
        self.hidden_dim, self._model = hidden_dim, model

    def __getattr__(self, name):
        return getattr(self._model, name)


def test_speeds_are_measured_and_drawn(capsys):
    def write(length):
        return np.zeros(length)

    assert characters_per_second(write, 50) > 50
    figure = draw_speeds({"naive": 2.6, "yours": 12_345.6})
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["2.6", "12,346"]
    assert [bar.get_width() for bar in axes.patches] == [2.6, 12_345.6]
    show_speeds({"naive": 2.6})
