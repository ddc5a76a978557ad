"""Task 4, blocks: attention, feed-forward, norms and residual connections make a GPT.

You pass when all of these checks hold. `task` is your file, `reference` the solution's. Names and
order of your submodules are free.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks import expect, param_trees, random_inputs
from minigpt_challenge.coach.checks.faults import blocks as mistakes
from minigpt_challenge.coach.checks.numpy_interpreter import traced
from minigpt_challenge.coach.checks.paired_modules import PairedModules, same_outputs
from minigpt_challenge.coach.checks.properties.language_model import sees_nothing_of_the_future

# No two sizes are equal, so that swapped axes show. T = 1 and B = 1 are included.
B, BLOCK, V, L, N, H = 6, 8, 11, 2, 3, 4
C = N * H
SHAPES = [(B, 5), (1, BLOCK), (4, 1)]  # (B, T)
SIZES = dict(vocab_size=V, hidden_dim=C, block_size=BLOCK, num_layers=L, num_heads=N)
OTHER_SIZES = dict(vocab_size=9, hidden_dim=10, block_size=6, num_layers=7, num_heads=2)
DECODER_BLOCK, MINI_GPT = "DecoderBlock(x)", "MiniGPT(tokens)"


def random_tokens(B=B, T=BLOCK, vocab_size=V, seed=0):
    return random_inputs.tokens(B, T, vocab_size=vocab_size, seed=seed)


def zeros_like_output(module, x):
    """Zeros of the shape and dtype that the module returns for x; only shapes are computed."""
    seen = jax.eval_shape(lambda x: module.init_with_output(jax.random.key(0), x)[0], x)
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), seen)


def pair_blocks(task, reference, hidden_dim, num_heads, x):
    """Your DecoderBlock and the reference's, with the same weights."""
    mine = task.DecoderBlock(hidden_dim=hidden_dim, num_heads=num_heads)
    theirs = reference.DecoderBlock(hidden_dim, num_heads)
    suspects = partial(mistakes.block_suspects, num_heads=num_heads)
    return PairedModules(mine, theirs, x, suspects=suspects)


def pair_gpts(task, reference, sizes, tokens):
    """Your MiniGPT and the reference's, with the same weights."""
    mine, theirs = task.MiniGPT(**sizes), reference.MiniGPT(*sizes.values())
    suspects = partial(mistakes.gpt_suspects, num_heads=sizes["num_heads"])
    return PairedModules(mine, theirs, tokens, suspects=suspects)


@pytest.fixture(scope="module")
def blocks(task, reference):
    return pair_blocks(task, reference, C, N, random_inputs.floats(*SHAPES[0], C, seed=1))


@pytest.fixture(scope="module")
def gpts(task, reference):
    return pair_gpts(task, reference, SIZES, random_tokens(seed=1))


def block_cases(task, reference, blocks):
    """Pairs of blocks with the same weights, each with an input."""
    yield blocks, random_inputs.floats(*SHAPES[0], C, seed=2)
    yield blocks, random_inputs.floats(4, 1, C, seed=3)
    x = random_inputs.floats(1, 7, 10, seed=4)
    yield pair_blocks(task, reference, 10, 2, x), x


def gpt_cases(task, reference, gpts):
    """Pairs of models with the same weights, each with tokens."""
    yield gpts, random_tokens(seed=2)
    tokens = random_tokens(1, 5, vocab_size=9, seed=3)
    yield pair_gpts(task, reference, OTHER_SIZES, tokens), tokens


# DecoderBlock


def test_block_returns_a_vector_for_every_position(task):
    """Blocks are stacked: what one returns, the next has to be able to read."""
    block = task.DecoderBlock(C, N)
    for B, T in SHAPES:
        seen = zeros_like_output(block, random_inputs.floats(B, T, C))
        expect.dtype(expect.array(seen, (B, T, C), "BTC", DECODER_BLOCK), np.float32, DECODER_BLOCK)


