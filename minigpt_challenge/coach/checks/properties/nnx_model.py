"""What an NNX model must be besides right: weights of its own in every layer, drawn from rngs."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.faults.catalogue.nnx import (
    BLOCKS_SHARED,
    PARAMS_REPLACED,
    RNGS_IGNORED,
    RNGS_REUSED,
)
from minigpt_challenge.coach.checks.faults.nnx import before_loading
from minigpt_challenge.coach.checks.jaxpr_counts import count_primitive
from minigpt_challenge.coach.checks.nnx_as_linen import AsLinen, num_weights, weights_of
from minigpt_challenge.coach.checks.param_trees import flatten


def every_layer_has_weights_of_its_own(
    gpts: Mapping[int, nnx.Module], wanted: Mapping[int, int], tokens: jax.Array
) -> None:
    """More layers have more weights, as many as in Linen, all of them float32.

    Args:
        gpts: the learner's NNXMiniGPT, by its number of layers: one, and several.
        wanted: how many weights each should have.
        tokens: integers (B, T).
    """
    (_, one), (L, several) = sorted(gpts.items())

    def products(gpt: nnx.Module) -> int:
        return count_primitive("dot_general", AsLinen(gpt).apply, AsLinen(gpt).params, tokens)

    if num_weights(one) == num_weights(several) and products(one) < products(several):
        raise expect.Wrong(
            f"NNXMiniGPT has {num_weights(one)} weights with one layer, and as many with {L}: it "
            f"is one block, applied {L} times. {BLOCKS_SHARED.think}",
            diagnosis=(BLOCKS_SHARED.id,),
        )
    for num_layers, gpt in gpts.items():
        for name, leaf in weights_of(gpt).items():
            expect.dtype(leaf, np.float32, f"The weight {name}")
        size = num_weights(gpt)
        if size != wanted[num_layers]:
            raise expect.Wrong(
                f"NNXMiniGPT with num_layers={num_layers} should have {wanted[num_layers]} "
                f"weights, and has {size}. Each block has weights of its own, so has each "
                "LayerNorm; and a weight is an `nnx.Param`, as the layers of NNX make them."
            )


def first_weights_come_from_rngs(make: Callable[[nnx.Rngs], nnx.Module]) -> None:
    """No two weights begin alike, and none begins alike with other rngs."""
    one, other = (weights_of(make(nnx.Rngs(n))) for n in (0, 1))
    drawn = {name: leaf for name, leaf in one.items() if leaf.ndim > 1 and np.ptp(leaf)}
    seen = {}
    for name, leaf in drawn.items():
        twin = seen.setdefault(leaf.tobytes(), name)
        if twin != name:
            raise expect.Wrong(
                f"{twin} and {name} begin with the same random numbers, so they would learn the "
                f"same. {RNGS_REUSED.think}",
                diagnosis=(RNGS_REUSED.id,),
            )
    for name, leaf in drawn.items():
        if np.array_equal(leaf, other[name]):
            raise expect.Wrong(
                f"{name} begins with the same random numbers whether `rngs` is nnx.Rngs(0) or "
                f"nnx.Rngs(1). {RNGS_IGNORED.think}",
                diagnosis=(RNGS_IGNORED.id,),
            )


def sees_nothing_of_the_future(
    run: Callable[[jax.Array], jax.Array], tokens: jax.Array, vocab_size: int, of: str
) -> None:
    """Another token at any position changes no logits before it.

    Args:
        run: the learner's model, compiled: integers (B, T) → logits (B, T, V).
        tokens: integers (B, T).
        vocab_size: V.
        of: what is called, in words.
    """
    B, T = tokens.shape
    before = expect.array(run(tokens), (B, T, vocab_size), "BTV", of)
    for s in range(1, T):
        changed = tokens.at[:, s].set((tokens[:, s] + 1 + s) % vocab_size)
        moved = np.abs(np.asarray(run(changed)) - before)[:, :s].max(axis=(0, 2))  # (s,)
        if moved.max() > 1e-5:
            t = int(moved.argmax())
            raise expect.Wrong(
                f"{of} looks into the future: another token at position {s} changed the "
                f"logits at position {t} by {moved[t]:.3g}."
            )


def survives_jit_and_split_and_merge(model: nnx.Module, tokens: jax.Array, of: str) -> None:
    """The same logits under `nnx.jit`, traced once, and after `nnx.split` and `nnx.merge`."""
    expected, traced = np.asarray(model(tokens)), []

    @nnx.jit
    def traced_run(model, tokens):
        traced.append(tokens.shape)
        return model(tokens)

    for _ in range(3):
        expect.equal(traced_run(model, tokens), expected, "BTV", f"Under nnx.jit, {of}")
    if len(traced) > 1:
        raise expect.Wrong(
            "Under nnx.jit the model is traced at every call, for the same shapes: it seems to "
            "change itself when it is called. Keep what is computed in ordinary variables."
        )
    merged = nnx.merge(*nnx.split(model))
    expect.equal(merged(tokens), expected, "BTV", f"After nnx.split and nnx.merge, {of}")


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
                diagnosis=(PARAMS_REPLACED.id,),
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
