"""`minigpt train --fast`: the same model on the same batches, at its goal in far fewer steps.

What is different: the optimiser, rates that rise and fall, and the size of the first tables.
"""

from typing import Any

import flax.linen as nn
import jax
import optax
from flax.training.train_state import TrainState
from optax import contrib

FAST_STEPS = 550
MUON_RATE, ADAM_RATE = 0.03, 0.01  # at their highest
WARM_UP = 0.1  # of all steps: until the rates are at their highest


def fast_train_state(model: nn.Module, params: Any, num_steps: int) -> TrainState:
    """The model with louder first tables, and an optimiser for so many steps.

    The matrices between hidden vectors are left to Muon (Jordan et al., 2024,
    https://kellerjordan.github.io/posts/muon), which makes an update equally long in all of its
    directions; tables, biases, norms and the last layer to Adam, as its author advises.

    Args:
        model: has `vocab_size`, `block_size` and `hidden_dim`. Its weights may have any names:
            what they are for is told by their shapes.
        params: what `model.init` returned.
        num_steps: the rates fall to 0 at the last of them.
    """
    C = model.hidden_dim

    def is_hidden_matrix(leaf) -> contrib.MuonDimensionNumbers | None:
        shape = getattr(leaf, "shape", ())  # Optax asks about leaves that it has masked, too
        if len(shape) < 2 or shape[-2] % C or shape[-1] % C:
            return None
        return contrib.MuonDimensionNumbers(reduction_axis=(-2,), output_axis=(-1,))

    optimiser = contrib.muon(
        _rising_and_falling(MUON_RATE, num_steps),
        adam_learning_rate=_rising_and_falling(ADAM_RATE, num_steps),
        beta=0.9,
        adam_b2=0.99,
        ns_steps=3,  # with this preconditioning as good as 5 without, and cheaper
        preconditioning="schatten",
        muon_weight_dimension_numbers=lambda tree: jax.tree.map(is_hidden_matrix, tree),
    )
    return TrainState.create(apply_fn=model.apply, params=_rescaled(model, params), tx=optimiser)


def _rescaled(model: nn.Module, params: Any) -> Any:
    """Louder tables, so that a token is heard among all that the blocks add to it."""
    V, T, C = model.vocab_size, model.block_size, model.hidden_dim
    # A table as long as a multiple of C has the shape of a hidden matrix: it stays as it is.
    tables = {(rows, C) for rows in (V, T) if rows % C}
    return jax.tree.map(lambda leaf: leaf * 8.0 if leaf.shape in tables else leaf, params)


def _rising_and_falling(highest: float, num_steps: int) -> optax.Schedule:
    rising = max(1, int(WARM_UP * num_steps))
    parts = [
        optax.linear_schedule(highest / rising, highest, rising),
        optax.linear_schedule(highest, 0.0, num_steps - rising),
    ]
    return optax.join_schedules(parts, [rising])
