"""Task 4, blocks. Passing means that all of these hold.

`task` is your file, `reference` the solution's; names and order of your submodules are free.
"""

import jax
import numpy as np
import pytest

from minigpt_challenge.coach import draw, expect
from minigpt_challenge.coach.pairing import weights_for

# No size equals another, so that a swapped axis cannot hide.
B, T, BLOCK, V, N, L, H = 3, 5, 8, 11, 2, 2, 7
C = N * H
SHAPES = [(B, T), (1, BLOCK), (4, 1)]  # (B, T), the whole block and a single token among them
BLOCK_OF, GPT_OF = "DecoderBlock(x)", "MiniGPT(tokens)"


@pytest.fixture(scope="module")
def blocks(task, reference):
    """Your DecoderBlock and the reference's, and one set of weights arranged for each."""
    x = draw.floats(B, T, C, seed=1)
    block = task.DecoderBlock(hidden_dim=C, num_heads=N)
    theirs = reference.DecoderBlock(C, N)
    their_params = draw.params(theirs, x)
    return block, weights_for(block, theirs, their_params, x), theirs, their_params


@pytest.fixture(scope="module")
def gpts(task, reference):
    """Your MiniGPT and the reference's, and one set of weights arranged for each."""
    tokens = draw.tokens(B, T, vocab_size=V, seed=1)
    sizes = dict(vocab_size=V, hidden_dim=C, block_size=BLOCK, num_layers=L, num_heads=N)
    gpt = task.MiniGPT(**sizes)
    theirs = reference.MiniGPT(V, C, BLOCK, L, N)
    their_params = draw.params(theirs, tokens)
    return gpt, weights_for(gpt, theirs, their_params, tokens), theirs, their_params


def test_block_returns_a_vector_for_every_position(task):
    block = task.DecoderBlock(C, N)
    for B, T in SHAPES:
        x = draw.floats(B, T, C)
        seen = jax.jit(block.apply)(draw.params(block, x), x)
        expect.dtype(expect.array(seen, (B, T, C), "BTC", BLOCK_OF), np.float32, BLOCK_OF)


def test_block_value_equals_the_reference(blocks):
    block, params, theirs, their_params = blocks
    for seed, (B, T) in enumerate(SHAPES):
        x = draw.floats(B, T, C, seed=seed)
        expect.equal(block.apply(params, x), theirs.apply(their_params, x), "BTC", BLOCK_OF)


def test_block_agrees_on_small_and_large_inputs(blocks):
    # A norm after the residual, or with another epsilon, shows itself at the extremes.
    block, params, theirs, their_params = blocks
    for scale in (0.003, 30.0):
        x = draw.floats(B, T, C, seed=3, scale=scale)
        of = f"With inputs of about {scale}, {BLOCK_OF}"
        expect.equal(block.apply(params, x), theirs.apply(their_params, x), "BTC", of)


def test_residual_path_is_free(blocks):
    # With every weight 0, attention and feed-forward give 0: what is left is the path around.
    block, params, *_ = blocks
    zeros = jax.tree.map(np.zeros_like, params)
    x = draw.floats(B, T, C, seed=4)
    of = "With all weights 0, so that x alone is left on the residual path, DecoderBlock(x)"
    expect.equal(block.apply(zeros, x), x, "BTC", of)


def test_block_gradients_equal_the_reference(blocks):
    block, params, theirs, their_params = blocks
    x = draw.floats(B, T, C, seed=5)
    weight = draw.floats(B, T, C, seed=6)

    def gradient(model, params):
        return jax.jit(jax.grad(lambda x: (model.apply(params, x) * weight).sum()))(x)

    seen, expected = gradient(block, params), gradient(theirs, their_params)
    expect.equal(seen, expected, "BTC", "The gradient of DecoderBlock's input")


def test_gpt_returns_logits_for_every_position(task):
    gpt = task.MiniGPT(V, C, BLOCK, L, N)
    for B, T in SHAPES:
        tokens = draw.tokens(B, T, vocab_size=V)
        seen = jax.jit(gpt.apply)(draw.params(gpt, tokens), tokens)
        expect.dtype(expect.array(seen, (B, T, V), "BTV", GPT_OF), np.float32, GPT_OF)


