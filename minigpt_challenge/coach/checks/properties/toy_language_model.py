"""A small language model to try a training step on, in NNX and as a function of params.

What it foretells depends on a token and on all before it.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from minigpt_challenge.coach.checks import random_inputs

SHARPNESS = 10.0  # makes gradients longer than 1, where clipping shows


class Tables(nnx.Module):
    """int (B, T) → logits, float (B, T, V)."""

    def __init__(self, vocab_size: int, seed: int = 0):
        V = vocab_size
        shapes = {"token": (V, V), "context": (V, V), "bias": (V,)}
        for place, (name, shape) in enumerate(shapes.items()):
            drawn = random_inputs.floats(*shape, seed=3 * seed + place) / SHARPNESS
            setattr(self, name, nnx.Param(drawn))

    def __call__(self, x):
        return _foretell(self.token[...], self.context[...], self.bias[...], x)


class Mild(Tables):
    """The same with gradients shorter than 1."""

    def __call__(self, x):
        return super().__call__(x) / SHARPNESS


def apply_fn(params: Any, x: jax.Array) -> jax.Array:
    """What `Tables` does, with params as Linen would have them."""
    return _foretell(**params["params"], x=x)


def mild_apply_fn(params: Any, x: jax.Array) -> jax.Array:
    """What `Mild` does, with params as Linen would have them."""
    return apply_fn(params, x) / SHARPNESS


def cross_entropy(model: nnx.Module, x: jax.Array, y: jax.Array) -> np.float32:
    """Mean cross-entropy in plain NumPy, in float64.

    Args:
        model: from (B, T) to logits (B, T, V).
        x, y: integers (B, T).
    """
    logits = np.asarray(model(x), np.float64)  # (B, T, V)
    logits -= logits.max(-1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return np.float32(-np.take_along_axis(log_probs, np.asarray(y)[..., None], -1).mean())


@jax.jit  # else each of its operations would be compiled alone, for each shape
def _foretell(token, context, bias, x):
    if x.ndim != 2:
        raise ValueError(f"The model reads tokens of shape (B, T), and x has the shape {x.shape}.")
    count = jnp.arange(1, x.shape[1] + 1)[:, None]  # (T, 1)
    so_far = jnp.cumsum(context[x], axis=1) / count  # (B, T, V)
    return SHARPNESS * (token[x] + so_far + bias)
