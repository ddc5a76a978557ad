"""Random inputs and weights for the checks, drawn by NumPy: the same for every machine and JAX.

They are JAX arrays, as in training: with NumPy arrays a `+=` in an answer would change the input
that the reference gets next.
"""

from typing import Any

import jax
import numpy as np

from minigpt_challenge.coach.checks import param_trees
from minigpt_challenge.coach.checks.param_trees import Model


def floats(*shape: int, seed: int = 0, scale: float = 1.0) -> jax.Array:
    """Normally distributed float32."""
    drawn = scale * np.random.default_rng(seed).standard_normal(shape)
    return jax.device_put(drawn.astype(np.float32))  # `jnp.asarray` would compile


def tokens(*shape: int, vocab_size: int, seed: int = 0) -> jax.Array:
    """Random int32 tokens, of which the first two are 0 and vocab_size - 1."""
    drawn = np.random.default_rng(seed).integers(0, vocab_size, shape, dtype=np.int32)
    if drawn.size > 1:
        drawn.flat[:2] = 0, vocab_size - 1
    return jax.device_put(drawn)


def params(module: Model, *inputs: Any, seed: int = 0) -> dict:
    """Weights for a module, of the shapes and dtypes that its `init` would give.

    Every leaf is random, biases and LayerNorm scales too, so that leaving one out changes the
    output. Kernels are divided by √fan_in, which keeps activations near 1.
    """
    return params_of(param_trees.parameters(module, *inputs), seed)


def params_of(shapes: dict, seed: int = 0) -> dict:
    """Weights of these shapes and dtypes, as `params` draws them."""
    leaves, treedef = jax.tree.flatten(shapes)
    random = np.random.default_rng(seed)
    drawn = [
        random.standard_normal(leaf.shape) / max(leaf.shape[0], 1) ** 0.5
        if len(leaf.shape) > 1
        else random.uniform(0.5, 1.5, leaf.shape)
        for leaf in leaves
    ]
    drawn = [new.astype(leaf.dtype) for new, leaf in zip(drawn, leaves, strict=True)]
    return jax.tree.unflatten(treedef, jax.device_put(drawn))
