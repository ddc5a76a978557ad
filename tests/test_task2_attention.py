"""Task 2, attention: every position looks back and takes what it needs from earlier positions.

You pass when all of these checks hold. `task` is your file, `reference` the solution's. Both get
the same inputs and the same weights.
"""

import jax
import numpy as np

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults import attention as mistakes
from minigpt_challenge.coach.checks.properties import attention as properties

# No two sizes are equal, so that swapped axes show. T = 1 and B = 1 are included.
HEAD_SETTINGS = [(2, 6, 7, 3), (1, 5, 4, 8), (3, 1, 5, 4)]  # (B, T, C, H)
MULTI_SETTINGS = [(2, 5, 7, 4, 3), (1, 6, 5, 2, 4), (3, 1, 7, 2, 5)]  # (B, T, C, N, H)
B, T, C, N, H = MULTI_SETTINGS[0]
HEAD, MULTI = "SelfAttention(x)", "MultiHeadAttention(x)"


def head_and_weights(module, seed=0, C=C, H=H):
    """A head, and weights for it: yours and the reference's have the same names."""
    head = module.SelfAttention(head_dim=H)
    return head, random_inputs.params(head, random_inputs.floats(1, 2, C), seed=seed)


# SelfAttention: shape and values


def test_head_returns_a_vector_of_head_dim_for_every_position(task):
    """The heads are joined later, so the shape of each has to be (B, T, H)."""
    for B, T, C, H in HEAD_SETTINGS:
        head = task.SelfAttention(H)
        x = random_inputs.floats(B, T, C)
        seen = head.apply(random_inputs.params(head, x), x)
        expect.array(seen, (B, T, H), "BTH", HEAD)


def test_head_takes_any_number_of_positions(task, reference):
    """When the model writes, its text grows by one token at a time."""
    properties.takes_any_length(task.SelfAttention(H), reference.SelfAttention(H), C, HEAD)


def test_head_value_equals_the_reference(task, reference):
    """Scores, scale, mask, softmax, values: all of it together gives these numbers."""

    def cases():
        for seed, (B, T, C, H) in enumerate(HEAD_SETTINGS):
            _, params = head_and_weights(reference, seed, C, H)
            yield H, params, random_inputs.floats(B, T, C, seed=seed)

    expect.same_function(
        lambda H, params, x: task.SelfAttention(head_dim=H).apply(params, x),
        lambda H, params, x: reference.SelfAttention(head_dim=H).apply(params, x),
        cases(),
        "BTH",
        HEAD,
        suspects=lambda H, params, x: mistakes.head_suspects(params, x),
    )


# SelfAttention: who sees whom


def test_head_sees_nothing_of_the_future(task, reference):
    """A model that sees the next token learns to copy it, and cannot write."""
    _, params = head_and_weights(reference)
    properties.causal(task.SelfAttention(H), params, random_inputs.floats(B, T, C), HEAD)


def test_first_position_sees_only_itself(task, reference):
    """Nothing comes before position 0, so it gives all its attention to itself."""
    _, params = head_and_weights(reference)
    x = random_inputs.floats(B, T, C)
    seen = expect.array(task.SelfAttention(H).apply(params, x), (B, T, H), "BTH", HEAD)
    expected = x[:, 0] @ params["params"]["value"]["kernel"]  # (B, H)
    label = "The first position's output, which should be value(x)[:, 0],"
    expect.equal(seen[:, 0], expected, "BH", label)


def test_equal_scores_share_evenly(task, reference):
    """A score of 0 is an ordinary score; it does not mean that a position is masked."""
    head, params = head_and_weights(reference)
    x = random_inputs.floats(B, T, C)
    properties.equal_scores_share_evenly(task.SelfAttention(H), head, params, x, HEAD)


def test_large_scores_give_no_nan(task, reference):
    """One NaN in a training step spreads to all weights."""
    head, params = head_and_weights(reference)
    properties.survives_large_scores(task.SelfAttention(H), head, params, (B, T, C), HEAD)


def test_rows_of_the_batch_do_not_mix(task, reference):
    """The rows of a batch are separate texts: they must not influence each other."""
    _, params = head_and_weights(reference)
    properties.rows_independent(task.SelfAttention(H), params, random_inputs.floats(3, T, C), HEAD)


# SelfAttention: in training


def test_float32_stays_float32(task, reference):
    """Another dtype would spread from here through the whole model."""
    _, params = head_and_weights(reference)
    seen = task.SelfAttention(H).apply(params, random_inputs.floats(B, T, C))
    seen = expect.array(seen, (B, T, H), "BTH", HEAD)
    expect.dtype(seen, np.float32, HEAD)


def test_head_gradients_equal_the_reference(task, reference):
    """The model learns from gradients: with wrong ones it would learn something else."""
    head, params = head_and_weights(reference)
    properties.same_gradients(task.SelfAttention(H), head, params, random_inputs.floats(B, T, C))


def test_head_works_under_jit(task, reference):
    """The training step is compiled, and your module with it."""
    head, params = head_and_weights(reference)
    x = random_inputs.floats(B, T, C, seed=1)
    seen = jax.jit(task.SelfAttention(H).apply)(params, x)
    expect.equal(seen, head.apply(params, x), "BTH", f"Under jax.jit, {HEAD}")


# MultiHeadAttention


def test_heads_are_joined_in_order_and_mixed_by_dense(task, reference):
    """Each head finds something of its own; `dense` combines what they found."""

    def cases():
        for seed, (B, T, C, N, H) in enumerate(MULTI_SETTINGS):
            x = random_inputs.floats(B, T, C, seed=seed)
            params = random_inputs.params(reference.MultiHeadAttention(N, H), x, seed=seed)
            yield N, H, params, x

    expect.same_function(
        lambda N, H, params, x: task.MultiHeadAttention(num_heads=N, head_dim=H).apply(params, x),
        lambda N, H, params, x: reference.MultiHeadAttention(N, H).apply(params, x),
        cases(),
        ("B", "T", "N·H"),
        MULTI,
        suspects=lambda N, H, params, x: mistakes.multi_head_suspects(params, x),
    )


def test_all_heads_see_nothing_of_the_future(task, reference):
    """One head that sees the future is enough to spoil the model."""
    x = random_inputs.floats(B, T, C)
    params = random_inputs.params(reference.MultiHeadAttention(N, H), x)
    properties.causal(task.MultiHeadAttention(N, H), params, x, MULTI)


def test_all_gradients_equal_the_reference(task, reference):
    """Every head and `dense` have to learn."""
    x = random_inputs.floats(B, T, C)
    theirs = reference.MultiHeadAttention(N, H)
    params = random_inputs.params(theirs, x)
    properties.same_gradients(task.MultiHeadAttention(N, H), theirs, params, x)
