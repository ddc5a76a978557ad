"""Task 5: training step. Measure how wrong the model is, and update every weight."""

from collections.abc import Callable
from typing import Any

import jax
import optax
from flax.training.train_state import TrainState


def loss_fn(params: Any, apply_fn: Callable, x: jax.Array, y: jax.Array) -> jax.Array:
    """The mean cross-entropy between the model's predictions and the true next tokens.

    For logits z and the true token y, the cross-entropy is -log softmax(z)[y]: the surprise, in
    nats, at seeing y. For a uniform prediction it is log V (4.17 for 65 characters).

    Args:
        params: as returned by `model.init`.
        apply_fn: `model.apply`; `apply_fn(params, x)` returns the logits, float (B, T, V).
        x: integers (B, T), the tokens that the model sees.
        y: integers (B, T), the token that follows each of them.

    Returns:
        a float scalar, the mean over all B·T predictions.
    """
    # TODO: compute the logits, then the cross-entropy of each prediction (Optax has a function
    # for integer labels), then the mean.
    ### BEGIN SOLUTION
    logits = apply_fn(params, x)  # (B, T, V)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)  # (B, T)
    return losses.mean()
    ### END SOLUTION


@jax.jit
def train_step(state: TrainState, x: jax.Array, y: jax.Array) -> tuple[TrainState, jax.Array]:
    """One step of gradient descent, with the optimizer in the state.

    Args:
        state: holds `params`, `apply_fn`, the optimizer `tx` and its `opt_state`. It is
            immutable: `state.apply_gradients(grads=…)` returns a new state.
        x: integers (B, T).
        y: integers (B, T).

    Returns:
        (the state after the step, the loss before the step: a float scalar).
    """
    # TODO: compute the loss and its gradient with respect to the params (`jax.value_and_grad`),
    # then the new state. (The step may donate the old one.)
    ### BEGIN SOLUTION
    loss, grads = jax.value_and_grad(loss_fn)(state.params, state.apply_fn, x, y)
    return state.apply_gradients(grads=grads), loss
    ### END SOLUTION


@jax.jit
def eval_step(state: TrainState, x: jax.Array, y: jax.Array) -> jax.Array:
    """The loss of the state's params on a batch, without any update.

    Args:
        state: as in `train_step`.
        x: integers (B, T).
        y: integers (B, T).

    Returns:
        the loss: a float scalar.
    """
    # TODO: one line.
    ### BEGIN SOLUTION
    return loss_fn(state.params, state.apply_fn, x, y)
    ### END SOLUTION