def test_every_layer_has_weights_of_its_own(task, reference):
    for num_layers in (1, 3):
        sizes = []
        for module in (task, reference):
            gpt = module.MiniGPT(V, C, BLOCK, num_layers, N)
            tokens = draw.tokens(1, 2, vocab_size=V)
            shapes = jax.eval_shape(gpt.init, jax.random.key(0), tokens)
            sizes.append(sum(leaf.size for leaf in jax.tree.leaves(shapes)))
        if sizes[0] != sizes[1]:
            raise expect.Wrong(
                f"MiniGPT with num_layers={num_layers} should have {sizes[1]} parameters, and "
                f"has {sizes[0]}. Each block has weights of its own; so has each LayerNorm."
            )


def test_gpt_value_equals_the_reference(gpts):
    gpt, params, theirs, their_params = gpts
    apply, their_apply = jax.jit(gpt.apply), jax.jit(theirs.apply)
    for seed, (B, T) in enumerate(SHAPES):
        tokens = draw.tokens(B, T, vocab_size=V, seed=seed)
        expect.equal(apply(params, tokens), their_apply(their_params, tokens), "BTV", GPT_OF)


def test_gpt_returns_logits_not_probabilities(gpts):
    gpt, params, *_ = gpts
    seen = gpt.apply(params, draw.tokens(B, T, vocab_size=V))
    seen = expect.array(seen, (B, T, V), "BTV", GPT_OF)
    sums = {"probabilities": seen.sum(-1), "logarithms of probabilities": np.exp(seen).sum(-1)}
    for what, total in sums.items():
        if np.allclose(total, 1, atol=1e-3):
            raise expect.Wrong(
                f"{GPT_OF} returns {what}: a softmax has been applied. Return the logits; the "
                "softmax is part of the loss."
            )


def test_gpt_sees_nothing_of_the_future(gpts):
    gpt, params, *_ = gpts
    apply = jax.jit(gpt.apply)
    tokens = draw.tokens(B, BLOCK, vocab_size=V, seed=2)
    before = expect.array(apply(params, tokens), (B, BLOCK, V), "BTV", GPT_OF)
    for s in range(1, BLOCK):
        changed = tokens.copy()
        changed[:, s] = (changed[:, s] + 1 + s) % V
        moved = np.abs(np.asarray(apply(params, changed)) - before)[:, :s].max(axis=(0, 2))
        if moved.max() > 1e-5:
            t = int(moved.argmax())
            raise expect.Wrong(
                f"{GPT_OF} looks into the future: another token at position {s} changed the "
                f"logits at position {t} by {moved[t]:.3g}."
            )


def test_gpt_gradients_equal_the_reference(gpts):
    gpt, params, theirs, their_params = gpts
    tokens = draw.tokens(B, T, vocab_size=V, seed=7)
    weight = draw.floats(B, T, V, seed=8)

    def sizes_of_gradients(model, params):
        grads = jax.jit(jax.grad(lambda p: (model.apply(p, tokens) * weight).sum()))(params)
        # Names differ, so the leaves are compared as a sorted list of (shape, length).
        return sorted(
            (np.squeeze(g).shape, float(np.linalg.norm(g))) for g in jax.tree.leaves(grads)
        )

    seen, expected = sizes_of_gradients(gpt, params), sizes_of_gradients(theirs, their_params)
    for (shape, mine), (_, wanted) in zip(seen, expected, strict=True):
        of = f"The length of the gradient of a parameter of shape {shape}"
        expect.equal(np.float32(mine), np.float32(wanted), "", of)


def test_works_without_jit_too(gpts):
    gpt, params, theirs, their_params = gpts
    tokens = draw.tokens(B, T, vocab_size=V, seed=9)
    expect.equal(gpt.apply(params, tokens), theirs.apply(their_params, tokens), "BTV", GPT_OF)


def test_heads_must_share_hidden_dim_evenly(task):
    why = "10 does not divide into 3 heads of one size"
    key, x, tokens = jax.random.key(0), draw.floats(B, T, 10), draw.tokens(B, T, vocab_size=V)
    expect.raises(
        ValueError,
        lambda: task.DecoderBlock(hidden_dim=10, num_heads=3).init(key, x),
        of="DecoderBlock(hidden_dim=10, num_heads=3)",
        why=why,
    )
    expect.raises(
        ValueError,
        lambda: task.MiniGPT(V, 10, BLOCK, L, 3).init(key, tokens),
        of="MiniGPT with hidden_dim=10 and num_heads=3",
        why=why,
    )
