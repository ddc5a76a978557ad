"""Task 4, blocks. Passing means that all of these hold.

`task` is your file, `reference` the solution's; names and order of your submodules are free.
"""

from functools import partial

import jax
import numpy as np
import pytest

from minigpt_challenge.coach.checks import expect, param_trees, random_inputs
from minigpt_challenge.coach.checks.faults import blocks as faults
from minigpt_challenge.coach.checks.numpy_interpreter import traced
from minigpt_challenge.coach.checks.paired_modules import Twins

# No size equals another, so that a swapped axis cannot hide; T = 1 and B = 1 are among them.
B, BLOCK, V, L, N, H = 6, 8, 11, 2, 3, 4
C = N * H
SHAPES = [(B, 5), (1, BLOCK), (4, 1)]  # (B, T)
SIZES = dict(vocab_size=V, hidden_dim=C, block_size=BLOCK, num_layers=L, num_heads=N)
OTHER_SIZES = dict(vocab_size=7, hidden_dim=10, block_size=6, num_layers=3, num_heads=2)
BLOCK_OF, GPT_OF = "DecoderBlock(x)", "MiniGPT(tokens)"


def shape_of(module, x):
    """Zeros of the shape and dtype that the module returns for x, which nothing has to compute."""
    seen = jax.eval_shape(lambda x: module.init_with_output(jax.random.key(0), x)[0], x)
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), seen)


def block_twins(task, reference, hidden_dim, num_heads, x):
    mine = task.DecoderBlock(hidden_dim=hidden_dim, num_heads=num_heads)
    theirs = reference.DecoderBlock(hidden_dim, num_heads)
    return Twins(mine, theirs, x, suspects=partial(faults.block_suspects, num_heads=num_heads))


def gpt_twins(task, reference, sizes, tokens):
    suspects = partial(faults.gpt_suspects, num_heads=sizes["num_heads"])
    mine, theirs = task.MiniGPT(**sizes), reference.MiniGPT(*sizes.values())
    return Twins(mine, theirs, tokens, suspects=suspects)


@pytest.fixture(scope="module")
def blocks(task, reference):
    """Your DecoderBlock and the reference's, with one set of weights arranged for each."""
    return block_twins(task, reference, C, N, random_inputs.floats(*SHAPES[0], C, seed=1))


@pytest.fixture(scope="module")
def gpts(task, reference):
    """Your MiniGPT and the reference's, with one set of weights arranged for each."""
    return gpt_twins(task, reference, SIZES, random_inputs.tokens(B, BLOCK, vocab_size=V, seed=1))


def test_block_returns_a_vector_for_every_position(task):
    block = task.DecoderBlock(C, N)
    for B, T in SHAPES:
        seen = shape_of(block, random_inputs.floats(B, T, C))
        expect.dtype(expect.array(seen, (B, T, C), "BTC", BLOCK_OF), np.float32, BLOCK_OF)


def test_block_value_equals_the_reference(task, reference, blocks):
    def cases():
        yield blocks.case(random_inputs.floats(*SHAPES[0], C, seed=2))
        yield blocks.case(random_inputs.floats(4, 1, C, seed=3))
        x = random_inputs.floats(1, 7, 10, seed=4)
        yield block_twins(task, reference, 10, 2, x).case(x)

    expect.all_equal(cases(), "BTC", BLOCK_OF)


def test_block_agrees_on_small_and_large_inputs(blocks):
    # A norm after the residual, or with another epsilon, shows itself at the extremes.
    scales = (0.003, 30.0)
    cases = (
        blocks.case(random_inputs.floats(*SHAPES[0], C, seed=3, scale=scale)) for scale in scales
    )
    expect.all_equal(cases, "BTC", f"With inputs of about {scales[0]} or {scales[1]}, {BLOCK_OF}")


def test_residual_path_is_free(blocks):
    # With every weight 0, attention and feed-forward give 0: what is left is the path around.
    x = random_inputs.floats(*SHAPES[0], C, seed=4)
    of = "With all weights 0, so that x alone is left on the residual path, DecoderBlock(x)"
    expect.all_equal([blocks.case(x, scale=0)], "BTC", of)


def test_block_gradients_equal_the_reference(blocks):
    x = random_inputs.floats(*SHAPES[0], C, seed=5)
    weight = random_inputs.floats(*SHAPES[0], C, seed=6)
    seen, expected = blocks.gradients(1, weight, x)
    expect.equal(seen, expected, "BTC", "The gradient of DecoderBlock's input")


def test_gpt_returns_logits_for_every_position(task):
    gpt = task.MiniGPT(**SIZES)
    for B, T in SHAPES:
        seen = shape_of(gpt, random_inputs.tokens(B, T, vocab_size=V))
        expect.dtype(expect.array(seen, (B, T, V), "BTV", GPT_OF), np.float32, GPT_OF)


def test_every_layer_has_weights_of_its_own(task, reference):
    for num_layers in (1, 3):
        sizes = []
        for module in (task, reference):
            gpt = module.MiniGPT(V, C, BLOCK, num_layers, N)
            tokens = random_inputs.tokens(1, 2, vocab_size=V)
            shapes = param_trees.parameters(gpt, tokens)
            for leaf in jax.tree.leaves(shapes):
                expect.dtype(leaf, np.float32, f"A parameter of shape {leaf.shape}")
            sizes.append(sum(leaf.size for leaf in jax.tree.leaves(shapes)))
        if sizes[0] != sizes[1]:
            raise expect.Wrong(
                f"MiniGPT with num_layers={num_layers} should have {sizes[1]} parameters, and "
                f"has {sizes[0]}. Each block has weights of its own; so has each LayerNorm."
            )


