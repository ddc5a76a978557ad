"""Properties of every causal attention, checked in tasks 2 and 3."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.jaxpr_counts import count_equations
from minigpt_challenge.coach.checks.numpy_interpreter import traced
from minigpt_challenge.coach.checks.param_trees import Model
from minigpt_challenge.coach.checks.tolerance import MIN_LEAK, differs
from minigpt_challenge.coach.runtime.error_text import in_one_line

AXES = ("B", "T", "out")  # H for one head, N·H for several
LOW_ENOUGH = (
    "With ordinary scores the values are right. Is the number with which you mask low enough? −∞ "
    "is below any score, and so is -1e9; -1e4 is not."
)


def takes_any_length(mine: nn.Module, theirs: nn.Module, C: int, label: str) -> None:
    """The values are right for any number of positions: no size is fixed in the code.

    Code that loops over the positions takes longer to trace with more of them, so it gets fewer.

    Args:
        mine: the learner's, N heads of H.
        theirs: the reference's. Its weights have the same names.
        C: the size of the input's last axis.
        label: what is called, for the message.
    """

    def size(T: int) -> int:
        return count_equations(mine.init_with_output, jax.random.key(0), jnp.ones((1, T, C)))

    def outputs(T: int, label: str) -> tuple[np.ndarray, np.ndarray]:
        x = random_inputs.floats(1, T, C, seed=4)
        params = random_inputs.params(theirs, x[:, :2])
        expected = np.asarray(traced(theirs.apply)(params, x))  # (1, T, N·H)
        seen = traced(mine.apply)(params, x)
        return expect.array(seen, expected.shape, AXES, label), expected

    seen, expected = outputs(6, label)  # code that fails at every length raises its own error here
    is_right_when_short = not differs(np.nan_to_num(seen), expected).any()
    T = 1100 if size(3) == size(5) else 70  # more than the sizes that people write down
    asked = f"{label} should take any number of positions."
    try:
        seen, expected = outputs(T, f"With T = {T}, {label}")
    except expect.Wrong as wrong:
        raise wrong.but(about=f"the number of positions in {label}") from None
    except Exception as error:
        raise expect.Wrong(
            f"With T = {T} it raises {in_one_line(error)}.",
            asked=asked,
            advice="Take T from x.shape.",
            about=f"the number of positions in {label}",
        ) from error
    different = differs(np.nan_to_num(seen), expected).any((0, 2))  # (T,)
    if is_right_when_short and different.any():  # if not, other checks say so
        raise expect.Wrong(
            f"With 6 positions the values are right, with {T} they are not: the first that differs "
            f"is at position {different.argmax()}.",
            asked=asked,
            advice="Does a number in the code limit the positions? Or are the scores that the mask "
            "hides not low enough to vanish among so many?",
            about=f"the number of positions in {label}",
        )


def causal(module: Model, params: dict, x: jax.Array, label: str) -> None:
    """Changing the input at a position changes no output before it, and those gradients are 0.

    Args:
        module: the learner's.
        params: its weights.
        x: float (B, T, C).
        label: what is called, for the message.
    """
    B, T, C = x.shape
    apply = traced(module.apply)
    before = np.asarray(expect.not_none(apply(params, x), label))  # (B, T, …)
    if not np.isfinite(before).all():
        raise expect.Wrong(
            "It gives NaN or infinite values, so nothing else can be checked.",
            asked=f"{label} should give finite values.",
            about=f"NaN or infinite values in {label}",
        )
    for s in range(1, T):
        changed = x.at[:, s].add(random_inputs.floats(B, C, seed=s, scale=3.0))
        after = np.asarray(apply(params, changed))
        moved = np.abs(after - before)[:, :s].max(axis=(0, 2))  # (s,)
        if moved.max() > MIN_LEAK:
            t = int(moved.argmax())
            raise expect.Wrong(
                f"Changing the input at position {s} changed the output at position {t} by "
                f"{moved[t]:.3g}.",
                asked=f"{label} should not look into the future: position {t} may see only "
                f"{f'0 to {t}' if t else 'itself'}.",
                about=f"looking into the future in {label}",
            )

    def output_at(x: jax.Array, t: jax.Array) -> jax.Array:
        return module.apply(params, x)[:, t].sum()

    gradients = traced(jax.vmap(jax.grad(output_at), (None, 0)))(x, jnp.arange(T))  # (T, B, S, C)
    flow = np.abs(np.asarray(gradients)).max(axis=(1, 3))  # (T, S)
    leaks = np.argwhere(np.triu(flow, 1) > MIN_LEAK)
    if len(leaks) or np.isnan(flow).any():
        t, s = (int(i) for i in leaks[0]) if len(leaks) else np.argwhere(np.isnan(flow))[0]
        raise expect.Wrong(
            f"The gradient of the output at position {t} with respect to the input at position "
            f"{s} is {flow[t, s]:.3g} instead of 0.",
            asked=f"{label} should not look into the future.",
            about=f"looking into the future in {label}",
        )


def survives_large_scores(
    module: Model, reference: Model, params: dict, shape: tuple[int, ...], label: str
) -> None:
    """Scores of ±10⁴ give finite numbers, equal to the reference's.

    The softmax is then 1 for the largest score and 0 elsewhere, but exp(10⁴) would be infinite.

    Args:
        module: the learner's.
        reference: the solution's.
        params: the weights of both.
        shape: of x, (B, T, C).
        label: what is called, for the message.
    """
    x = random_inputs.floats(*shape, seed=2, scale=100.0)
    seen = expect.array(module.apply(params, x), reference.apply(params, x).shape, AXES, label)
    ordinary = np.asarray(module.apply(params, x / 100))
    if not np.isfinite(seen).all() and np.isfinite(ordinary).all():
        raise expect.Wrong(
            f"{int((~np.isfinite(seen)).sum())} of {seen.size} values are NaN or infinite.",
            asked=f"With scores of 10⁴, {label} should be finite.",
            advice="`nn.softmax` subtracts each row's maximum first, so that no exponential "
            "overflows.",
            about=f"large scores in {label}",
        )
    try:
        expect.equal(seen, reference.apply(params, x), AXES, f"With scores of 10⁴, {label}")
    except expect.Wrong as wrong:
        if not np.allclose(ordinary, reference.apply(params, x / 100), atol=1e-5):
            raise
        raise wrong.but(advice=LOW_ENOUGH) from None
    # Each query is the negative of its key. Position 0 then scores -10⁶ with itself.
    opposed, x = _opposed(params), 10 * x
    if np.allclose(ordinary, reference.apply(params, x / 1000), atol=1e-5):
        label = f"With scores down to -10⁶, {label}"
        try:
            expect.equal(module.apply(opposed, x), reference.apply(opposed, x), AXES, label)
        except expect.Wrong as wrong:
            raise wrong.but(advice=LOW_ENOUGH) from None


def _opposed(params: Any) -> Any:
    """The same weights, with those of the keys, negated, as those of the queries."""
    if not hasattr(params, "items"):
        return params
    opposed = {name: _opposed(child) for name, child in params.items()}
    if {"query", "key"} <= opposed.keys():
        opposed["query"] = jax.tree.map(lambda leaf: -leaf, opposed["key"])
    return opposed


def equal_scores_share_evenly(
    module: Model, reference: Model, params: dict, x: jax.Array, label: str
) -> None:
    """With queries of 0 every score is 0, and each position averages all that it may see.

    Code that takes a score of 0 to mean "masked" fails here.

    Args:
        module: the learner's.
        reference: the solution's.
        params: the weights of both.
        x: float (B, T, C).
        label: what is called, for the message.
    """
    zero_queries = jax.tree_util.tree_map_with_path(
        lambda path, leaf: 0 * leaf if jax.tree_util.DictKey("query") in path else leaf, params
    )
    label = f"With queries of 0, so that all scores are equal, {label}"
    expect.equal(module.apply(zero_queries, x), reference.apply(zero_queries, x), AXES, label)


def rows_independent(module: Model, params: dict, x: jax.Array, label: str) -> None:
    """A row of a batch gives the same output alone.

    Args:
        module: the learner's.
        params: its weights.
        x: float (B, T, C).
        label: what is called, for the message.
    """
    together = np.asarray(expect.not_none(module.apply(params, x), label))
    for b in range(len(x)):
        alone = np.asarray(module.apply(params, x[b : b + 1]))
        if (
            alone.shape[1:] != together.shape[1:]
            or differs(np.nan_to_num(together[b]), np.nan_to_num(alone[0])).any()
        ):
            raise expect.Wrong(
                f"Row {b} of a batch gives another result than the same row alone.",
                asked=f"{label} should not mix the rows of a batch.",
                about=f"the rows of a batch in {label}",
            )


def same_gradients(module: Model, reference: Model, params: dict, x: jax.Array) -> None:
    """The gradients of a weighted sum of the outputs, with respect to all weights and to x.

    Args:
        module: the learner's.
        reference: the solution's.
        params: the weights of both.
        x: float (B, T, C).
    """
    weight = random_inputs.floats(*reference.apply(params, x).shape, seed=9)

    def gradients(model: Model) -> tuple[Any, jax.Array]:
        def weighted(params: dict, x: jax.Array) -> jax.Array:
            return (expect.not_none(model.apply(params, x), "The module") * weight).sum()

        return traced(jax.grad(weighted, argnums=(0, 1)))(params, x)

    seen, seen_for_x = gradients(module)
    expected, expected_for_x = gradients(reference)
    expect.trees_equal(seen["params"], expected["params"], "The gradient of the weights")
    expect.equal(seen_for_x, expected_for_x, "BTC", "The gradient of the input")
