"""`minigpt train --fast`: the same model and batches, but far fewer steps to the target.

The differences: the optimizer, a learning rate schedule, and embeddings scaled by 8 at the start.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training.train_state import TrainState
from optax import contrib

FAST_STEPS = 550
MUON_RATE, ADAM_RATE = 0.03, 0.01  # peak learning rates
EMBEDDING_SCALE = 8.0
WARM_UP = 0.1  # of all steps


def fast_train_state(model: nn.Module, params: Any, num_steps: int) -> TrainState:
    """The model with scaled-up embeddings, and an optimizer for `num_steps` steps.

    Hidden matrices are updated by Muon (Jordan et al., 2024,
    https://kellerjordan.github.io/posts/muon), which orthogonalizes each update; embeddings,
    biases, norms and the last layer by Adam, as the author of Muon recommends.

    Args:
        model: has `vocab_size`, `block_size` and `hidden_dim`. Its weights may have any names:
            they are recognized by their shapes.
        params: what `model.init` returned.
        num_steps: the learning rates decay to 0 at this step.
    """
    C = model.hidden_dim

    def muon_dimensions(leaf: Any) -> contrib.MuonDimensionNumbers | None:
        shape: tuple[int, ...] = getattr(leaf, "shape", ())  # Optax passes masked leaves, too
        if len(shape) < 2 or shape[-2] % C or shape[-1] % C:
            return None
        return contrib.MuonDimensionNumbers(reduction_axis=(-2,), output_axis=(-1,))

    optimizer = contrib.muon(
        _warmup_linear_decay(MUON_RATE, num_steps),
        adam_learning_rate=_warmup_linear_decay(ADAM_RATE, num_steps),
        beta=0.9,
        adam_b2=0.99,
        ns_steps=3,  # with this preconditioning as good as 5 without it, and cheaper
        preconditioning="schatten",
        muon_weight_dimension_numbers=lambda tree: jax.tree.map(muon_dimensions, tree),
    )
    scaled = _scale_embeddings(model, params)
    return TrainState.create(apply_fn=model.apply, params=scaled, tx=optimizer)


def _scale_embeddings(model: nn.Module, params: Any) -> Any:
    """Scale the embeddings up, so that what the blocks add does not drown out the token.

    Their root mean square becomes EMBEDDING_SCALE times that of a new `nn.Embed`, 1 / √C, however
    they were initialized.
    """
    V, T, C = model.vocab_size, model.block_size, model.hidden_dim
    # An embedding whose length is a multiple of C has the shape of a hidden matrix: skip it.
    shapes = {(rows, C) for rows in (V, T) if rows % C}

    def scaled(table: jax.Array) -> jax.Array:
        root_mean_square = jnp.sqrt(jnp.mean(table**2))
        wanted = EMBEDDING_SCALE / C**0.5
        return jnp.where(root_mean_square > 0, table * wanted / root_mean_square, table)

    return jax.tree.map(lambda leaf: scaled(leaf) if leaf.shape in shapes else leaf, params)


def _warmup_linear_decay(peak: float, num_steps: int) -> optax.Schedule:
    """A learning rate that rises linearly to `peak`, then decays linearly to 0."""
    warmup_steps = max(1, int(WARM_UP * num_steps))
    parts = [
        optax.linear_schedule(peak / warmup_steps, peak, warmup_steps),
        optax.linear_schedule(peak, 0.0, num_steps - warmup_steps),
    ]
    return optax.join_schedules(parts, [warmup_steps])
