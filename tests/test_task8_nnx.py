"""Task 8, the same model in NNX. Passing means that all of these hold.

`task` is your file. What it is compared with is tasks 1, 4 and 5 in Linen, as the solutions have
them. Weights get into your whole model by your own `load_linen_params`, so that names and order of
your submodules are free; those of embedding and block alone are paired by their shapes.

Each check first asks for what the Linen model gives, and then runs your code: the former is kept
for the next file on trial, and you might change what all code shares.
"""

from functools import partial
from importlib import import_module

import jax
import numpy as np
import optax
import pytest
from flax import nnx

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults import nnx as faults
from minigpt_challenge.coach.checks.faults.blocks import block_suspects
from minigpt_challenge.coach.checks.faults.embedding import embedding_suspects
from minigpt_challenge.coach.checks.faults.step import loss_suspects, returned_loss_suspects
from minigpt_challenge.coach.checks.nnx_as_linen import (
    AsLinen,
    num_weights,
    train_state,
    weights_of,
)
from minigpt_challenge.coach.checks.paired_modules import PairedModules
from minigpt_challenge.coach.checks.param_pairing import weights_for
from minigpt_challenge.coach.checks.properties import linen_reference
from minigpt_challenge.coach.checks.properties import nnx_model as properties
from minigpt_challenge.coach.checks.properties.nnx_model import (
    changes_nothing_but_the_values_of_weights,
    every_weight_arrived,
    with_known_weights,
)
from minigpt_challenge.coach.checks.properties.nnx_training_step import (
    compiled_once,
    three_steps_equal_linen,
)
from minigpt_challenge.coach.checks.properties.toy_language_model import (
    Tables,
    apply_fn,
    cross_entropy,
)

# No size equals another, so that a swapped axis cannot hide; T = 1 and B = 1 are among them.
B, BLOCK, V, L, N, H = 6, 8, 11, 3, 5, 2
C = N * H
SHAPES = [(B, BLOCK), (1, 7), (4, 1)]  # (B, T)
SIZES = dict(vocab_size=V, hidden_dim=C, block_size=BLOCK, num_layers=L, num_heads=N)
OTHER_SIZES = dict(vocab_size=7, hidden_dim=12, block_size=6, num_layers=2, num_heads=3)
MANY_LAYERS = dict(vocab_size=5, hidden_dim=4, block_size=3, num_layers=11, num_heads=2)
CARRIED = [(SIZES, (B, BLOCK), (4, 1)), (OTHER_SIZES, (3, 5)), (MANY_LAYERS, (4, 3))]
EMBEDDING_OF, BLOCK_OF, GPT_OF = "NNXEmbedding(tokens)", "NNXDecoderBlock(x)", "NNXMiniGPT(tokens)"
LOSS = "nnx_loss_fn(model, x, y)"
# No rate is one that might stand in somebody's code.
OPTIMISERS = {
    "Adam": optax.adam(0.007),
    "SGD with momentum": optax.sgd(0.013, momentum=0.9),
}


@pytest.fixture(scope="module")
def run(task):
    """Call a model, compiled. (Made anew for every file on trial, so that it outlives none.)"""
    return nnx.jit(lambda model, tokens: model(tokens))


@pytest.fixture(scope="module")
def linen(task):
    """The solution of task 4."""
    return import_module("minigpt_challenge.tasks.task4_blocks")


@pytest.fixture(scope="module")
def training(task):
    """The solution of task 5."""
    return import_module("minigpt_challenge.tasks.task5_training_step")


def unloaded(task, sizes):
    """Your model, with weights that are known."""
    return with_known_weights(task.NNXMiniGPT(**sizes, rngs=nnx.Rngs(0)))


def loaded(task, sizes, params):
    """Your model with these weights, carried over by your `load_linen_params`."""
    model = unloaded(task, sizes)
    task.load_linen_params(model, params)
    return model


def test_embedding_value_equals_linen(task):
    other = import_module("minigpt_challenge.tasks.task1_embedding")
    other = other.TokenAndPositionEmbedding(V, BLOCK, C)
    tokens = random_inputs.tokens(2, BLOCK, vocab_size=V)
    model = AsLinen(task.NNXEmbedding(V, BLOCK, hidden_dim=C, rngs=nnx.Rngs(0)))
    other_params = random_inputs.params(other, tokens)
    params = weights_for(model, other, other_params, tokens)
    tables = [table["embedding"] for _, table in sorted(other_params["params"].items())[::-1]]

    def cases():
        for seed, (B, T) in enumerate(SHAPES):
            tokens = random_inputs.tokens(B, T, vocab_size=V, seed=seed)
            suspects = embedding_suspects(*tables, tokens)
            yield model.apply(params, tokens), other.apply(other_params, tokens), suspects

    expect.all_equal(cases(), "BTC", EMBEDDING_OF)


