"""The attention of a trained rung is measured by calling the learner's module."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER, TASKS
from minigpt_challenge.coach.reports.attention_on_text import LINE
from minigpt_challenge.coach.reports.trained_maps import causal_softmax, rung_maps
from minigpt_challenge.coach.runtime.loading import tasks_from
from minigpt_challenge.coach.training.ladder_recipes import BLOCK_SIZE, RECIPES
from minigpt_challenge.given.vocabulary import SHAKESPEARE

TOKENS = jnp.asarray(SHAKESPEARE.encode(LINE))


@pytest.fixture
def rung():
    """A rung's model and params, large enough to look at few positions."""

    def build(number):
        with tasks_from(SOLUTIONS_FOLDER, TASKS[:3]) as modules:
            names = {name: v for module in modules.values() for name, v in vars(module).items()}
            model = RECIPES[number].build(names, SHAKESPEARE.size)
            params = model.init(jax.random.key(number), TOKENS[None])
        return model, jax.tree.map(lambda leaf: 4 * leaf, params)

    return build


def test_a_trained_model_reads_the_whole_line():
    assert len(LINE) <= BLOCK_SIZE and SHAKESPEARE.encode(LINE).size == len(LINE)


@pytest.mark.parametrize(("number", "N"), [(2, 1), (3, 4)])
def test_the_maps_are_those_of_the_formula(rung, number, N):
    model, params = rung(number)
    tree = jax.device_get(params["params"])
    tables = tree["embedding"]
    x = tables["token_embedding"]["embedding"][np.asarray(TOKENS)]
    x = x + tables["position_embedding"]["embedding"][: len(TOKENS)]  # (T, C)
    q, k = (
        (x @ tree["attention"][name]["kernel"]).reshape(len(TOKENS), N, -1)
        for name in ("query", "key")
    )
    scores = np.einsum("TNH,SNH->NTS", q, k) / q.shape[-1] ** 0.5
    maps = rung_maps(model, params, TOKENS)
    np.testing.assert_allclose(maps, causal_softmax(scores), atol=1e-4)
    assert maps.max() > 0.9 and maps.shape == (N, 32, 32)


def test_it_is_the_learners_module_that_is_measured(rung):
    model, params = rung(2)

    class Sharper(type(model.attention)):
        def __call__(self, x):
            return super().__call__(x * 1.5)

    other = model.clone(attention=Sharper(head_dim=model.attention.head_dim))
    assert not np.allclose(rung_maps(other, params, TOKENS), rung_maps(model, params, TOKENS))
