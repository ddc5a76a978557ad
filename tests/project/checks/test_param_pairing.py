"""Parameters are paired by meaning: other names, another order, another nesting."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks import random_inputs
from minigpt_challenge.coach.checks.diagnosis import Fault, Suspects
from minigpt_challenge.coach.checks.expect import Wrong
from minigpt_challenge.coach.checks.paired_modules import PairedModules, same_outputs
from minigpt_challenge.coach.checks.param_arrangements import arrangements
from minigpt_challenge.coach.checks.param_pairing import search, shapes_of_both, weights_for
from minigpt_challenge.coach.checks.param_trees import shapes_in_order

X = random_inputs.floats(2, 3, 4)


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
    """Each layer has the other's name."""

    def setup(self):
        self.first_norm, self.second_norm = nn.LayerNorm(), nn.LayerNorm()
        self.first, self.second = nn.Dense(4), nn.Dense(4)

    def __call__(self, x):
        x = self.second(self.second_norm(x))
        return self.first(nn.relu(self.first_norm(x)))


class UsedInAnotherOrder(nn.Module):
    """Uses the second layer first, so that the order of use is misleading."""

    @nn.compact
    def __call__(self, x):
        second = nn.Dense(4, name="second")
        second(jnp.zeros_like(x))
        norm = nn.LayerNorm(name="late")
        norm(jnp.zeros_like(x))
        x = nn.Dense(4)(nn.LayerNorm()(x))
        return second(nn.relu(norm(x)))


class BareParameters(nn.Module):
    """No submodules, and a bias with an extra axis."""

    @nn.compact
    def __call__(self, x):
        def norm(x, index):
            scale = self.param(f"s{index}", nn.initializers.ones, (4,))
            bias = self.param(f"b{index}", nn.initializers.zeros, (1, 4))
            centered = x - x.mean(-1, keepdims=True)
            return centered / jnp.sqrt((centered**2).mean(-1, keepdims=True) + 1e-6) * scale + bias

        def dense(x, index):
            weight = self.param(f"w{index}", nn.initializers.ones, (4, 4))
            return x @ weight + self.param(f"c{index}", nn.initializers.zeros, (4,))

        return dense(nn.relu(norm(dense(norm(x, 1), 1), 2)), 2)


class OneBareNorm(nn.Module):
    """Nested like the reference, except for one norm."""

    @nn.compact
    def __call__(self, x):
        last = nn.Dense(4, name="a")
        x = nn.Dense(4, name="b")(nn.LayerNorm(name="z")(x))
        x = (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-6)
        scale = self.param("scale", nn.initializers.ones, (4,))
        return last(nn.relu(x * scale + self.param("bias", nn.initializers.zeros, (1, 4))))


class Layers(nn.Module):
    """Three equal layers, one after the other."""

    def setup(self):
        self.layers = [nn.Dense(4) for _ in range(3)]

    def __call__(self, x):
        for layer in self.layers:
            x = nn.relu(layer(x))
        return x


class ScannedLayers(nn.Module):
    """The same layers, with their weights stacked in arrays of shape (3, …)."""

    @nn.compact
    def __call__(self, x):
        def step(layer, x, _):
            return nn.relu(layer(x)), None

        scan = nn.scan(step, variable_axes={"params": 0}, split_rngs={"params": True}, length=3)
        return scan(nn.Dense(4), x, None)[0]


def test_stacked_layers_get_the_weights_of_several_layers():
    params = random_inputs.params(Layers(), X)
    mine = weights_for(ScannedLayers(), Layers(), params, X)
    seen, expected = ScannedLayers().apply(mine, X), Layers().apply(params, X)
    np.testing.assert_allclose(seen, expected, atol=1e-5)


@pytest.mark.parametrize(
    "answer",
    [Reference, OtherNamesAndOrder, SwappedNames, UsedInAnotherOrder, BareParameters, OneBareNorm],
)
def test_a_correct_model_gives_the_same_output_with_the_paired_weights(answer):
    params = random_inputs.params(Reference(), X)
    mine = weights_for(answer(), Reference(), params, X)
    seen, expected = answer().apply(mine, X), Reference().apply(params, X)
    np.testing.assert_allclose(seen, expected, atol=1e-5)


def test_a_wrong_model_gets_weights_and_gives_another_output():
    class WithoutActivation(Reference):
        def __call__(self, x):
            return self.second(self.second_norm(self.first(self.first_norm(x))))

    params = random_inputs.params(Reference(), X)
    mine = weights_for(WithoutActivation(), Reference(), params, X)
    seen = WithoutActivation().apply(mine, X)
    assert np.abs(seen - Reference().apply(params, X)).max() > 0.01


