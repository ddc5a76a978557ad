"""The fast recipe: the initial weights and the updates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks import random_inputs
from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER
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
    """A small model of the reference, its initial params and the initial state."""
    with tasks_from(SOLUTIONS_FOLDER) as modules:
        model = modules["task4_blocks"].MiniGPT(V, C, T, num_layers=2, num_heads=3)
    params = model.init(jax.random.key(0), random_inputs.tokens(2, T, vocab_size=V))
    return model, params, fast_train_state(model, params, STEPS)


def gradients(params):
    return jax.tree.map(lambda leaf: random_inputs.floats(*leaf.shape, seed=leaf.size), params)


def root_mean_square(array):
    return np.sqrt(np.mean(np.square(array)))


@pytest.mark.parametrize("initial", [1.0, 0.02])  # as `nn.Embed` does it, and as others do
def test_only_embeddings_are_scaled_to_the_same_size(start, initial):
    model, params, _ = start
    params = jax.tree_util.tree_map_with_path(
        lambda path, leaf: initial * leaf if is_embedding(path) else leaf, params
    )
    state = fast_train_state(model, params, STEPS)
    for (path, leaf), after in zip(
        jax.tree_util.tree_leaves_with_path(params), jax.tree.leaves(state.params), strict=True
    ):
        factor = 8 / C**0.5 / root_mean_square(leaf) if is_embedding(path) else 1.0
        np.testing.assert_allclose(
            after, factor * leaf, rtol=1e-5, err_msg=jax.tree_util.keystr(path)
        )


def test_embeddings_of_zeros_stay_finite(start):
    model, params, _ = start
    state = fast_train_state(model, jax.tree.map(jnp.zeros_like, params), STEPS)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.params))


def is_embedding(path):
    return "embedding" in jax.tree_util.keystr(path[-1:])


def test_updates_of_hidden_matrices_are_nearly_orthogonal(start):
    *_, state = start
    after = state.apply_gradients(grads=gradients(state.params))
    update = leaf_at(after.params["params"], QUERY) - leaf_at(state.params["params"], QUERY)
    singular_values = np.linalg.svd(update, compute_uv=False)
    of_gradients = np.linalg.svd(
        leaf_at(gradients(state.params)["params"], QUERY), compute_uv=False
    )
    assert (
        singular_values.max() / singular_values.min() < 3 < of_gradients.max() / of_gradients.min()
    )
    first_rate = MUON_RATE / (WARM_UP * STEPS)
    assert 0.5 * first_rate < singular_values.mean() < 1.5 * first_rate


def test_everything_else_is_updated_by_adam(start):
    *_, state = start
    after = state.apply_gradients(grads=gradients(state.params))
    first_rate = ADAM_RATE / (WARM_UP * STEPS)
    for path in (("dense", "kernel"), ("dense", "bias"), ("norm", "scale")):
        update = leaf_at(after.params["params"], path) - leaf_at(state.params["params"], path)
        # Adam's first step has the signs of the gradient, and the same size everywhere.
        assert np.ptp(np.abs(update)) < 1e-5, path
        assert first_rate <= np.abs(update).max() < 2 * first_rate, path


def test_the_learning_rates_decay_to_0_at_the_last_step(start):
    *_, state = start
    grads = gradients(state.params)
    step = jax.jit(lambda state: state.apply_gradients(grads=grads))

    def largest_update(before, after):
        updates = jax.tree.map(lambda a, b: jnp.abs(a - b).max(), before.params, after.params)
        return max(jax.tree.leaves(updates))

    for _ in range(STEPS):
        before, state = state, step(state)
    assert largest_update(before, state) > 1e-4
    assert largest_update(state, step(state)) < 1e-9


def test_names_do_not_matter_and_layers_may_be_stacked(start):
    model, *_ = start
    params = {"layers": jnp.ones((3, C, 4 * C)), "what": jnp.ones((V, C)), "ever": jnp.ones(C)}
    state = fast_train_state(model, params, STEPS)
    after = state.apply_gradients(grads=gradients(params))
    assert float(state.params["what"].max()) == pytest.approx(8 / C**0.5)
    for layer in np.asarray(after.params["layers"] - state.params["layers"]):
        singular_values = np.linalg.svd(layer, compute_uv=False)
        assert singular_values.max() / singular_values.min() < 3


def test_an_embedding_with_the_shape_of_a_hidden_matrix_is_not_scaled(start):
    model, *_ = start
    params = {"table": jnp.ones((2 * C, C)), "positions": jnp.ones((T, C))}
    state = fast_train_state(model.clone(vocab_size=2 * C), params, STEPS)
    assert float(state.params["table"].max()) == 1.0
    assert float(state.params["positions"].max()) == pytest.approx(8 / C**0.5)
