"""What task 8 is compared with: the solutions of earlier tasks, in Linen.

The whole model is the same for every file on trial, and tracing it takes as long as everything
else. So it is run once per process for each setting, and its results are cached, as NumPy arrays.
Weights and gradients are handed out as copies. In a check, call these functions before the file on
trial runs: it may patch JAX, which is undone only after the check.
"""

from collections.abc import Callable, Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training.train_state import TrainState

from minigpt_challenge.coach.checks import param_trees, random_inputs
from minigpt_challenge.coach.runtime.loading import solution
from minigpt_challenge.coach.runtime.reference_cache import cached

Sizes = Mapping[str, int]  # MiniGPT's attributes
_Key = tuple[tuple[str, int], ...]  # the same, hashable


def params(sizes: Sizes, seed: int = 0, scale: float = 1.0) -> dict:
    """Random weights for a model of these sizes, multiplied by `scale`; a copy for the caller."""
    drawn = _params(tuple(sizes.items()), seed)
    return jax.tree.map(lambda leaf: jnp.asarray(np.float32(scale) * leaf), drawn)


def num_weights(sizes: Sizes) -> int:
    """How many numbers a model of these sizes learns."""
    return sum(leaf.size for leaf in jax.tree.leaves(_shapes(tuple(sizes.items()))))


def logits(sizes: Sizes, shape: tuple[int, int], seed: int = 0, scale: float = 1.0) -> np.ndarray:
    """(B, T, V), with the weights of this seed and scale, for tokens of this seed and shape."""
    return _logits(tuple(sizes.items()), shape, seed, scale)


@cached
def _logits(key: _Key, shape: tuple[int, int], seed: int, scale: float) -> np.ndarray:
    tokens = random_inputs.tokens(*shape, vocab_size=dict(key)["vocab_size"], seed=seed)
    return np.asarray(_apply(key)(params(dict(key), seed, scale), tokens))


def gradients(sizes: Sizes, shape: tuple[int, int], seed: int) -> dict:
    """The gradients of the sum of logits times `weight`, for tokens of this seed and shape."""
    grads = _gradients(tuple(sizes.items()), shape, seed)
    return jax.tree.map(jnp.asarray, grads)


def weight(sizes: Sizes, shape: tuple[int, int], seed: int) -> jax.Array:
    """float (B, T, V), by which `gradients` multiplies the logits."""
    return random_inputs.floats(*shape, sizes["vocab_size"], seed=seed + 1)


@cached
def _gradients(key: _Key, shape: tuple[int, int], seed: int) -> dict:
    sizes = dict(key)
    tokens = random_inputs.tokens(*shape, vocab_size=sizes["vocab_size"], seed=seed)

    def weighted(params: dict) -> jax.Array:
        return (_apply(key)(params, tokens) * weight(sizes, shape, seed)).sum()

    return jax.device_get(jax.jit(jax.grad(weighted))(params(sizes)))


@partial(cached, max_entries=1)  # its keys belong to one suite, and should not pile up
def three_steps(
    key: _Key, tx: optax.GradientTransformation, batch: Callable[[int], tuple]
) -> tuple[list[np.ndarray], np.ndarray]:
    """The losses of three steps of task 5, and after them the logits for the last x.

    Args:
        key: the items of the model's sizes.
        tx: the optimizer.
        batch: from the index of a step to x, y: integers (B, T).
    """
    state = TrainState.create(apply_fn=_apply(key), params=params(dict(key)), tx=tx)
    losses, x = [], None
    for step in range(3):
        x, y = batch(step)
        state, loss = solution(5).train_step(state, x, y)
        losses.append(np.asarray(loss))
    return losses, np.asarray(_apply(key)(state.params, x))


@cached
def _apply(key: _Key) -> Callable:
    return jax.jit(solution(4).MiniGPT(**dict(key)).apply)


@cached
def _params(key: _Key, seed: int) -> dict:
    return jax.device_get(random_inputs.params_of(_shapes(key), seed))


@cached
def _shapes(key: _Key) -> dict:
    """The shapes of all weights. All blocks have the same, so only one block is traced."""
    sizes = dict(key)
    gpt = solution(4).MiniGPT(**sizes | {"num_layers": 1})
    tree = param_trees.parameters(gpt, random_inputs.tokens(1, 2, vocab_size=sizes["vocab_size"]))[
        "params"
    ]
    blocks = {f"blocks_{i}": tree["blocks_0"] for i in range(sizes["num_layers"])}
    return {"params": tree | blocks}
