"""Run several training steps, in one compiled loop or in a Python loop.

A step of a small model ends before Python can dispatch the next. With a compiled loop, Python
dispatches many steps at once.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax.training.train_state import TrainState

from minigpt_challenge.errors import UserError

# (state, first, end, *source) → the state after the steps first, …, end - 1, and the sum of their
# losses. `source` holds the further arguments of `make_batch`.
RunSteps = Callable[..., tuple[TrainState, jax.Array]]


class BadStep(UserError, TypeError):
    """A training step returned something else than the next one needs; the message says what."""


def compiled_loop(train_step: Callable, make_batch: Callable) -> RunSteps:
    """A loop over steps that is compiled once for any number of them.

    Args:
        train_step: (state, x, y) → (state, loss).
        make_batch: (step, *source) → x, y.

    Raises:
        BadStep: when called, if `train_step` does not return a state like its input and a loss.
    """

    @jax.jit
    def run_steps(
        state: TrainState, first: int, end: int, *source: jax.Array
    ) -> tuple[TrainState, jax.Array]:
        def body(
            step: jax.Array, carry: tuple[TrainState, jax.Array]
        ) -> tuple[TrainState, jax.Array]:
            state, total_loss = carry
            returned = train_step(state, *make_batch(step, *source))
            _require_state_and_loss(returned, state)
            state, loss = returned
            return state, total_loss + jnp.float32(loss)

        return jax.lax.fori_loop(first, end, body, (state, jnp.float32(0)))

    return run_steps


def python_loop(train_step: Callable, make_batch: Callable) -> RunSteps:
    """The same loop in Python, for a `train_step` that JAX cannot trace."""

    def run_steps(
        state: TrainState, first: int, end: int, *source: jax.Array
    ) -> tuple[TrainState, jax.Array]:
        total_loss = jnp.float32(0)
        for step in range(first, end):
            state, loss = train_step(state, *make_batch(step, *source))
            total_loss += loss
        return state, total_loss

    return run_steps


def _require_state_and_loss(returned: object, before: TrainState) -> None:
    if (
        not isinstance(returned, tuple | list)
        or len(returned) != 2
        or _shapes_and_dtypes(returned[0]) != _shapes_and_dtypes(before)
        or jnp.shape(returned[1])
    ):
        raise BadStep(
            "train_step should return two things: the new state, with the same structure, shapes "
            "and dtypes as its input; and the loss, a scalar."
        )


def _shapes_and_dtypes(tree: object) -> object:
    return jax.tree.map(lambda leaf: (jnp.shape(leaf), jnp.result_type(leaf)), tree)