def test_a_missing_layer_is_reported_by_its_shape():
    class SharedNorm(nn.Module):
        @nn.compact
        def __call__(self, x):
            norm = nn.LayerNorm()
            return nn.Dense(4)(nn.relu(norm(nn.Dense(4)(norm(x)))))

    params = random_inputs.params(Reference(), X)
    with pytest.raises(Wrong, match=r"Missing: 2 arrays of shape \(4,\)\."):
        weights_for(SharedNorm(), Reference(), params, X)


def suspects(params, x):
    """A model of two mistakes: both norms share their weights, or the output is doubled."""

    def norm(params, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
        return x * params["scale"] + params["bias"]

    def compute(faults):
        tree = params["params"]
        second = tree["first_norm" if "shared" in faults else "second_norm"]
        x = norm(tree["first_norm"], x_in) @ tree["first"]["kernel"] + tree["first"]["bias"]
        x = np.maximum(norm(second, x), 0) @ tree["second"]["kernel"] + tree["second"]["bias"]
        return 2 * x if "doubled" in faults else x

    x_in = x
    return Suspects(tuple(Fault(id, f"{id}!", "Think.") for id in ("shared", "doubled")), compute)


def test_a_mistake_that_leaves_out_parameters_is_diagnosed():
    class SharedNorm(nn.Module):
        @nn.compact
        def __call__(self, x):
            late, norm = nn.Dense(4, name="a"), nn.LayerNorm()
            return late(nn.relu(norm(nn.Dense(4, name="b")(norm(x)))))

    class OneNormOnly(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(4)(nn.relu(nn.Dense(4)(nn.LayerNorm()(x))))

    with pytest.raises(Wrong, match="Missing: .*\n.*shared!") as caught:
        PairedModules(SharedNorm(), Reference(), X, suspects=suspects)
    assert caught.value.diagnosis == ("shared",)
    with pytest.raises(Wrong, match="Missing:") as caught:
        PairedModules(OneNormOnly(), Reference(), X, suspects=suspects)
    assert caught.value.diagnosis == ()


@pytest.mark.parametrize("factor, diagnosis", [(1, None), (2, ("doubled",)), (3, ())])
def test_a_mistake_is_diagnosed_under_the_pairing_that_explains_it(factor, diagnosis):
    class Misleading(UsedInAnotherOrder):
        @nn.compact
        def __call__(self, x):
            return factor * UsedInAnotherOrder(name="inside")(x)

    modules = PairedModules(Misleading(), Reference(), X, suspects=suspects)
    case = modules, random_inputs.floats(3, 2, 4, seed=5)
    check = partial(same_outputs, [case], "BTC", "f(x)")
    if diagnosis is None:
        check()
    else:
        with pytest.raises(Wrong) as caught:
            check()
        assert caught.value.diagnosis == diagnosis


def test_each_arrangement_is_tried_once():
    params = random_inputs.params(Reference(), X)
    wanted, given = (shapes_in_order(module(), X) for module in (OtherNamesAndOrder, Reference))
    seen = [
        tuple(float(leaf.sum()) for leaf in jax.tree.leaves(arrange(params)))
        for arrange in arrangements(wanted, given)
    ]
    # Two orders for the norms, two for scale and bias of each norm, two for the layers.
    assert len(seen) == len(set(seen)) == 2 * 2**2 * 2


class TwoLayers(nn.Module):
    """The reference in the docstring of `search`."""

    def setup(self):
        self.first, self.second = (nn.Dense(4, use_bias=False) for _ in range(2))

    def __call__(self, x):
        return self.second(nn.relu(self.first(x)))


@pytest.mark.parametrize("layers, is_found", [("ba", True), ("bb", False)])
def test_search_returns_the_likely_arrangement_and_the_one_that_fits(layers, is_found):
    class Learners(nn.Module):
        @nn.compact
        def __call__(self, x):
            modules = {name: nn.Dense(4, use_bias=False, name=name) for name in "ba"}
            out = modules[layers[1]](nn.relu(modules[layers[0]](x)))
            modules["a"](x)  # used in any case
            return out

    wanted, given = shapes_of_both(Learners(), TwoLayers(), X)
    params = random_inputs.params(TwoLayers(), X)
    expected = TwoLayers().apply(params, X)
    likely, found = search(wanted, given, params, Learners().apply, (X,), expected)
    first = params["params"]["first"]["kernel"]
    assert (likely(params)["params"]["b"]["kernel"] == first).all()
    assert (found is not None) == is_found


def test_shapes_come_in_the_order_of_use():
    assert list(shapes_in_order(OtherNamesAndOrder(), X)["params"]) == ["z", "y", "a", "b"]
