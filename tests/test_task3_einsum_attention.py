"""Task 3, einsum attention. Passing means that all of these hold.

`task` is your file, `reference` the solution's. Both get the same inputs and the same weights.
"""

import jax
import numpy as np

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults import attention as faults
from minigpt_challenge.coach.checks.jaxpr_counts import count_primitive
from minigpt_challenge.coach.checks.properties import attention as properties

# No size equals another, so that a swapped axis cannot hide; T = 1 and B = 1 are among them.
SETTINGS = [(2, 5, 7, 4, 3), (1, 6, 5, 2, 4), (3, 1, 7, 2, 5)]  # (B, T, C, N, H)
B, T, C, N, H = SETTINGS[0]
OF = "EinsumMultiHeadAttention(x)"


def weights(reference, seed=0):
    """The reference's module and weights for it, which are yours too: the names are given."""
    model = reference.EinsumMultiHeadAttention(N, H)
    return model, random_inputs.params(model, random_inputs.floats(1, 2, C), seed=seed)


def test_returns_a_vector_for_every_position(task):
    for B, T, C, N, H in SETTINGS:
        model = task.EinsumMultiHeadAttention(N, H)
        x = random_inputs.floats(B, T, C)
        seen = model.apply(random_inputs.params(model, x), x)
        expect.array(seen, (B, T, N * H), ("B", "T", "N·H"), OF)


def test_takes_any_number_of_positions(task):
    properties.takes_any_length(task.EinsumMultiHeadAttention(N, H), C, N * H, OF)


def test_value_equals_the_reference(task, reference):
    def cases():
        for seed, (B, T, C, N, H) in enumerate(SETTINGS):
            x = random_inputs.floats(B, T, C, seed=seed)
            theirs = reference.EinsumMultiHeadAttention(N, H)
            params = random_inputs.params(theirs, x, seed=seed)
            seen = task.EinsumMultiHeadAttention(num_heads=N, head_dim=H).apply(params, x)
            yield seen, theirs.apply(params, x), faults.einsum_suspects(params, x, N)

    expect.all_equal(cases(), ("B", "T", "N·H"), OF)


def test_is_the_same_function_as_task_2(task):
    # While this suite runs, earlier tasks are the reference's.
    from minigpt_challenge.tasks.task2_attention import MultiHeadAttention

    x = random_inputs.floats(B, T, C, seed=1)
    loop = MultiHeadAttention(N, H)
    loop_params = random_inputs.params(loop, x, seed=1)["params"]
    params = {
        name: {
            "kernel": np.concatenate(
                [loop_params[f"heads_{n}"][name]["kernel"] for n in range(N)], axis=1
            )  # (C, N·H): head n owns the columns n·H … (n + 1)·H
        }
        for name in ("query", "key", "value")
    }
    params = {"params": params | {"dense": loop_params["dense"]}}
    seen = task.EinsumMultiHeadAttention(N, H).apply(params, x)
    expected = loop.apply({"params": loop_params}, x)
    expect.equal(seen, expected, ("B", "T", "N·H"), f"With task 2's weights carried over, {OF}")


def test_has_no_loop_over_the_heads(task):
    # A loop need not be made of matrix products, but a softmax in it takes exponentials and sums.
    operations = ("dot_general", "exp", "reduce_sum")
    counts = {}
    for heads in (2, 8):
        model = task.EinsumMultiHeadAttention(heads, H)
        x = random_inputs.floats(B, T, C)
        params = random_inputs.params(model, x)
        counts[heads] = sum(
            count_primitive(operation, model.apply, params, x) for operation in operations
        )
    if counts[8] > counts[2]:
        raise expect.Wrong(
            f"With 2 heads {OF} takes {counts[2]} matrix products, exponentials and sums, with 8 "
            f"heads {counts[8]}. The number should not grow: reshape, so that the heads are an "
            "axis, and let one einsum multiply them all."
        )


def test_sees_nothing_of_the_future(task, reference):
    _, params = weights(reference)
    model = task.EinsumMultiHeadAttention(N, H)
    properties.causal(model, params, random_inputs.floats(B, T, C), OF)


def test_first_position_sees_only_itself(task, reference):
    _, params = weights(reference)
    x = random_inputs.floats(B, T, C)
    model = task.EinsumMultiHeadAttention(N, H)
    seen = expect.array(model.apply(params, x), (B, T, N * H), ("B", "T", "N·H"), OF)
    value, dense = params["params"]["value"], params["params"]["dense"]
    expected = x[:, 0] @ value["kernel"] @ dense["kernel"] + dense["bias"]  # (B, N·H)
    expect.equal(seen[:, 0], expected, "BC", "The first position's output, dense(value(x)[:, 0]),")


def test_equal_scores_share_evenly(task, reference):
    theirs, params = weights(reference)
    model, x = task.EinsumMultiHeadAttention(N, H), random_inputs.floats(B, T, C)
    properties.equal_scores_share_evenly(model, theirs, params, x, OF)


def test_large_scores_give_no_nan(task, reference):
    theirs, params = weights(reference)
    model = task.EinsumMultiHeadAttention(N, H)
    properties.survives_large_scores(model, theirs, params, (B, T, C), OF)


def test_rows_of_the_batch_do_not_meet(task, reference):
    _, params = weights(reference)
    model = task.EinsumMultiHeadAttention(N, H)
    properties.rows_independent(model, params, random_inputs.floats(3, T, C), OF)


def test_float32_stays_float32(task, reference):
    _, params = weights(reference)
    seen = task.EinsumMultiHeadAttention(N, H).apply(params, random_inputs.floats(B, T, C))
    expect.dtype(expect.array(seen, (B, T, N * H), ("B", "T", "N·H"), OF), np.float32, OF)


def test_gradients_equal_the_reference(task, reference):
    theirs, params = weights(reference)
    x = random_inputs.floats(B, T, C)
    properties.same_gradients(task.EinsumMultiHeadAttention(N, H), theirs, params, x)


def test_works_under_jit(task, reference):
    theirs, params = weights(reference)
    x = random_inputs.floats(B, T, C, seed=1)
    seen = jax.jit(task.EinsumMultiHeadAttention(N, H).apply)(params, x)
    expect.equal(seen, theirs.apply(params, x), ("B", "T", "N·H"), f"Under jax.jit, {OF}")
