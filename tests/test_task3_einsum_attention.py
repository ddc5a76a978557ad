"""Task 3, einsum attention: all heads at once, without a loop.

You pass when all of these checks hold. `task` is your file, `reference` the solution's. Both get
the same inputs and the same weights.
"""

import jax
import numpy as np

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults import attention as mistakes
from minigpt_challenge.coach.checks.jaxpr_counts import count_primitive
from minigpt_challenge.coach.checks.properties import attention as properties

# No two sizes are equal, so that swapped axes show. T = 1 and B = 1 are included.
SETTINGS = [(2, 5, 7, 4, 3), (1, 6, 5, 2, 4), (3, 1, 7, 2, 5)]  # (B, T, C, N, H)
B, T, C, N, H = SETTINGS[0]
AXES = ("B", "T", "N·H")
ATTENTION = "EinsumMultiHeadAttention(x)"


def module_and_weights(reference, seed=0):
    """The reference's module, and weights for it and for yours: the names are the same."""
    module = reference.EinsumMultiHeadAttention(N, H)
    return module, random_inputs.params(module, random_inputs.floats(1, 2, C), seed=seed)


# Shape and values


def test_returns_a_vector_for_every_position(task):
    """The block adds this to its input, so the shape has to be (B, T, N·H)."""
    for B, T, C, N, H in SETTINGS:
        module = task.EinsumMultiHeadAttention(N, H)
        x = random_inputs.floats(B, T, C)
        seen = module.apply(random_inputs.params(module, x), x)
        expect.array(seen, (B, T, N * H), AXES, ATTENTION)


def test_takes_any_number_of_positions(task, reference):
    """When the model writes, its text grows by one token at a time."""
    mine, theirs = (module.EinsumMultiHeadAttention(N, H) for module in (task, reference))
    properties.takes_any_length(mine, theirs, C, ATTENTION)


def test_value_equals_the_reference(task, reference):
    """Splitting, attention, joining: each axis has to be where the next step expects it."""

    def cases():
        for seed, (B, T, C, N, H) in enumerate(SETTINGS):
            x = random_inputs.floats(B, T, C, seed=seed)
            params = random_inputs.params(reference.EinsumMultiHeadAttention(N, H), x, seed=seed)
            yield N, H, params, x

    def mine(N, H, params, x):
        return task.EinsumMultiHeadAttention(num_heads=N, head_dim=H).apply(params, x)

    expect.same_function(
        mine,
        lambda N, H, params, x: reference.EinsumMultiHeadAttention(N, H).apply(params, x),
        cases(),
        AXES,
        ATTENTION,
        suspects=lambda N, H, params, x: mistakes.einsum_suspects(params, x, N),
    )


def test_is_the_same_function_as_task_2(task):
    """You write task 2 again, faster: with the same weights the numbers are the same."""
    # While this suite runs, earlier tasks are the reference's.
    from minigpt_challenge.tasks.task2_attention import MultiHeadAttention

    x = random_inputs.floats(B, T, C, seed=1)
    loop = MultiHeadAttention(N, H)
    loop_params = random_inputs.params(loop, x, seed=1)["params"]
    params = {
        name: {
            "kernel": np.concatenate(
                [loop_params[f"heads_{n}"][name]["kernel"] for n in range(N)], axis=1
            )  # (C, N·H): head n owns the columns n·H … (n + 1)·H - 1
        }
        for name in ("query", "key", "value")
    }
    params = {"params": params | {"dense": loop_params["dense"]}}
    seen = task.EinsumMultiHeadAttention(N, H).apply(params, x)
    expected = loop.apply({"params": loop_params}, x)
    expect.equal(seen, expected, AXES, f"With the weights of task 2, {ATTENTION}")


