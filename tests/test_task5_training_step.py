"""Task 5, training step. Passing means that all of these hold.

`task` is your file, `reference` the solution's. The model is a small one of this suite's own: what
it foretells depends on a token and on all before it.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.training.train_state import TrainState

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults import step as faults
from minigpt_challenge.coach.checks.faults.loss import finite_outcome, unstable_suspects
from minigpt_challenge.coach.checks.jaxpr_counts import (
    MARK,
    count_uncompiled,
    is_compiled_within,
    marked,
)

B, T, V = 3, 5, 7
SETTINGS = [(B, T), (2, 1), (1, 9)]  # (B, T)
SHARPNESS = 10.0  # makes gradients longer than 1, where clipping shows
# No rate is one that might stand in somebody's code.
OPTIMISERS = {
    "Adam": optax.adam(0.007),
    "SGD with momentum": optax.sgd(0.013, momentum=0.9),
}
LOSS, STEP = "loss_fn(params, apply_fn, x, y)", "train_step(state, x, y)"


@jax.jit  # else each of its operations would be compiled alone, for each shape
def apply_fn(params, x):
    """int (B, T) → float (B, T, V): what a token, and the mean of all so far, say of the next."""
    if x.ndim != 2:
        raise ValueError(f"The model reads tokens of shape (B, T), and x has the shape {x.shape}.")
    tables = params.get("params") if isinstance(params, Mapping) else None
    if tables is None or "token" not in tables:
        raise ValueError(
            "`params` is what `model.init` returned, with the key 'params' inside. Hand it to "
            "`apply_fn` as it is, and keep it so in the state."
        )
    count = jnp.arange(1, x.shape[1] + 1)[:, None]  # (T, 1)
    so_far = jnp.cumsum(tables["context"][x], axis=1) / count  # (B, T, V)
    return SHARPNESS * (tables["token"][x] + so_far + tables["bias"])


def mild(params, x):
    """The same with gradients shorter than 1."""
    return apply_fn(params, x) / SHARPNESS


def new_params(seed=0):
    shapes = {"token": (V, V), "context": (V, V), "bias": (V,)}
    drawn = {
        name: random_inputs.floats(*shape, seed=3 * seed + place) / SHARPNESS
        for place, (name, shape) in enumerate(shapes.items())
    }
    return {"params": drawn}


def new_state(tx, seed=0, apply_fn=apply_fn):
    return TrainState.create(apply_fn=apply_fn, params=new_params(seed), tx=tx)


def batch(seed=0, B=B, T=T):
    both = random_inputs.tokens(2, B, T, vocab_size=V, seed=seed)
    return both[0], both[1]


def cross_entropy(params, x, y):
    """Mean cross-entropy in plain NumPy, in float64."""
    logits = np.asarray(apply_fn(params, x), np.float64)  # (B, T, V)
    logits -= logits.max(-1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return -np.take_along_axis(log_probs, np.asarray(y)[..., None], -1).mean()


def test_loss_is_the_mean_cross_entropy(task):
    def cases():
        for seed, (B, T) in enumerate(SETTINGS):
            params, (x, y) = new_params(seed), batch(seed, B, T)
            seen = task.loss_fn(params, apply_fn, x, y)
            expected = np.float32(cross_entropy(params, x, y))
            yield seen, expected, faults.loss_suspects(params, apply_fn, x, y)

    expect.all_equal(cases(), "", LOSS)


def test_loss_of_uniform_logits_is_log_vocab_size(task):
    zeros = jax.tree.map(jnp.zeros_like, new_params())
    x, y = batch()
    of = f"The loss of a model that knows nothing, log V = log {V},"
    expect.equal(task.loss_fn(zeros, apply_fn, x, y), np.float32(np.log(V)), "", of)


def test_loss_survives_large_logits(task):
    x, y = batch()
    small = new_params()
    shifted = {"params": small["params"] | {"bias": small["params"]["bias"] + 100 / SHARPNESS}}
    large = jax.tree.map(lambda leaf: 1e4 * leaf, small)
    evidence = []
    for params in (small, shifted, large):
        seen = task.loss_fn(params, apply_fn, x, y)
        suspects = unstable_suspects(apply_fn(params, x), y)
        evidence.append((finite_outcome(seen), suspects))
    expected = np.float32(cross_entropy(large, x, y))
    expect.equal(seen, expected, "", "With logits of 10⁴, the loss", evidence)


def test_loss_gradients_equal_the_reference(task, reference):
    x, y = batch(2)
    seen = jax.grad(task.loss_fn)(new_params(), apply_fn, x, y)
    expected = jax.grad(reference.loss_fn)(new_params(), apply_fn, x, y)
    expect.trees_equal(seen, expected, "The gradient of the loss")


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_three_steps_equal_the_reference(task, reference, optimiser):
    fresh = new_state(OPTIMISERS[optimiser])
    # Gradients shorter than 1 as well, and an optimiser and a count that are not at their start.
    under_way, _ = reference.train_step(new_state(OPTIMISERS[optimiser], 1, mild), *batch(9))
    ends, evidence = [], []
    for mine in (fresh, under_way):
        theirs = mine
        for step in range(3):
            x, y = batch(step)
            suspects = faults.step_suspects(mine, x, y)
            mine, loss = expect.pair(task.train_step(mine, x, y), STEP, TrainState)
            theirs, _ = reference.train_step(theirs, x, y)
            evidence.append((faults.outcome(mine, loss), suspects))
        ends.append((mine, theirs))
    for mine, theirs in ends:
        for part in ("params", "opt_state", "step"):
            seen, expected = (jax.tree.map(jnp.asarray, getattr(s, part)) for s in (mine, theirs))
            of = f"After three steps with {optimiser}, state.{part}"
            expect.trees_equal(seen, expected, of, evidence)


def test_returned_loss_is_the_one_before_the_update(task):
    def cases():
        for seed, (B, T) in enumerate(SETTINGS):
            state = new_state(OPTIMISERS["SGD with momentum"], seed)
            x, y = batch(seed, B, T)
            before = np.float32(cross_entropy(state.params, x, y))
            _, loss = expect.pair(task.train_step(state, x, y), STEP, TrainState)
            yield loss, before, faults.returned_loss_suspects(state, x, y)

    expect.all_equal(cases(), "", "The loss that train_step returns, from before the update,")


def test_input_state_is_untouched(task):
    state = new_state(OPTIMISERS["Adam"])
    before = jax.tree.map(np.array, (state.step, state.params, state.opt_state))
    task.train_step(state, *batch())
    after = (state.step, state.params, state.opt_state)
    if any(leaf.is_deleted() for leaf in jax.tree.leaves(after) if isinstance(leaf, jax.Array)):
        raise expect.Wrong(
            "train_step gave away the arrays of the state it got (`donate_argnums`): whoever "
            "calls it may still need them."
        )
    expect.trees_equal(after, before, "The state given to train_step, afterwards,")


def test_eval_step_gives_the_loss_and_changes_nothing(task):
    state = new_state(OPTIMISERS["Adam"])
    before = jax.tree.map(np.array, (state.step, state.params, state.opt_state))

    def cases():
        for seed, (B, T) in enumerate(SETTINGS):
            x, y = batch(seed, B, T)
            expected = np.float32(cross_entropy(state.params, x, y))
            suspects = faults.loss_suspects(state.params, state.apply_fn, x, y)
            yield task.eval_step(state, x, y), expected, suspects

    expect.all_equal(cases(), "", "eval_step(state, x, y)")
    after = (state.step, state.params, state.opt_state)
    expect.trees_equal(after, before, "The state given to eval_step, afterwards,")


@pytest.mark.parametrize("name", ["train_step", "eval_step"])
def test_is_compiled_once(task, name):
    calls = []

    def counting(params, x):
        calls.append(x.shape)
        return marked(apply_fn(params, x))

    tx = optax.chain(OPTIMISERS["Adam"], optax.stateless(lambda updates, _: marked(updates)))
    state = new_state(tx, apply_fn=counting)
    step = getattr(task, name)
    step(state, *batch(0))
    first = len(calls)
    if not first:
        raise expect.Wrong(f"{name} never calls state.apply_fn.")
    step(state, *batch(1))
    if len(calls) > first:
        words = f"Under `@jax.jit` above {name} it is traced once and then compiled."
        plain = new_state(OPTIMISERS["Adam"], apply_fn=counting)  # the model's marks alone
        if is_compiled_within(MARK, step, plain, *batch(2)):
            words = f"There is a `jax.jit`, but it begins anew at every call. {words}"
        raise expect.Wrong(
            f"A second call of {name}, with another batch of the same shape, ran the Python code "
            f"of the model again. {words}"
        )
    if count_uncompiled(MARK, step, state, *batch(2)):
        raise expect.Wrong(
            f"{name} runs one operation after the other, at least in part. With `@jax.jit` above "
            "it, all of it is compiled."
        )


def test_overfits_one_batch(task):
    state = new_state(OPTIMISERS["Adam"])
    x = jnp.arange(6).reshape(2, 3)  # no token twice, so that a bigram can know what comes next
    y = (x * 3 + 1) % V
    for _ in range(60):
        state, loss = expect.pair(task.train_step(state, x, y), STEP, TrainState)
    if not expect.array(loss, (), "", "The loss that train_step returns") < 0.5:
        raise expect.Wrong(
            f"After 60 steps on the same {x.size} predictions the loss is still {float(loss):.3g}; "
            "below 0.5 is easy."
        )