def test_more_tokens_than_block_size_are_refused(task):
    why = "JAX would clamp the index or fill in NaN, and say nothing"
    made = {
        "NNXEmbedding": task.NNXEmbedding(V, BLOCK, C, rngs=nnx.Rngs(0)),
        "NNXMiniGPT": task.NNXMiniGPT(**SIZES, rngs=nnx.Rngs(0)),
    }
    for name, model in made.items():
        of = f"{name} on {BLOCK + 1} tokens, with block_size={BLOCK},"
        tokens = random_inputs.tokens(2, BLOCK + 1, vocab_size=V)
        expect.raises(ValueError, lambda m=model, x=tokens: m(x), label=of, why=why)


def test_block_value_equals_linen(task, linen):
    def twins(hidden_dim, num_heads, x):
        mine = task.NNXDecoderBlock(hidden_dim, num_heads=num_heads, rngs=nnx.Rngs(0))
        theirs = linen.DecoderBlock(hidden_dim, num_heads)
        return PairedModules(
            AsLinen(mine), theirs, x, suspects=partial(block_suspects, num_heads=num_heads)
        )

    def cases():
        x = random_inputs.floats(*SHAPES[0], C, seed=2)
        blocks = twins(C, N, x)
        yield blocks.case(x)
        yield blocks.case(random_inputs.floats(4, 1, C, seed=3))
        yield blocks.case(random_inputs.floats(*SHAPES[0], C, seed=4, scale=0.003))  # epsilon shows
        x = random_inputs.floats(1, 7, 12, seed=5)
        yield twins(12, 3, x).case(x)

    expect.all_equal(cases(), "BTC", BLOCK_OF)


def test_heads_must_share_hidden_dim_evenly(task):
    why = "10 does not divide into 3 heads of one size"
    x, tokens = random_inputs.floats(B, 5, 10), random_inputs.tokens(B, 5, vocab_size=V)
    sizes = SIZES | dict(hidden_dim=10, num_heads=3)
    of = "with hidden_dim=10 and num_heads=3"
    for name, call in {
        "NNXDecoderBlock": lambda: task.NNXDecoderBlock(10, 3, rngs=nnx.Rngs(0))(x),
        "NNXMiniGPT": lambda: task.NNXMiniGPT(**sizes, rngs=nnx.Rngs(0))(tokens),
    }.items():
        expect.raises(ValueError, call, label=f"{name} {of}", why=why)


def test_gpt_returns_logits_for_every_position(task, run):
    gpt = task.NNXMiniGPT(*SIZES.values(), rngs=nnx.Rngs(0))
    for B, T in SHAPES:
        seen = expect.not_none(run(gpt, random_inputs.tokens(B, T, vocab_size=V)), GPT_OF)
        expect.dtype(expect.array(seen, (B, T, V), "BTV", GPT_OF), np.float32, GPT_OF)


def test_every_layer_has_weights_of_its_own(task):
    of_size = {num_layers: SIZES | dict(num_layers=num_layers) for num_layers in (1, L)}
    wanted = {n: linen_reference.num_weights(sizes) for n, sizes in of_size.items()}
    gpts = {n: task.NNXMiniGPT(**sizes, rngs=nnx.Rngs(0)) for n, sizes in of_size.items()}
    properties.every_layer_has_weights_of_its_own(
        gpts, wanted, random_inputs.tokens(1, 2, vocab_size=V)
    )


def test_first_weights_come_from_rngs(task):
    properties.first_weights_come_from_rngs(lambda rngs: task.NNXMiniGPT(**SIZES, rngs=rngs))


def test_loading_changes_nothing_but_the_values_of_weights(task):
    params = linen_reference.params(SIZES)
    changes_nothing_but_the_values_of_weights(task.load_linen_params, unloaded(task, SIZES), params)


def test_every_linen_weight_arrives(task):
    drawn = [(sizes, linen_reference.params(sizes)) for sizes in (SIZES, OTHER_SIZES)]
    for sizes, params in drawn:
        every_weight_arrived(loaded(task, sizes, params), params)


def test_logits_equal_linen(task, run):
    settings = [(sizes, shapes, seed, 1.0) for seed, (sizes, *shapes) in enumerate(CARRIED)]
    # What a norm adds to the variance shows where that is small.
    settings.append((SIZES, [(B, BLOCK)], 0, 0.003))
    expected = [
        [linen_reference.logits(sizes, shape, seed, scale) for shape in shapes]
        for sizes, shapes, seed, scale in settings
    ]
    gpt = task.NNXMiniGPT(**SIZES, rngs=nnx.Rngs(0))
    whole = num_weights(gpt) == linen_reference.num_weights(SIZES)

    def cases():
        for (sizes, shapes, seed, scale), outputs in zip(settings, expected, strict=True):
            params = linen_reference.params(sizes, seed, scale)
            model = loaded(task, sizes, params)
            for shape, logits in zip(shapes, outputs, strict=True):
                tokens = random_inputs.tokens(*shape, vocab_size=sizes["vocab_size"], seed=seed)
                suspects = faults.loaded_gpt_suspects(params, tokens, sizes["num_heads"], whole)
                yield run(model, tokens), logits, suspects

    expect.all_equal(cases(), "BTV", f"With the weights of the Linen model, {GPT_OF}")


