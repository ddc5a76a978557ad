"""Meaning, not names: renamed and reordered parameters find their counterparts."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach import draw
from minigpt_challenge.coach.expect import Wrong
from minigpt_challenge.coach.pairing import candidates, shapes_in_order, weights_for

X = draw.floats(2, 3, 4)


class Reference(nn.Module):
    """Two layers of one shape, two norms, and an order that matters."""

    def setup(self):
        self.first_norm, self.second_norm = nn.LayerNorm(), nn.LayerNorm()
        self.first, self.second = nn.Dense(4), nn.Dense(4)

    def __call__(self, x):
        x = self.first(self.first_norm(x))
        return self.second(nn.relu(self.second_norm(x)))


class OtherNamesAndOrder(nn.Module):
    @nn.compact
    def __call__(self, x):
        late, early = nn.LayerNorm(name="a"), nn.LayerNorm(name="z")
        x = nn.Dense(4, name="y")(early(x))
        return nn.Dense(4, name="b")(nn.relu(late(x)))


class SwappedNames(nn.Module):
    """Every name is that of the other layer."""

    def setup(self):
        self.first_norm, self.second_norm = nn.LayerNorm(), nn.LayerNorm()
        self.first, self.second = nn.Dense(4), nn.Dense(4)

    def __call__(self, x):
        x = self.second(self.second_norm(x))
        return self.first(nn.relu(self.first_norm(x)))


class UsedInAnotherOrder(nn.Module):
    """Touches the second layer first, so that the order of use misleads."""

    @nn.compact
    def __call__(self, x):
        second = nn.Dense(4, name="second")
        second(jnp.zeros_like(x))
        norm = nn.LayerNorm(name="late")
        norm(jnp.zeros_like(x))
        x = nn.Dense(4)(nn.LayerNorm()(x))
        return second(nn.relu(norm(x)))


class BareParameters(nn.Module):
    """No submodules at all, and a bias with an axis too many."""

    @nn.compact
    def __call__(self, x):
        def norm(x, number):
            scale = self.param(f"s{number}", nn.initializers.ones, (4,))
            bias = self.param(f"b{number}", nn.initializers.zeros, (1, 4))
            centred = x - x.mean(-1, keepdims=True)
            return centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) * scale + bias

        def dense(x, number):
            weight = self.param(f"w{number}", nn.initializers.ones, (4, 4))
            return x @ weight + self.param(f"c{number}", nn.initializers.zeros, (4,))

        return dense(nn.relu(norm(dense(norm(x, 1), 1), 2)), 2)


@pytest.mark.parametrize(
    "answer", [Reference, OtherNamesAndOrder, SwappedNames, UsedInAnotherOrder, BareParameters]
)
def test_a_right_model_computes_the_same_with_the_weights_it_gets(answer):
    params = draw.params(Reference(), X)
    mine = weights_for(answer(), Reference(), params, X)
    seen, expected = answer().apply(mine, X), Reference().apply(params, X)
    np.testing.assert_allclose(seen, expected, atol=1e-5)


def test_a_wrong_model_gets_weights_too_but_computes_something_else():
    class WithoutActivation(Reference):
        def __call__(self, x):
            return self.second(self.second_norm(self.first(self.first_norm(x))))

    params = draw.params(Reference(), X)
    mine = weights_for(WithoutActivation(), Reference(), params, X)
    seen = WithoutActivation().apply(mine, X)
    assert np.abs(seen - Reference().apply(params, X)).max() > 0.01


def test_a_missing_layer_is_named_by_its_shape():
    class SharedNorm(nn.Module):
        @nn.compact
        def __call__(self, x):
            norm = nn.LayerNorm()
            return nn.Dense(4)(nn.relu(norm(nn.Dense(4)(norm(x)))))

    params = draw.params(Reference(), X)
    with pytest.raises(Wrong, match=r"missing are parameters of shape \(4,\), \(4,\)\."):
        weights_for(SharedNorm(), Reference(), params, X)


def test_every_arrangement_is_tried_once():
    params = draw.params(Reference(), X)
    seen = [
        tuple(float(leaf.sum()) for leaf in jax.tree.leaves(arranged))
        for arranged in candidates(OtherNamesAndOrder(), Reference(), params, X)
    ]
    # Two norms in two orders, scale and bias of each in two orders, two layers in two orders.
    assert len(seen) == len(set(seen)) == 2 * 2**2 * 2


def test_shapes_come_in_the_order_of_use():
    assert list(shapes_in_order(OtherNamesAndOrder(), X)["params"]) == ["z", "y", "a", "b"]
