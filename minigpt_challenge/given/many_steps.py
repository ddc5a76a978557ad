"""Several training steps in a row, in one compiled program or one by one.

A small model's step is over before Python has asked for the next. Where the loop over the steps is
compiled as well, Python is asked once for all of them.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax.training.train_state import TrainState

from minigpt_challenge.errors import UserError

# (state, first, end, *whatever a batch is cut from) → the state after the steps
# first, …, end - 1, and the sum of their losses.
Steps = Callable[..., tuple[TrainState, jax.Array]]


class BadStep(UserError, TypeError):
    """What a training step returns is not what the next one needs; the message says what is."""


def in_one_program(train_step: Callable, batch_of: Callable) -> Steps:
    """A loop that is compiled once, whatever the number of steps.

    Args:
        train_step: (state, x, y) → (state, loss).
        batch_of: (step, *whatever a batch is cut from) → x, y.

    Raises:
        BadStep: when called: `train_step` does not return a state like the one that it was given,
            and a loss.
    """

    @jax.jit
    def steps(state: TrainState, first: int, end: int, *source) -> tuple[TrainState, jax.Array]:
        def one(step, carried):
            state, total_loss = carried
            returned = train_step(state, *batch_of(step, *source))
            _refuse_another_kind(returned, state)
            state, loss = returned
            return state, total_loss + jnp.float32(loss)

        return jax.lax.fori_loop(first, end, one, (state, jnp.float32(0)))

    return steps


def one_by_one(train_step: Callable, batch_of: Callable) -> Steps:
    """The same for a `train_step` that cannot be traced, since Python has to run it."""

    def steps(state: TrainState, first: int, end: int, *source) -> tuple[TrainState, jax.Array]:
        total_loss = 0.0
        for step in range(first, end):
            state, loss = train_step(state, *batch_of(step, *source))
            total_loss += loss
        return state, total_loss

    return steps


def _refuse_another_kind(returned: object, before: TrainState) -> None:
    is_pair = isinstance(returned, tuple | list) and len(returned) == 2
    if not is_pair or _kinds(returned[0]) != _kinds(before) or jnp.shape(returned[1]):
        raise BadStep(
            "train_step should return two things: the new state, with the same arrays in the same "
            "places, of the same shapes and dtypes as in the one that it was given; and the loss, "
            "a scalar."
        )


def _kinds(tree: object) -> object:
    return jax.tree.map(lambda leaf: (jnp.shape(leaf), jnp.result_type(leaf)), tree)
