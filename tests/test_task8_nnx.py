"""Task 8, the same model in NNX. You pass when all of these checks hold.

`task` is your file. It is compared with tasks 1, 4 and 5 in Linen, as the solutions have them.
Weights get into your whole model by your own `load_linen_params`, so that names and order of your
submodules are free; those of embedding and block alone are paired by their shapes.
"""

from functools import partial

import numpy as np
import optax
import pytest
from flax import nnx

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.properties import nnx_loading as loading
from minigpt_challenge.coach.checks.properties import nnx_model as properties
from minigpt_challenge.coach.checks.properties import nnx_training_step as training

# No two sizes are equal, so that swapped axes show. T = 1 and B = 1 are included.
B, BLOCK, V, L, N, H = 6, 8, 11, 3, 5, 2
C = N * H
SHAPES = [(B, BLOCK), (1, 7), (4, 1)]  # (B, T)
SIZES = dict(vocab_size=V, hidden_dim=C, block_size=BLOCK, num_layers=L, num_heads=N)
OTHER_SIZES = dict(vocab_size=7, hidden_dim=12, block_size=6, num_layers=2, num_heads=3)
MANY_LAYERS = dict(vocab_size=5, hidden_dim=4, block_size=3, num_layers=11, num_heads=2)
EMBEDDING, BLOCK_CALL, GPT = "NNXEmbedding(tokens)", "NNXDecoderBlock(x)", "NNXMiniGPT(tokens)"
# No rate is one that might stand in somebody's code.
OPTIMIZERS = {
    "Adam": optax.adam(0.007),
    "SGD with momentum": optax.sgd(0.013, momentum=0.9),
}
ADAM, SGD = OPTIMIZERS.values()


def batch(seed=0, B=B, T=BLOCK):
    """x and y, random integers (B, T)."""
    return training.batch(V, B, T, seed)


def tokens(B, T, seed=0):
    """Random integers (B, T)."""
    return batch(seed, B, T)[0]


# NNXEmbedding


def test_embedding_value_equals_linen(task):
    """Everything after it is computed from these vectors."""
    # In the second, a block is longer than any size that people write down.
    settings = [((V, BLOCK, C), [*SHAPES, (3, 2)]), ((V, 1100, C), [(2, 1100)])]
    properties.embedding_equals_linen(task.NNXEmbedding, settings, EMBEDDING)


def test_more_tokens_than_block_size_are_refused(task):
    """No position was learned for them, so what comes out would mean nothing."""
    models = {
        "NNXEmbedding": task.NNXEmbedding(V, BLOCK, C, rngs=nnx.Rngs(0)),
        "NNXMiniGPT": task.NNXMiniGPT(**SIZES, rngs=nnx.Rngs(0)),
    }
    why = "JAX would clamp the index or fill in NaN, and say nothing"
    for name, model in models.items():
        label = f"{name} on {BLOCK + 1} tokens, with block_size={BLOCK},"
        expect.raises(ValueError, partial(model, tokens(2, BLOCK + 1)), label, why)


# NNXDecoderBlock


def test_block_value_equals_linen(task):
    """The whole model is this block, again and again."""
    settings = [  # hidden_dim, num_heads, (B, T, scale) of the inputs; a small one shows epsilon
        (C, N, [(B, BLOCK, 1.0), (4, 1, 1.0), (B, BLOCK, 0.003), (B, BLOCK, 0.001)]),
        (12, 3, [(1, 7, 1.0)]),
    ]
    properties.block_equals_linen(task.NNXDecoderBlock, settings, BLOCK_CALL)


def test_heads_must_share_hidden_dim_evenly(task):
    """A width rounded down would give a model of another size than the one you asked for."""
    why = "10 does not divide into 3 heads of one size"
    sizes = SIZES | dict(hidden_dim=10, num_heads=3)
    for name, make in {
        "NNXDecoderBlock": lambda: task.NNXDecoderBlock(10, 3, rngs=nnx.Rngs(0)),
        "NNXMiniGPT": lambda: task.NNXMiniGPT(**sizes, rngs=nnx.Rngs(0)),
    }.items():
        label = f"Making {name} with hidden_dim=10 and num_heads=3"
        expect.raises(ValueError, make, label, why)


# NNXMiniGPT


def test_gpt_returns_logits_for_every_position(task):
    """Each position is a prediction to learn from: T of them for each row."""
    gpt = task.NNXMiniGPT(*SIZES.values(), rngs=nnx.Rngs(0))
    for B, T in SHAPES:
        seen = expect.not_none(gpt(tokens(B, T)), GPT)
        expect.dtype(expect.array(seen, (B, T, V), "BTV", GPT), np.float32, GPT)


