"""What carrying Linen's weights over to an NNX model must do: all arrive, nothing else changes."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.faults.catalogue.nnx import PARAMS_REPLACED
from minigpt_challenge.coach.checks.faults.nnx import before_loading
from minigpt_challenge.coach.checks.nnx_as_linen import weights_of
from minigpt_challenge.coach.checks.param_trees import flatten

Load = Callable[[nnx.Module, Any], None]  # the learner's `load_linen_params`


def with_known_weights(model: nnx.Module) -> nnx.Module:
    """The model; what each weight holds is known now, whatever its initialisers are."""
    weights = nnx.state(model, nnx.Param)
    known = jax.tree.map(lambda leaf: jnp.asarray(before_loading(leaf.shape)), weights)
    nnx.update(model, known)
    return model


def changes_nothing_but_the_values_of_weights(load: Load, model: nnx.Module, params: Any) -> None:
    """The model keeps its weights' names, shapes and dtypes, and all else; params stay as they are.

    Args:
        load: the learner's.
        model: the learner's.
        params: Linen's.
    """
    before = {path: np.array(leaf) for path, leaf in flatten(params)}
    names = weights_of(model)
    rest = nnx.to_pure_dict(nnx.state(model, nnx.Not(nnx.Param)))
    load(model, params)
    now = weights_of(model)
    for name in names:
        if name not in now:
            raise expect.Wrong(
                f"After load_linen_params, {name} is no longer an `nnx.Param` of the model, but a "
                f"plain array or nothing. {PARAMS_REPLACED.think}",
                (PARAMS_REPLACED.id,),
            )
        of = f"After load_linen_params, {name}"
        expect.dtype(expect.array(now[name], names[name].shape, "ijkl", of), np.float32, of)
    if surplus := now.keys() - names.keys():
        raise expect.Wrong(
            f"load_linen_params added weights to the model: {', '.join(sorted(surplus))}."
        )
    after = {path: np.asarray(leaf) for path, leaf in flatten(params)}
    if before.keys() != after.keys():
        raise expect.Wrong(
            "load_linen_params took something out of params, or put something in: whoever calls "
            "it may still need them as they were."
        )
    for path in before:
        expect.equal(after[path], before[path], "ij", f"The Linen weight {'/'.join(path)}, after,")
    kept = nnx.to_pure_dict(nnx.state(model, nnx.Not(nnx.Param)))
    expect.trees_equal(kept, rest, "What the model holds besides its weights")


def every_weight_arrived(model: nnx.Module, params: Any) -> None:
    """Each of Linen's weights is one of the model's.

    Args:
        model: the learner's, with known weights before `load_linen_params` was called.
        params: what it was called with.
    """
    held = set()
    for leaf in weights_of(model).values():
        # Whoever stacks the layers has one more axis, and a layer at each place of it.
        held |= {array.tobytes() for array in (leaf, *(leaf if leaf.ndim > 1 else ()))}
    for path, leaf in flatten(params["params"]):
        if np.asarray(leaf).tobytes() not in held:
            still = [
                f"{name} {weight.shape}"
                for name, weight in weights_of(model).items()
                if np.array_equal(weight, before_loading(weight.shape))
            ]
            left = f" As it was before is {still[0]}" if still else ""
            more = f", and {len(still) - 1} more" if len(still) > 1 else ""
            raise expect.Wrong(
                f"After load_linen_params(model, params), no weight of the model equals "
                f"params['params']{''.join(f'[{step!r}]' for step in path)}, of shape "
                f"{leaf.shape}.{left}{more}{'.' if left else ''}"
            )
