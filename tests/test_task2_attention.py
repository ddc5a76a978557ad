"""Task 2, attention. Passing means that all of these hold.

`task` is your file, `reference` the solution's. Both get the same inputs and the same weights.
"""

import jax
import numpy as np

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults import attention as faults
from minigpt_challenge.coach.checks.properties import attention as properties

# No size equals another, so that a swapped axis cannot hide; T = 1 and B = 1 are among them.
HEAD_SETTINGS = [(2, 6, 7, 3), (1, 5, 4, 8), (3, 1, 5, 4)]  # (B, T, C, H)
MULTI_SETTINGS = [(2, 5, 7, 4, 3), (1, 6, 5, 2, 4), (3, 1, 7, 2, 5)]  # (B, T, C, N, H)
HEAD, MULTI = "SelfAttention(x)", "MultiHeadAttention(x)"
B, T, C, N, H = MULTI_SETTINGS[0]


def head_and_weights(module, seed=0, C=C, H=H):
    head = module.SelfAttention(head_dim=H)
    return head, random_inputs.params(head, random_inputs.floats(1, 2, C), seed=seed)


def test_head_returns_a_vector_of_head_dim_for_every_position(task):
    for B, T, C, H in HEAD_SETTINGS:
        head = task.SelfAttention(H)
        x = random_inputs.floats(B, T, C)
        seen = head.apply(random_inputs.params(head, x), x)
        expect.array(seen, (B, T, H), "BTH", HEAD)


def test_head_takes_any_number_of_positions(task):
    properties.takes_any_length(task.SelfAttention(H), C, H, HEAD)


def test_head_value_equals_the_reference(task, reference):
    def cases():
        for seed, (B, T, C, H) in enumerate(HEAD_SETTINGS):
            head, params = head_and_weights(reference, seed, C, H)
            x = random_inputs.floats(B, T, C, seed=seed)
            seen = task.SelfAttention(head_dim=H).apply(params, x)
            yield seen, head.apply(params, x), faults.head_suspects(params, x)

    expect.all_equal(cases(), "BTH", HEAD)


def test_head_sees_nothing_of_the_future(task, reference):
    _, params = head_and_weights(reference)
    properties.causal(task.SelfAttention(H), params, random_inputs.floats(B, T, C), HEAD)


def test_first_position_sees_only_itself(task, reference):
    _, params = head_and_weights(reference)
    x = random_inputs.floats(B, T, C)
    seen = expect.array(task.SelfAttention(H).apply(params, x), (B, T, H), "BTH", HEAD)
    expected = x[:, 0] @ params["params"]["value"]["kernel"]  # (B, H)
    expect.equal(
        seen[:, 0], expected, "BH", "The first position's output, which is value(x)[:, 0],"
    )


def test_equal_scores_share_evenly(task, reference):
    head, params = head_and_weights(reference)
    x = random_inputs.floats(B, T, C)
    properties.equal_scores_share_evenly(task.SelfAttention(H), head, params, x, HEAD)


def test_large_scores_give_no_nan(task, reference):
    head, params = head_and_weights(reference)
    properties.survives_large_scores(task.SelfAttention(H), head, params, (B, T, C), HEAD)


def test_rows_of_the_batch_do_not_meet(task, reference):
    _, params = head_and_weights(reference)
    properties.rows_independent(task.SelfAttention(H), params, random_inputs.floats(3, T, C), HEAD)


def test_float32_stays_float32(task, reference):
    _, params = head_and_weights(reference)
    seen = task.SelfAttention(H).apply(params, random_inputs.floats(B, T, C))
    seen = expect.array(seen, (B, T, H), "BTH", HEAD)
    expect.dtype(seen, np.float32, HEAD)


def test_head_gradients_equal_the_reference(task, reference):
    head, params = head_and_weights(reference)
    properties.same_gradients(task.SelfAttention(H), head, params, random_inputs.floats(B, T, C))


def test_head_works_under_jit(task, reference):
    head, params = head_and_weights(reference)
    x = random_inputs.floats(B, T, C, seed=1)
    seen = jax.jit(task.SelfAttention(H).apply)(params, x)
    expect.equal(seen, head.apply(params, x), "BTH", f"Under jax.jit, {HEAD}")


def test_heads_are_joined_in_order_and_mixed_by_dense(task, reference):
    def cases():
        for seed, (B, T, C, N, H) in enumerate(MULTI_SETTINGS):
            x = random_inputs.floats(B, T, C, seed=seed)
            theirs = reference.MultiHeadAttention(N, H)
            params = random_inputs.params(theirs, x, seed=seed)
            seen = task.MultiHeadAttention(num_heads=N, head_dim=H).apply(params, x)
            yield seen, theirs.apply(params, x), faults.multi_head_suspects(params, x)

    expect.all_equal(cases(), ("B", "T", "N·H"), MULTI)


def test_all_heads_see_nothing_of_the_future(task, reference):
    x = random_inputs.floats(B, T, C)
    params = random_inputs.params(reference.MultiHeadAttention(N, H), x)
    properties.causal(task.MultiHeadAttention(N, H), params, x, MULTI)


def test_all_gradients_equal_the_reference(task, reference):
    x = random_inputs.floats(B, T, C)
    theirs = reference.MultiHeadAttention(N, H)
    params = random_inputs.params(theirs, x)
    properties.same_gradients(task.MultiHeadAttention(N, H), theirs, params, x)