def test_every_layer_has_weights_of_its_own(task):
    """One block applied several times would learn only one thing."""
    properties.every_layer_has_weights_of_its_own(task.NNXMiniGPT, SIZES, tokens(1, 2))


def test_first_weights_come_from_rngs(task):
    """Layers that begin alike learn alike; and with the same seed, a run can be repeated."""
    properties.first_weights_come_from_rngs(lambda rngs: task.NNXMiniGPT(**SIZES, rngs=rngs))


# load_linen_params, and the model with what it loads


def test_loading_changes_nothing_but_the_values_of_weights(task):
    """Optimizer and compiled functions expect the model to be as it was made."""
    loading.changes_nothing_but_the_values_of_weights(task, SIZES)


def test_every_linen_weight_arrives(task):
    """A weight that is left behind stays random, and the text with it."""
    loading.every_weight_arrives(task, [SIZES, OTHER_SIZES])


def test_logits_equal_linen(task):
    """The model that you trained in Linen goes on in NNX, and writes the same."""
    settings = [  # sizes, (B, T) of the tokens, seed, scale of all weights
        (SIZES, [(B, BLOCK), (4, 1)], 0, 1.0),
        (OTHER_SIZES, [(3, 5)], 1, 1.0),
        (MANY_LAYERS, [(4, 3), (5, 2)], 2, 1.0),
        (SIZES, [(B, BLOCK), (4, 1)], 0, 0.003),  # shows what a norm adds to a small variance
    ]
    loading.logits_equal_linen(task, settings, GPT)


def test_gpt_sees_nothing_of_the_future(task):
    """A model that can read the next token learns to copy it, and nothing else."""
    gpt = loading.unloaded(task, SIZES)
    properties.sees_nothing_of_the_future(gpt, tokens(B, BLOCK, 2), V, GPT)


def test_gpt_gradients_equal_linen(task):
    """Right outputs with wrong gradients would be a model that cannot be trained."""
    loading.gradients_equal_linen(task, SIZES, (B, BLOCK), seed=7)


def test_works_under_nnx_jit_and_after_split_and_merge(task):
    """That is how NNX models are compiled, saved and copied."""
    gpt = loading.unloaded(task, SIZES)
    properties.survives_jit_and_split_and_merge(gpt, tokens(B, BLOCK), GPT)


# nnx_loss_fn


def test_loss_is_the_mean_cross_entropy(task):
    """The model learns whatever lowers this number: it has to measure what you mean."""
    expect.same_function(
        task.nnx_loss_fn,
        training.loss,
        training.cases(V, [*SHAPES, (1, 1100)]),
        "",
        "nnx_loss_fn(model, x, y)",
        suspects=training.loss_suspects,
    )


def test_loss_survives_large_logits(task):
    """A model that is sure of itself gives large logits: one overflow, and all weights are NaN."""
    training.loss_survives_large_logits(task.nnx_loss_fn, V, *batch())


def test_loss_gradients_equal_linen(task):
    """The weights see nothing of the loss but its gradient."""
    training.loss_gradients_equal_linen(task.nnx_loss_fn, V, *batch(2))


# nnx_train_step and nnx_eval_step


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_three_steps_equal_task_5(task, optimizer):
    """Model and optimizer change in place, and the next step goes on from there."""
    tx, label = OPTIMIZERS[optimizer], f"After three steps with {optimizer}"
    training.three_steps_equal_linen(task.nnx_train_step, tx, batch, V, label)


def test_returned_loss_is_the_one_before_the_update(task):
    """It comes for free with the gradient; a loss after the update would cost another pass."""
    cases = training.cases(V, SHAPES)
    training.returned_loss_is_from_before_the_update(task.nnx_train_step, SGD, cases)


def test_whole_model_learns_as_in_linen(task):
    """Your model and your step together: this is what the notebook trains."""
    training.whole_model_learns_as_in_linen(task, SIZES, SGD, batch)


def test_eval_step_gives_the_loss_and_changes_nothing(task):
    """A loss on held-out text is honest only as long as nothing is learned from that text."""
    training.eval_step_gives_the_loss_and_changes_nothing(
        task.nnx_eval_step, V, [batch(seed, *shape) for seed, shape in enumerate(SHAPES)]
    )


@pytest.mark.parametrize("name", ["nnx_train_step", "nnx_eval_step"])
def test_is_compiled_once(task, name):
    """Compiled, a step is many times faster; compiled again at every call, many times slower."""
    tx = ADAM if name == "nnx_train_step" else None
    training.is_compiled_once(getattr(task, name), tx, batch, V, name)