def test_gpt_value_equals_the_reference(task, reference, gpts):
    def cases():
        yield gpts.case(random_inputs.tokens(B, BLOCK, vocab_size=V, seed=2))
        tokens = random_inputs.tokens(1, 5, vocab_size=7, seed=3)
        yield gpt_twins(task, reference, OTHER_SIZES, tokens).case(tokens)

    expect.all_equal(cases(), "BTV", GPT_OF)


def test_gpt_agrees_on_small_and_large_weights(gpts):
    # The last norm, too, shows its epsilon where what it reads is small.
    scales = (0.003, 3.0)
    tokens = random_inputs.tokens(B, BLOCK, vocab_size=V, seed=4)
    cases = (gpts.case(tokens, scale=scale) for scale in scales)
    expect.all_equal(cases, "BTV", f"With all weights times {scales[0]} or {scales[1]}, {GPT_OF}")


def test_gpt_returns_logits_not_probabilities(gpts):
    seen = gpts.mine(gpts.params, random_inputs.tokens(B, BLOCK, vocab_size=V))
    seen = expect.array(seen, (B, BLOCK, V), "BTV", GPT_OF)
    sums = {"probabilities": seen.sum(-1), "logarithms of probabilities": np.exp(seen).sum(-1)}
    for what, total in sums.items():
        if np.allclose(total, 1, atol=1e-3):
            raise expect.Wrong(
                f"{GPT_OF} returns {what}: a softmax has been applied. Return the logits; the "
                "softmax is part of the loss."
            )


def test_gpt_sees_nothing_of_the_future(gpts):
    tokens = random_inputs.tokens(B, BLOCK, vocab_size=V, seed=2)
    seen = gpts.mine(gpts.params, tokens)
    before = expect.array(seen, (B, BLOCK, V), "BTV", GPT_OF)
    for s in range(1, BLOCK):
        changed = tokens.at[:, s].set((tokens[:, s] + 1 + s) % V)
        after = np.asarray(gpts.mine(gpts.params, changed))
        moved = np.abs(after - before)[:, :s].max(axis=(0, 2))
        if moved.max() > 1e-5:
            t = int(moved.argmax())
            raise expect.Wrong(
                f"{GPT_OF} looks into the future: another token at position {s} changed the "
                f"logits at position {t} by {moved[t]:.3g}."
            )


def test_gpt_gradients_equal_the_reference(gpts):
    tokens = random_inputs.tokens(B, BLOCK, vocab_size=V, seed=7)
    weight = random_inputs.floats(B, BLOCK, V, seed=8)
    # Both with respect to the weights as the reference has them.
    seen, expected = gpts.gradients(0, weight, tokens)
    of = "The gradient of MiniGPT's weights, by the solution's names"
    expect.trees_equal(seen["params"], expected["params"], of)


def test_gpt_can_learn_from_its_own_first_weights(task):
    # Weights that start at 0 may learn one step later than the rest, but learn they must.
    gpt = task.MiniGPT(**SIZES | dict(num_layers=1))
    tokens, weight = random_inputs.tokens(B, BLOCK, vocab_size=V), random_inputs.floats(B, BLOCK, V)
    params = first = traced(gpt.init)(jax.random.key(0), tokens)
    gradient = traced(jax.grad(lambda params: (gpt.apply(params, tokens) * weight).mean()))
    for _ in range(4):
        params = jax.tree.map(lambda p, g: p - g, params, gradient(params))
    still = [
        path
        for (path, before), after in zip(
            jax.tree_util.tree_leaves_with_path(first), jax.tree.leaves(params), strict=True
        )
        if not (np.asarray(before) != np.asarray(after)).any()
    ]
    if still:
        raise expect.Wrong(
            f"From its own first weights {len(still)} of MiniGPT's parameters never learn: their "
            f"gradient stays 0. One is {jax.tree_util.keystr(still[0])}. Does x pass through all "
            "that you made, as in `x = block(x)`? If so, leave `nn.LayerNorm` and `nn.Dense` at "
            "their defaults."
        )


def test_heads_must_share_hidden_dim_evenly(task):
    why = "10 does not divide into 3 heads of one size"
    block, x = task.DecoderBlock(hidden_dim=10, num_heads=3), random_inputs.floats(B, 5, 10)
    gpt = task.MiniGPT(**SIZES | dict(hidden_dim=10, num_heads=3))
    tokens = random_inputs.tokens(B, 5, vocab_size=V)
    of = "with hidden_dim=10 and num_heads=3"
    expect.raises(ValueError, lambda: shape_of(block, x), label=f"DecoderBlock {of}", why=why)
    expect.raises(ValueError, lambda: shape_of(gpt, tokens), label=f"MiniGPT {of}", why=why)


def test_more_tokens_than_block_size_are_refused(task):
    tokens = random_inputs.tokens(1, BLOCK + 1, vocab_size=V)
    expect.raises(
        ValueError,
        lambda: shape_of(task.MiniGPT(**SIZES), tokens),
        label=f"MiniGPT on {BLOCK + 1} tokens, with block_size={BLOCK}",
        why="there is no position for the last token",
    )
