"""What every causal attention must do, asked of task 2 and task 3 alike."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.jaxpr_counts import count_equations
from minigpt_challenge.coach.checks.numpy_interpreter import traced
from minigpt_challenge.coach.checks.tolerance import differs
from minigpt_challenge.coach.runtime.error_text import in_one_line

AXES = ("B", "T", "out")  # H for one head, N·H for several
# A hidden position has weight 0, so that what stands there is multiplied by 0 and changes nothing.
LEAK = 1e-6


def takes_any_length(module: nn.Module, C: int, width: int, of: str) -> None:
    """A long x gives an output of its length: no size is fixed in the code.

    Only shapes are computed. Code that walks over the positions grows with them, so it is given
    fewer.
    """

    def shape(T: int) -> tuple[int, ...]:
        x = jax.ShapeDtypeStruct((1, T, C), jnp.float32)
        seen = jax.eval_shape(lambda x: module.init_with_output(jax.random.key(0), x)[0], x)
        return expect.not_none(seen, of).shape

    def size(T: int) -> int:
        return count_equations(module.init_with_output, jax.random.key(0), jnp.ones((1, T, C)))

    shape(3)  # what fails at any length is no matter of length
    T = 2000 if size(3) == size(5) else 70
    try:
        seen = shape(T)
    except Exception as error:
        raise expect.Wrong(
            f"{of} should take any number of positions, and with T = {T} it raises "
            f"{in_one_line(error)}. Take T from x.shape."
        ) from error
    if seen != (1, T, width):
        raise expect.Wrong(f"With T = {T}, {of} should have the shape {(1, T, width)}, not {seen}.")


def causal(module: nn.Module, params: dict, x: jax.Array, of: str) -> None:
    """Changing the input at any position changes no output before it, and the gradients say so.

    Args:
        x: float (B, T, C).
    """
    B, T, C = x.shape
    apply = traced(module.apply)
    before = np.asarray(expect.not_none(apply(params, x), of))  # (B, T, …)
    if not np.isfinite(before).all():
        raise expect.Wrong(f"{of} gives NaN or infinite values, so nothing else can be said.")
    for s in range(1, T):
        changed = x.at[:, s].add(random_inputs.floats(B, C, seed=s, scale=3.0))
        after = np.asarray(apply(params, changed))
        moved = np.abs(after - before)[:, :s].max(axis=(0, 2))  # (s,)
        if moved.max() > LEAK:
            t = int(moved.argmax())
            raise expect.Wrong(
                f"{of} looks into the future: changing the input at position {s} changed the "
                f"output at position {t} by {moved[t]:.3g}. Position {t} may see only 0 to {t}."
            )

    def output_at(x, t):
        return module.apply(params, x)[:, t].sum()

    gradients = traced(jax.vmap(jax.grad(output_at), (None, 0)))(x, jnp.arange(T))  # (T, B, S, C)
    flow = np.abs(np.asarray(gradients)).max(axis=(1, 3))  # (T, S)
    leaks = np.argwhere(np.triu(flow, 1) > LEAK)
    if len(leaks) or np.isnan(flow).any():
        t, s = (int(i) for i in leaks[0]) if len(leaks) else np.argwhere(np.isnan(flow))[0]
        raise expect.Wrong(
            f"{of} looks into the future: the gradient of the output at position {t} with "
            f"respect to the input at position {s} is {flow[t, s]:.3g}, and should be 0."
        )


def survives_large_scores(
    module: nn.Module, reference: nn.Module, params: dict, shape: tuple[int, int, int], of: str
) -> None:
    """Scores of ±10⁴ give finite numbers, the reference's.

    Where one key wins by far, the softmax is 1 there and 0 elsewhere; exp(10⁴) on the way would
    be infinite.
    """
    x = random_inputs.floats(*shape, seed=2, scale=100.0)
    seen = expect.array(module.apply(params, x), reference.apply(params, x).shape, AXES, of)
    ordinary = np.asarray(module.apply(params, x / 100))
    if not np.isfinite(seen).all() and np.isfinite(ordinary).all():
        raise expect.Wrong(
            f"With scores as large as 10⁴, {int((~np.isfinite(seen)).sum())} of {seen.size} "
            f"values of {of} are NaN or infinite. (`nn.softmax` subtracts each row's maximum "
            "first, so that no exponential overflows.)"
        )
    try:
        expect.equal(seen, reference.apply(params, x), AXES, f"With scores as large as 10⁴, {of}")
    except expect.Wrong as wrong:
        if not np.allclose(ordinary, reference.apply(params, x / 100), atol=1e-5):
            raise
        raise wrong.but(
            advice="With ordinary scores all is right. Is what you hide scores with low enough? "
            "−∞ is below any score, and so is -1e9; -100 is not."
        ) from None


def equal_scores_share_evenly(
    module: nn.Module, reference: nn.Module, params: dict, x: jax.Array, of: str
) -> None:
    """With queries of 0 every score is 0, and each position takes as much from all that it sees.

    A score of 0 is a score like any other: whoever takes it for "hidden" finds nothing to see.
    """
    silent = jax.tree_util.tree_map_with_path(
        lambda path, leaf: 0 * leaf if jax.tree_util.DictKey("query") in path else leaf, params
    )
    of = f"With queries of 0, so that all scores are equal, {of}"
    expect.equal(module.apply(silent, x), reference.apply(silent, x), AXES, of)


def rows_independent(module: nn.Module, params: dict, x: jax.Array, of: str) -> None:
    """A row's output is the same alone as in a batch."""
    together = np.asarray(expect.not_none(module.apply(params, x), of))
    for b in range(len(x)):
        alone = np.asarray(module.apply(params, x[b : b + 1]))
        if (
            alone.shape[1:] != together.shape[1:]
            or differs(np.nan_to_num(together[b]), np.nan_to_num(alone[0])).any()
        ):
            raise expect.Wrong(
                f"{of} gives another result for row {b} of a batch than for the same row alone: "
                "rows of a batch should not influence each other."
            )


def same_gradients(module: nn.Module, reference: nn.Module, params: dict, x: jax.Array) -> None:
    """The gradients of a weighted sum of outputs, leaf by leaf, and that of the input."""
    weight = random_inputs.floats(*reference.apply(params, x).shape, seed=9)

    def gradients(model):
        def weighted(params, x):
            return (expect.not_none(model.apply(params, x), "The module") * weight).sum()

        return traced(jax.grad(weighted, argnums=(0, 1)))(params, x)

    seen, seen_of_x = gradients(module)
    expected, expected_of_x = gradients(reference)
    expect.trees_equal(seen["params"], expected["params"], "The gradient of the weights")
    expect.equal(seen_of_x, expected_of_x, "BTC", "The gradient of the input")