def test_block_value_equals_the_reference(task, reference, blocks):
    """Norms, sublayers and residual connections, each in its place, give these numbers."""
    same_outputs(block_cases(task, reference, blocks), "BTC", DECODER_BLOCK)


def test_block_agrees_on_small_and_large_inputs(task, reference, blocks):
    """A norm in the wrong place, or with another epsilon, shows at the extremes."""
    scales = (0.003, 0.001, 30.0)
    cases = ((blocks, random_inputs.floats(*SHAPES[0], C, seed=3, scale=s)) for s in scales)
    label = f"With inputs of about {scales[0]}, {scales[1]} or {scales[2]}, {DECODER_BLOCK}"
    same_outputs(cases, "BTC", label, block_cases(task, reference, blocks))


def test_residual_path_is_free(task, reference, blocks):
    """x reaches the end of a deep model only if each block passes it on unchanged."""
    # With all weights 0, attention and feed-forward give 0.
    x = random_inputs.floats(*SHAPES[0], C, seed=4)
    label = f"With all weights 0, so that only the residual connections are left, {DECODER_BLOCK}"
    same_outputs([(blocks.scaled(0), x)], "BTC", label, block_cases(task, reference, blocks))


def test_block_gradients_equal_the_reference(blocks):
    """Gradients flow back through every block to those below it."""
    x = random_inputs.floats(*SHAPES[0], C, seed=5)
    weight = random_inputs.floats(*SHAPES[0], C, seed=6)
    seen, expected = blocks.gradients(1, weight, x)
    expect.equal(seen, expected, "BTC", "The gradient of DecoderBlock's input")


# MiniGPT: shape, parameters and values


def test_gpt_returns_logits_for_every_position(task):
    """The model predicts the next token at every position: a logit for each token."""
    gpt = task.MiniGPT(**SIZES)
    for B, T in SHAPES:
        seen = zeros_like_output(gpt, random_tokens(B, T))
        if getattr(seen, "shape", ())[-1:] == (C,):
            raise expect.Wrong(
                f"It has the shape {seen.shape}, and {C} is hidden_dim.",
                asked=f"{MINI_GPT} should have the shape (B, T, V) = {(B, T, V)}.",
                advice="The last layer, `nn.Dense(vocab_size)`, turns C numbers into V logits. Is "
                "it missing, or was it given hidden_dim?",
                about=f"the shape of {MINI_GPT}",
            )
        expect.dtype(expect.array(seen, (B, T, V), "BTV", MINI_GPT), np.float32, MINI_GPT)


def test_every_layer_has_weights_of_its_own(task, reference):
    """Layers that share their weights cannot learn different things."""
    for num_layers in (1, 3):
        sizes = []
        for module in (task, reference):
            gpt = module.MiniGPT(V, C, BLOCK, num_layers, N)
            shapes = param_trees.parameters(gpt, random_tokens(1, 2))
            expect.float32_params(shapes)
            sizes.append(sum(leaf.size for leaf in jax.tree.leaves(shapes)))
        if sizes[0] != sizes[1]:
            raise expect.Wrong(
                f"It has {sizes[0]}.",
                asked=f"MiniGPT with num_layers={num_layers} should have {sizes[1]} parameters.",
                advice="Each block has weights of its own." if num_layers > 1 else "",
                about="the number of parameters",
            )


def test_gpt_value_equals_the_reference(task, reference, gpts):
    """The whole model: embedding, blocks, last norm and logits."""
    same_outputs(gpt_cases(task, reference, gpts), "BTV", MINI_GPT)


def test_gpt_agrees_on_small_and_large_weights(task, reference, gpts):
    """The last norm has an epsilon, too, which shows if its input is small."""
    scales = (0.003, 0.002, 3.0)
    tokens = random_tokens(seed=4)
    cases = ((gpts.scaled(scale), tokens) for scale in scales)
    label = f"With all weights times {scales[0]}, {scales[1]} or {scales[2]}, {MINI_GPT}"
    same_outputs(cases, "BTV", label, gpt_cases(task, reference, gpts))


