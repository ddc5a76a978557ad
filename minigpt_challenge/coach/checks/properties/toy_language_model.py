"""One toy language model for the suites: a function of params, as in Linen, and an NNX module.

Its logits depend on a token and on the mean of all tokens up to it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from flax.training.train_state import TrainState

from minigpt_challenge.coach.checks import random_inputs

SHARPNESS = 10.0  # makes gradients longer than 1, where clipping shows


def params(vocab_size: int, seed: int = 0) -> dict:
    """Random tables "token" (V, V), "context" (V, V) and "bias" (V,), nested as in Linen."""
    V = vocab_size
    shapes = {"token": (V, V), "context": (V, V), "bias": (V,)}
    tables = {
        name: random_inputs.floats(*shape, seed=3 * seed + index) / SHARPNESS
        for index, (name, shape) in enumerate(shapes.items())
    }
    return {"params": tables}


@jax.jit  # else each of its operations would be compiled alone, for each shape
def apply_fn(params: Any, x: jax.Array) -> jax.Array:
    """int (B, T) → logits, float (B, T, V).

    Raises:
        ValueError: x has another shape, or `params` are not what the function `params` returns.
    """
    if x.ndim != 2:
        raise ValueError(f"The model reads tokens of shape (B, T), and x has the shape {x.shape}.")
    tables = params.get("params") if isinstance(params, Mapping) else None
    if tables is None or "token" not in tables:
        raise ValueError(
            "`params` is what `model.init` returned, with the key 'params' inside. Hand it to "
            "`apply_fn` as it is, and keep it so in the state."
        )
    count = jnp.arange(1, x.shape[1] + 1)[:, None]  # (T, 1)
    context = jnp.cumsum(tables["context"][x], axis=1) / count  # (B, T, V)
    return SHARPNESS * (tables["token"][x] + context + tables["bias"])


def mild_apply_fn(params: Any, x: jax.Array) -> jax.Array:
    """The same with gradients shorter than 1."""
    return apply_fn(params, x) / SHARPNESS


class ToyModel(nnx.Module):
    """`apply_fn` with its params, in NNX."""

    def __init__(self, vocab_size: int, seed: int = 0) -> None:
        for name, table in params(vocab_size, seed)["params"].items():
            setattr(self, name, nnx.Param(table))

    def __call__(self, x: jax.Array) -> jax.Array:
        """int (B, T) → logits, float (B, T, V)."""
        tables = {name: getattr(self, name)[...] for name in ("token", "context", "bias")}
        return apply_fn({"params": tables}, x)


class MildToyModel(ToyModel):
    """The same with gradients shorter than 1."""

    def __call__(self, x: jax.Array) -> jax.Array:
        """int (B, T) → logits, float (B, T, V)."""
        return super().__call__(x) / SHARPNESS


def new_state(
    tx: optax.GradientTransformation,
    vocab_size: int,
    seed: int = 0,
    apply_fn: Callable = apply_fn,
) -> TrainState:
    """The state of a training that has not begun."""
    return TrainState.create(apply_fn=apply_fn, params=params(vocab_size, seed), tx=tx)


def batch(vocab_size: int, B: int, T: int, seed: int = 0) -> tuple[jax.Array, jax.Array]:
    """Random x and y, integers (B, T); y has a token 0, which some take for padding."""
    both = random_inputs.tokens(2, B, T, vocab_size=vocab_size, seed=seed)
    return both[0], both[1].at[0, 0].set(0)


def loss(params: Any, apply_fn: Callable, x: jax.Array, y: jax.Array) -> np.float32:
    """What `loss_fn` should return for these arguments."""
    return cross_entropy(apply_fn(params, x), y)


def cross_entropy(logits: Any, y: Any) -> np.float32:
    """Mean cross-entropy of logits (B, T, V) and labels (B, T), in NumPy, in float64."""
    logits = np.asarray(logits, np.float64)
    logits = logits - logits.max(-1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return np.float32(-np.take_along_axis(log_probs, np.asarray(y)[..., None], -1).mean())
