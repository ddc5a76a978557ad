"""The fast recipe: what it does to a model's first weights, and to a step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks import random_inputs
from minigpt_challenge.coach.runtime.loading import tasks_from
from minigpt_challenge.given.fast import ADAM_RATE, MUON_RATE, WARM_UP, fast_train_state

V, T, C, STEPS = 7, 5, 6, 20
QUERY = ("blocks_1", "attention", "query", "kernel")


def leaf_at(params, path):
    for name in path:
        params = params[name]
    return np.asarray(params)


@pytest.fixture(scope="module")
def start():
    """The reference's model at a small size, its first params, and the state to begin with."""
    from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER

    with tasks_from(SOLUTIONS_FOLDER) as modules:
        model = modules["task4_blocks"].MiniGPT(V, C, T, num_layers=2, num_heads=3)
    params = model.init(jax.random.key(0), random_inputs.tokens(2, T, vocab_size=V))
    return model, params, fast_train_state(model, params, STEPS)


def gradients(params):
    return jax.tree.map(lambda leaf: random_inputs.floats(*leaf.shape, seed=leaf.size), params)


def test_tables_begin_louder_and_all_else_as_it_was(start):
    _, params, state = start
    for (path, leaf), after in zip(
        jax.tree_util.tree_leaves_with_path(params), jax.tree.leaves(state.params), strict=True
    ):
        factor = 8.0 if "embedding" in jax.tree_util.keystr(path[-1:]) else 1.0
        np.testing.assert_allclose(after, factor * leaf, err_msg=jax.tree_util.keystr(path))


def test_an_update_of_a_hidden_matrix_is_about_equally_long_in_all_directions(start):
    *_, state = start
    after = state.apply_gradients(grads=gradients(state.params))
    moved = leaf_at(after.params["params"], QUERY) - leaf_at(state.params["params"], QUERY)
    lengths = np.linalg.svd(moved, compute_uv=False)
    of_gradient = np.linalg.svd(leaf_at(gradients(state.params)["params"], QUERY), compute_uv=False)
    assert lengths.max() / lengths.min() < 3 < of_gradient.max() / of_gradient.min()
    first_rate = MUON_RATE / (WARM_UP * STEPS)
    assert 0.5 * first_rate < lengths.mean() < 1.5 * first_rate


def test_what_is_no_hidden_matrix_takes_the_step_of_adam(start):
    *_, state = start
    after = state.apply_gradients(grads=gradients(state.params))
    first_rate = ADAM_RATE / (WARM_UP * STEPS)
    for path in (("dense", "kernel"), ("dense", "bias"), ("norm", "scale")):
        moved = leaf_at(after.params["params"], path) - leaf_at(state.params["params"], path)
        # Adam's first step has the gradient's signs, and the same length everywhere.
        assert np.ptp(np.abs(moved)) < 1e-5, path
        assert first_rate <= np.abs(moved).max() < 2 * first_rate, path


def test_the_rates_fall_to_nothing_at_the_last_step(start):
    *_, state = start
    grads = gradients(state.params)
    step = jax.jit(lambda state: state.apply_gradients(grads=grads))

    def longest_move(before, after):
        moves = jax.tree.map(lambda a, b: jnp.abs(a - b).max(), before.params, after.params)
        return max(jax.tree.leaves(moves))

    for _ in range(STEPS):
        before, state = state, step(state)
    assert longest_move(before, state) > 1e-4
    assert longest_move(state, step(state)) < 1e-9


def test_names_are_free_and_layers_may_be_stacked(start):
    model, *_ = start
    params = {"layers": jnp.ones((3, C, 4 * C)), "what": jnp.ones((V, C)), "ever": jnp.ones(C)}
    state = fast_train_state(model, params, STEPS)
    after = state.apply_gradients(grads=gradients(params))
    assert float(state.params["what"].max()) == 8.0
    for layer in np.asarray(after.params["layers"] - state.params["layers"]):
        lengths = np.linalg.svd(layer, compute_uv=False)
        assert lengths.max() / lengths.min() < 3


def test_a_table_that_cannot_be_told_from_a_hidden_matrix_stays_as_it_is(start):
    model, *_ = start
    params = {"table": jnp.ones((2 * C, C)), "positions": jnp.ones((T, C))}
    state = fast_train_state(model.clone(vocab_size=2 * C), params, STEPS)
    assert float(state.params["table"].max()) == 1.0
    assert float(state.params["positions"].max()) == 8.0