def test_gpt_returns_logits_not_probabilities(gpts):
    """The loss applies the softmax; a second one would make the model learn badly."""
    seen = gpts.mine(gpts.params, random_tokens())
    seen = expect.array(seen, (B, BLOCK, V), "BTV", MINI_GPT)
    sums = {"probabilities": seen.sum(-1), "logarithms of probabilities": np.exp(seen).sum(-1)}
    for what, total in sums.items():
        if np.allclose(total, 1, atol=1e-3):
            raise expect.Wrong(
                f"It returns {what}: a softmax has been applied.",
                asked=f"{MINI_GPT} should return logits.",
                advice="The softmax is part of the loss.",
                about="a softmax in the model",
            )


def test_gpt_sees_nothing_of_the_future(gpts):
    """A model that sees the next token learns to copy it, and cannot write."""
    tokens = random_tokens(seed=2)
    sees_nothing_of_the_future(partial(gpts.mine, gpts.params), tokens, V, MINI_GPT)


# MiniGPT: in training


def test_gpt_gradients_equal_the_reference(gpts):
    """Every weight of the model learns from its gradient."""
    tokens = random_tokens(seed=7)
    weight = random_inputs.floats(B, BLOCK, V, seed=8)
    # Both with respect to the weights in the reference's tree.
    seen, expected = gpts.gradients(0, weight, tokens)
    label = "The gradient of MiniGPT's weights, under the solution's names"
    expect.trees_equal(seen["params"], expected["params"], label)


def test_gpt_can_learn_from_its_own_first_weights(task):
    """A weight whose gradient stays 0 is in the model for nothing."""
    # Weights that start at 0 may begin to learn a step later than the others.
    gpt = task.MiniGPT(**SIZES | dict(num_layers=1))
    tokens, weight = random_tokens(), random_inputs.floats(B, BLOCK, V)
    params = first = traced(gpt.init)(jax.random.key(0), tokens)
    gradient = traced(jax.grad(lambda params: (gpt.apply(params, tokens) * weight).mean()))
    for _ in range(4):
        params = jax.tree.map(lambda p, g: p - g, params, gradient(params))
    unchanged = [
        path
        for (path, before), after in zip(
            jax.tree_util.tree_leaves_with_path(first), jax.tree.leaves(params), strict=True
        )
        if not (np.asarray(before) != np.asarray(after)).any()
    ]
    if unchanged:
        raise expect.Wrong(
            f"{len(unchanged)} of them never change, since their gradient stays 0. One is "
            f"{jax.tree_util.keystr(unchanged[0])}.",
            asked="Each of MiniGPT's parameters should learn, starting from its own first weights.",
            advice="Does x pass through all modules that you made, as in `x = block(x)`? If so, "
            "leave `nn.LayerNorm` and `nn.Dense` at their defaults.",
            about="parameters that never learn",
        )


# Errors


def test_heads_must_share_hidden_dim_evenly(task):
    """A clear error at once is easier to understand than a reshape that fails somewhere inside."""
    why = "10 does not divide into 3 heads of one size"
    uneven, x, tokens = dict(hidden_dim=10, num_heads=3), jnp.ones((B, 5, 10)), random_tokens(B, 5)
    calls = {  # the error may come when the module is made, or when it is called
        "DecoderBlock": lambda: zeros_like_output(task.DecoderBlock(**uneven), x),
        "MiniGPT": lambda: zeros_like_output(task.MiniGPT(**SIZES | uneven), tokens),
    }
    for name, call in calls.items():
        label = f"{name} with hidden_dim=10 and num_heads=3"
        about = f"heads of unequal size in {name}"
        expect.raises(ValueError, call, label=label, why=why, about=about)


def test_more_tokens_than_block_size_are_refused(task):
    """An error now is better than a model that silently reads the wrong positions."""
    expect.raises(
        ValueError,
        lambda: zeros_like_output(task.MiniGPT(**SIZES), random_tokens(1, BLOCK + 1)),
        label=f"MiniGPT on {BLOCK + 1} tokens, with block_size={BLOCK}",
        why="there is no position for the last token",
        about="more tokens than block_size",
    )
