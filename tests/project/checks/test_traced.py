"""Functions run by NumPy instead of XLA: the same values, and no code runs twice."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from minigpt_challenge.coach.checks import numpy_interpreter
from minigpt_challenge.coach.checks.numpy_interpreter import traced, traced_apply
from minigpt_challenge.coach.runtime.patched_modules import PatchedModule, restore_patched_modules
from minigpt_challenge.errors import UserError

X = jnp.asarray(np.random.default_rng(0).standard_normal((2, 3, 4)), jnp.float32)
Y = jnp.asarray(np.random.default_rng(1).standard_normal((2, 3, 4)), jnp.float32)
ODD = jnp.array([0.0, -0.0, jnp.inf, -jnp.inf, jnp.nan, 1.5, -2.5])
OTHER = jnp.roll(ODD, 2)
INTEGERS = jnp.array([-7, 0, 2**31 - 1])
TOKENS = jnp.array([[0, 3, -1], [9, 2, 1]])  # one counts from the end, one is out of range
KEY = jax.random.key(0)


def scanned(x):
    return lax.scan(lambda total, row: (total + row, total * row), x[0], x)


@jax.custom_vjp
def clipped(x):
    return jnp.clip(x, -1, 1)


clipped.defvjp(lambda x: (clipped(x), x), lambda x, g: (g * x,))

UNARY = ["abs", "exp", "log", "negative", "sqrt", "square", "tanh", "isfinite", "sign", "floor"]
BINARY = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "power"]
COMPARED = ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]
FUNCTIONS = {
    **{name: (getattr(jnp, name), ODD) for name in UNARY},
    **{name: (getattr(jnp, name), ODD, OTHER) for name in BINARY + COMPARED},
    **{f"{name} of integers": (getattr(jnp, name), INTEGERS, 3) for name in BINARY[:4] + COMPARED},
    "bits": (lambda a, b: ((a > 0) & ~(b > 0)) | (a < b), ODD, OTHER),
    "bits of integers": (lambda a: (~a & 12) | 3, INTEGERS),
    "integer power": (lambda x: x**3 + x**-2, X),
    "reciprocal root": (lax.rsqrt, ODD),
    "reduced": (lambda x: (x.sum((0, 2)), x.max(1), x.min(-1), x.mean(), x.argmax(0)), X),
    "integers reduced": (lambda n: (n.sum(), n.max(), jnp.cumsum(n)), INTEGERS),
    "no values": (lambda x: x.sum(), jnp.zeros((0, 3))),
    "extremes of no values": (lambda x: (x.max(initial=-jnp.inf), x.min(initial=jnp.inf)), X[:0]),
    "softmax of no values": (lambda x: jax.nn.softmax(x[..., :0]), X),
    "converted": (lambda x: (x.astype(int), (x > 0).astype(x.dtype), x.astype("bfloat16")), X),
    "converted at the limits": (lambda x: (x.astype(int), x.astype("uint32")), ODD * 1e9),
    "moved": (lambda x: (x.T, x.reshape(6, -1), x[:, None], jnp.broadcast_to(x, (5, 2, 3, 4))), X),
    "ravelled": (lambda x: lax.reshape(x, (24,), (2, 0, 1)), X),
    "slices": (lambda x: (x[1:, ::2], x[..., -1], jnp.split(x, 2, 2), x[0].squeeze()), X),
    "joined": (lambda x, y: (jnp.concatenate([x, y], 1), jnp.stack([x, y])), X, Y),
    "selected": (lambda x, y: jnp.where(x > 0, x, y), X, Y),
    "selected by an integer": (lambda n, x, y: lax.select_n(n, x, y, x), jnp.array(1), X, Y),
    "copied": (lambda x: (jnp.copy(x), lax.stop_gradient(x)), X),
    "matrix product": (lambda x, y: x @ y.mT, X, Y),
    "outer product": (partial(jnp.einsum, "btc,bsd->tdbcs"), X, Y),
    "contracted": (partial(jnp.einsum, "btc,bts->bcs"), X, Y),
    "product of integers": (lambda n: n @ n, INTEGERS),
    "looked up": (lambda x, i: x.reshape(6, 4)[i], X, TOKENS),
    "taken": (lambda x, i: jnp.take(x.reshape(6, 4), i, axis=0), X, TOKENS),
    "updated": (lambda x: x.at[:, 1].set(0).at[0].add(1), X),
    "triangle": (lambda x: jnp.tril(jnp.ones((5, 5))) + jnp.arange(5.0), X),
    "normalized": (lambda x: (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True), X),
    "softmax": (lambda x: jax.nn.softmax(jnp.where(x > 0, x, -jnp.inf)), X),
    "activations": (lambda x: (jax.nn.relu(x), jax.nn.gelu(x), jax.nn.silu(x)), X),
    "gradients": (jax.grad(lambda x, y: (jax.nn.relu(x) @ y.mT).var(), argnums=(0, 1)), X, Y),
    "gradient of a lookup": (jax.grad(lambda x: (x.reshape(6, 4)[TOKENS[:, :2]] ** 2).sum()), X),
    "custom derivative": (jax.grad(lambda x: clipped(x).sum()), X),
    "checkpointed": (jax.grad(lambda x: jax.checkpoint(jnp.tanh)(x).sum()), X),
    "batched": (jax.vmap(lambda x, y: x @ y.T), X, Y),
    "loops": (scanned, X),
    "branches": (lambda x: lax.cond(x.sum() > 0, jnp.sin, jnp.cos, x), X),
    "random values": (lambda key: jax.random.normal(jax.random.fold_in(key, 3), (5,)), KEY),
    "keys": (lambda key: jax.random.key_data(jax.random.split(key)[1]), KEY),
    "a closure": (lambda x: x + Y + np.float32(1) + 2, X),
    "its own input, a constant, nothing": (lambda x: {"b": x, "a": (1.5, None)}, X),
    "numbers": (lambda n, x: n * x + n, 3, 0.5),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpy_agrees_with_xla(name):
    function, *arguments = FUNCTIONS[name]
    seen, expected = traced(function)(*arguments), jax.jit(function)(*arguments)
    assert jax.tree.structure(seen) == jax.tree.structure(expected)
    for mine, theirs in zip(*map(jax.tree.leaves, (seen, expected)), strict=True):
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_allclose(*(np.asarray(a, float) for a in (mine, theirs)), 1e-5, 1e-6)


def test_functions_cached_while_jax_was_patched_are_dropped():
    class Reference(nn.Module):
        def __call__(self, x):
            return nn.softmax(x)

    with pytest.raises(PatchedModule), restore_patched_modules():
        nn.softmax = lambda x: x
        patched = np.asarray(traced_apply(Reference())({}, X))
    np.testing.assert_array_equal(patched, X)
    np.testing.assert_allclose(traced_apply(Reference())({}, X), jax.nn.softmax(X), rtol=1e-5)


def test_every_operation_is_tested():
    jaxprs = [str(jax.make_jaxpr(function)(*a)) for function, *a in FUNCTIONS.values()]
    known = numpy_interpreter.OPERATIONS
    assert [name for name in known if not any(f" {name}" in jaxpr for jaxpr in jaxprs)] == []


def test_the_code_runs_once_for_each_shape_and_not_again_for_derivatives():
    shapes = []

    def function(x):
        shapes.append(x.shape)
        return (x**2).sum()

    run = traced(function)
    assert run(X) == run(X) and run(X[0]) > 0
    np.testing.assert_allclose(traced(jax.grad(run))(X), 2 * X, rtol=1e-6)
    np.testing.assert_allclose(jax.grad(run)(X[0]), 2 * X[0], rtol=1e-6)
    assert shapes == [(2, 3, 4), (3, 4)]


def test_a_function_that_cannot_be_traced_raises_the_same_error_as_under_jit():
    for function in (lambda x: x if x.sum() > 0 else -x, lambda x: np.sqrt(x), lambda x: "text"):
        with pytest.raises(Exception) as expected:
            jax.jit(function)(X)
        with pytest.raises(type(expected.value)) as seen:
            traced(function)(X)
        assert str(seen.value) == str(expected.value)


def test_the_precision_is_the_callers():
    with jax.default_matmul_precision("highest"):
        exact = traced(jnp.matmul)(X, Y.mT)
    np.testing.assert_allclose(exact, np.asarray(X, float) @ np.asarray(Y.mT, float), rtol=1e-5)


@pytest.mark.parametrize(
    "interpreter, calls_numpy", [(None, True), ("numpy", True), ("xla", False)]
)
def test_the_environment_chooses_the_interpreter_at_each_call(
    interpreter, calls_numpy, monkeypatch
):
    calls = []
    evaluate = numpy_interpreter.evaluate
    monkeypatch.setattr(
        numpy_interpreter, "evaluate", lambda *a: calls.append(None) or evaluate(*a)
    )
    run = traced(lambda x: {"sum": x.sum()})
    if interpreter is None:
        monkeypatch.delenv("MINIGPT_INTERPRETER", raising=False)
    else:
        monkeypatch.setenv("MINIGPT_INTERPRETER", interpreter)
    np.testing.assert_allclose(run(X)["sum"], X.sum(), rtol=1e-5)
    assert bool(calls) == calls_numpy


@pytest.mark.parametrize("value", ["", "torch", "XLA"])
def test_an_unknown_interpreter_is_refused(value, monkeypatch):
    run = traced(jnp.sum)
    monkeypatch.setenv("MINIGPT_INTERPRETER", value)
    with pytest.raises(UserError, match='should be "numpy" or "xla", not'):
        run(X)