def test_gpt_sees_nothing_of_the_future(task, run):
    tokens = random_inputs.tokens(B, BLOCK, vocab_size=V, seed=2)
    properties.sees_nothing_of_the_future(partial(run, unloaded(task, SIZES)), tokens, V, GPT_OF)


def test_gpt_gradients_equal_linen(task):
    setting = SIZES, (B, BLOCK), 7
    gradients = linen_reference.gradients(*setting)
    tokens, weight = (
        random_inputs.tokens(B, BLOCK, vocab_size=V, seed=7),
        linen_reference.weight(*setting),
    )
    of_model = nnx.grad(lambda model: (model(tokens) * weight).sum())
    model, expected = loaded(task, SIZES, linen_reference.params(SIZES)), unloaded(task, SIZES)
    nnx.update(model, nnx.jit(of_model)(model))
    # The gradients, too, are carried over by your own function.
    task.load_linen_params(expected, gradients)
    seen, expected = weights_of(model), weights_of(expected)
    expect.trees_equal(seen, expected, "The gradient of NNXMiniGPT's weights")


def test_works_under_nnx_jit_and_after_split_and_merge(task):
    tokens = random_inputs.tokens(B, BLOCK, vocab_size=V)
    properties.survives_jit_and_split_and_merge(unloaded(task, SIZES), tokens, GPT_OF)


def batch(seed=0, B=B, T=BLOCK):
    both = random_inputs.tokens(2, B, T, vocab_size=V, seed=seed)
    return both[0], both[1]


def test_loss_is_the_mean_cross_entropy(task):
    def cases():
        for seed, (B, T) in enumerate(SHAPES):
            model, (x, y) = Tables(V, seed), batch(seed, B, T)
            suspects = loss_suspects(AsLinen(model).params, apply_fn, x, y)
            yield task.nnx_loss_fn(model, x, y), cross_entropy(model, x, y), suspects

    expect.all_equal(cases(), "", LOSS)


def test_loss_survives_large_logits(task):
    model, (x, y) = Tables(V), batch()
    nnx.update(model, jax.tree.map(lambda leaf: 1e4 * leaf, nnx.state(model)))
    of = "With logits of 10⁴, the loss"
    expect.equal(task.nnx_loss_fn(model, x, y), cross_entropy(model, x, y), "", of)


def test_loss_gradients_equal_linen(task, training):
    model, (x, y) = Tables(V), batch(2)
    expected = jax.grad(training.loss_fn)(AsLinen(model).params, apply_fn, x, y)["params"]
    seen = nnx.to_pure_dict(nnx.grad(task.nnx_loss_fn)(model, x, y))
    expect.trees_equal(seen, expected, "The gradient of the loss")


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_three_steps_equal_task_5(task, training, optimiser):
    steps, tx = (task.nnx_train_step, training.train_step), OPTIMISERS[optimiser]
    three_steps_equal_linen(*steps, tx, batch, V, f"After three steps with {optimiser}")


def test_returned_loss_is_the_one_before_the_update(task):
    def cases():
        for seed, (B, T) in enumerate(SHAPES):
            model, (x, y) = Tables(V, seed), batch(seed, B, T)
            optimizer = nnx.Optimizer(model, OPTIMISERS["SGD with momentum"], wrt=nnx.Param)
            state, before = train_state(model, optimizer, apply_fn), cross_entropy(model, x, y)
            loss = task.nnx_train_step(model, optimizer, x, y)
            yield loss, before, returned_loss_suspects(state, x, y)

    expect.all_equal(cases(), "", "The loss that nnx_train_step returns, from before the update,")


def test_whole_model_learns_as_in_linen(task, run):
    tx = OPTIMISERS["SGD with momentum"]
    losses, logits = linen_reference.three_steps(tuple(SIZES.items()), tx, batch)
    model = loaded(task, SIZES, linen_reference.params(SIZES))
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    seen = [task.nnx_train_step(model, optimizer, *batch(step)) for step in range(3)]
    for step, (loss, expected) in enumerate(zip(seen, losses, strict=True)):
        expect.equal(loss, expected, "", f"The loss of the whole model at step {step}")
    expect.equal(run(model, batch(2)[0]), logits, "BTV", f"After three steps, {GPT_OF}")


def test_eval_step_gives_the_loss_and_changes_nothing(task):
    model = Tables(V)
    before = jax.tree.map(np.array, nnx.to_pure_dict(nnx.state(model)))

    def cases():
        for seed, (B, T) in enumerate(SHAPES):
            x, y = batch(seed, B, T)
            suspects = loss_suspects(AsLinen(model).params, apply_fn, x, y)
            yield task.nnx_eval_step(model, x, y), cross_entropy(model, x, y), suspects

    expect.all_equal(cases(), "", "nnx_eval_step(model, x, y)")
    after = nnx.to_pure_dict(nnx.state(model))
    expect.trees_equal(after, before, "The model given to nnx_eval_step, afterwards,")


@pytest.mark.parametrize("name", ["nnx_train_step", "nnx_eval_step"])
def test_is_compiled_once(task, name):
    tx = OPTIMISERS["Adam"] if name == "nnx_train_step" else None
    compiled_once(getattr(task, name), tx, batch, V, name)