def test_has_no_loop_over_the_heads(task):
    """A few large operations are faster than many small ones, above all on a GPU."""
    # A loop can do without matrix products, but each softmax in it needs exponentials and sums.
    operations = ("dot_general", "exp", "reduce_sum")
    counts = {}
    for num_heads in (2, 8):
        module = task.EinsumMultiHeadAttention(num_heads, H)
        x = random_inputs.floats(B, T, C)
        params = random_inputs.params(module, x)
        counts[num_heads] = sum(
            count_primitive(operation, module.apply, params, x) for operation in operations
        )
    if counts[8] > counts[2]:
        raise expect.Wrong(
            f"It takes {counts[2]} with 2 heads and {counts[8]} with 8.",
            asked=f"The number of matrix products, exponentials and sums in {ATTENTION} should not "
            "grow with the number of heads.",
            advice="Reshape, so that the heads are an axis, and let one einsum multiply them all.",
            about="a loop over the heads",
        )


# Who sees whom


def test_sees_nothing_of_the_future(task, reference):
    """A model that sees the next token learns to copy it, and cannot write."""
    _, params = module_and_weights(reference)
    module = task.EinsumMultiHeadAttention(N, H)
    properties.causal(module, params, random_inputs.floats(B, T, C), ATTENTION)


def test_first_position_sees_only_itself(task, reference):
    """Nothing comes before position 0, so it gives all its attention to itself."""
    _, params = module_and_weights(reference)
    x = random_inputs.floats(B, T, C)
    module = task.EinsumMultiHeadAttention(N, H)
    seen = expect.array(module.apply(params, x), (B, T, N * H), AXES, ATTENTION)
    value, dense = params["params"]["value"], params["params"]["dense"]
    expected = x[:, 0] @ value["kernel"] @ dense["kernel"] + dense["bias"]  # (B, N·H)
    expect.equal(
        seen[:, 0],
        expected,
        "BC",
        "The first position's output, which should be dense(value(x)[:, 0]),",
    )


def test_equal_scores_share_evenly(task, reference):
    """A score of 0 is an ordinary score; it does not mean that a position is masked."""
    theirs, params = module_and_weights(reference)
    module, x = task.EinsumMultiHeadAttention(N, H), random_inputs.floats(B, T, C)
    properties.equal_scores_share_evenly(module, theirs, params, x, ATTENTION)


def test_large_scores_give_no_nan(task, reference):
    """One NaN in a training step spreads to all weights."""
    theirs, params = module_and_weights(reference)
    module = task.EinsumMultiHeadAttention(N, H)
    properties.survives_large_scores(module, theirs, params, (B, T, C), ATTENTION)


def test_rows_of_the_batch_do_not_mix(task, reference):
    """The rows of a batch are separate texts: they must not influence each other."""
    _, params = module_and_weights(reference)
    module = task.EinsumMultiHeadAttention(N, H)
    properties.rows_independent(module, params, random_inputs.floats(3, T, C), ATTENTION)


# In training


def test_float32_stays_float32(task, reference):
    """Another dtype would spread from here through the whole model."""
    _, params = module_and_weights(reference)
    seen = task.EinsumMultiHeadAttention(N, H).apply(params, random_inputs.floats(B, T, C))
    seen = expect.array(seen, (B, T, N * H), AXES, ATTENTION)
    expect.dtype(seen, np.float32, ATTENTION)


def test_gradients_equal_the_reference(task, reference):
    """The model learns from gradients: with wrong ones it would learn something else."""
    theirs, params = module_and_weights(reference)
    x = random_inputs.floats(B, T, C)
    properties.same_gradients(task.EinsumMultiHeadAttention(N, H), theirs, params, x)


def test_works_under_jit(task, reference):
    """The training step is compiled, and your module with it."""
    theirs, params = module_and_weights(reference)
    x = random_inputs.floats(B, T, C, seed=1)
    seen = jax.jit(task.EinsumMultiHeadAttention(N, H).apply)(params, x)
    expect.equal(seen, theirs.apply(params, x), AXES, f"Under jax.jit, {ATTENTION}")
