"""What loading Linen's weights into an NNX model must do: all arrive, and keep their form.

`answer` is the learner's file throughout. Models are called as they are, without `nnx.jit`: for
arrays this small, tracing and compiling a model takes ten times as long as running it.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults.catalogue.nnx import PARAMS_REPLACED
from minigpt_challenge.coach.checks.faults.nnx import before_loading, loaded_gpt_suspects
from minigpt_challenge.coach.checks.nnx_as_linen import num_weights, weights_of
from minigpt_challenge.coach.checks.param_trees import flatten
from minigpt_challenge.coach.checks.properties import linen_reference
from minigpt_challenge.coach.checks.properties.linen_reference import Sizes
from minigpt_challenge.coach.runtime.reference_cache import cached
from minigpt_challenge.given.copies import copies


def unloaded(answer: Any, sizes: Sizes) -> nnx.Module:
    """The learner's model; each weight holds known values, whatever its initialisers are."""
    graph, weights, rest = _parts(answer.NNXMiniGPT, tuple(sizes.items()))
    return nnx.merge(graph, jax.tree.map(jnp.asarray, weights), copies(rest))


@partial(cached, max_entries=3)  # those of one file
def _parts(make: Callable[..., nnx.Module], sizes: tuple[tuple[str, int], ...]) -> tuple:
    """The model's graph, its weights (NumPy arrays) and the rest of its state.

    Putting a model together from these takes a tenth of the time of making it anew.
    """
    model = make(**dict(sizes), rngs=nnx.Rngs(0))
    parts: tuple[Any, ...] = nnx.split(model, nnx.Param, ...)
    graph, weights, rest = parts
    return graph, jax.tree.map(lambda leaf: before_loading(leaf.shape), weights), rest


def loaded(answer: Any, sizes: Sizes, params: Any) -> nnx.Module:
    """The learner's model with these weights of Linen, loaded by the learner's own function."""
    model = unloaded(answer, sizes)
    answer.load_linen_params(model, params)
    return model


def changes_nothing_but_the_values_of_weights(answer: Any, sizes: Sizes) -> None:
    """The model keeps its weights' names, shapes and dtypes; params stay the same."""
    params = linen_reference.params(sizes)
    params_before = {path: np.array(leaf) for path, leaf in flatten(params)}
    model = unloaded(answer, sizes)
    before = weights_of(model)
    answer.load_linen_params(model, params)
    _same_weights(weights_of(model), before)
    params_after = {path: np.asarray(leaf) for path, leaf in flatten(params)}
    if params_before.keys() != params_after.keys():
        raise expect.Wrong(
            "Something was taken out, or put in.",
            asked="load_linen_params should leave params as they are, since the caller may still "
            "need them.",
            about="the params given to load_linen_params",
        )
    for path, leaf in params_before.items():
        expect.equal(params_after[path], leaf, "ij", f"The Linen weight {'/'.join(path)}, after,")


def _same_weights(seen: dict[str, np.ndarray], before: dict[str, np.ndarray]) -> None:
    """Names, shapes and dtypes are those from before the loading."""
    for name in before:
        label = f"After load_linen_params, {name}"
        if name not in seen:
            raise expect.Wrong(
                "It is a plain array, or gone.",
                asked=f"{label} should still be an `nnx.Param` of the model.",
                advice=PARAMS_REPLACED.think,
                diagnosis=(PARAMS_REPLACED.id,),
                about="the weights after load_linen_params",
            )
        leaf = expect.array(seen[name], before[name].shape, "ijkl", label)
        expect.dtype(leaf, np.float32, label)
    if surplus := seen.keys() - before.keys():
        raise expect.Wrong(
            f"It added {', '.join(sorted(surplus))}.",
            asked="load_linen_params should add no weights to the model.",
            about="the weights after load_linen_params",
        )


def every_weight_arrives(answer: Any, settings: Sequence[Sizes]) -> None:
    """Each of Linen's weights is one of the model's, for models of each of these sizes."""
    params_of_all = [linen_reference.params(sizes) for sizes in settings]
    for sizes, params in zip(settings, params_of_all, strict=True):
        _every_weight_arrived(weights_of(loaded(answer, sizes, params)), params)


def _every_weight_arrived(seen: dict[str, np.ndarray], params: Any) -> None:
    arrived = set()
    for leaf in seen.values():
        # Stacked layers have one more axis, along which each entry is a layer.
        arrived |= {array.tobytes() for array in (leaf, *(leaf if leaf.ndim > 1 else ()))}
    for path, leaf in flatten(params["params"]):
        if np.asarray(leaf).tobytes() in arrived:
            continue
        unchanged = [
            f"{name} {weight.shape}"
            for name, weight in seen.items()
            if np.array_equal(weight, before_loading(weight.shape))
        ]
        more = f", and {len(unchanged) - 1} more" if len(unchanged) > 1 else ""
        raise expect.Wrong(
            f"No weight of the model equals params['params']"
            f"{''.join(f'[{name!r}]' for name in path)}, of shape {leaf.shape}.",
            asked="After load_linen_params(model, params), the model should have all weights.",
            advice=f"Not changed: {unchanged[0]}{more}." if unchanged else "",
            about="weights that did not arrive",
        )


def logits_equal_linen(
    answer: Any,
    settings: Sequence[tuple[Sizes, Sequence[tuple[int, int]], int, float]],
    label: str,
) -> None:
    """With the weights of a Linen model, the model gives its logits.

    Args:
        answer: the learner's file.
        settings: the model's sizes; (B, T) of the tokens; the seed of weights and tokens; what all
            weights are multiplied by.
        label: the call, for the message.
    """
    expected = [
        [linen_reference.logits(sizes, shape, seed, scale) for shape in shapes]
        for sizes, shapes, seed, scale in settings
    ]
    sizes = settings[0][0]
    is_whole = num_weights(unloaded(answer, sizes)) == linen_reference.num_weights(sizes)

    def compared() -> Iterator[tuple]:
        for (sizes, shapes, seed, scale), outputs in zip(settings, expected, strict=True):
            params = linen_reference.params(sizes, seed, scale)
            model = loaded(answer, sizes, params)
            for shape, logits in zip(shapes, outputs, strict=True):
                tokens = random_inputs.tokens(*shape, vocab_size=sizes["vocab_size"], seed=seed)
                suspects = loaded_gpt_suspects(params, tokens, sizes["num_heads"], is_whole)
                yield model(tokens), logits, suspects

    expect.all_equal(compared(), "BTV", f"With the weights of the Linen model, {label}")


def gradients_equal_linen(answer: Any, sizes: Sizes, shape: tuple[int, int], seed: int) -> None:
    """The gradients of a weighted sum of logits are Linen's, weight by weight.

    Args:
        answer: the learner's file.
        sizes: the model's.
        shape: (B, T) of the tokens.
        seed: theirs.
    """
    gradients = linen_reference.gradients(sizes, shape, seed)
    tokens = random_inputs.tokens(*shape, vocab_size=sizes["vocab_size"], seed=seed)
    weight = linen_reference.weight(sizes, shape, seed)
    gradient = nnx.grad(lambda model: (model(tokens) * weight).sum())
    model, expected = loaded(answer, sizes, linen_reference.params(sizes)), unloaded(answer, sizes)
    nnx.update(model, nnx.jit(gradient)(model))
    answer.load_linen_params(expected, gradients)  # the learner's names, for Linen's gradients
    expect.trees_equal(
        weights_of(model), weights_of(expected), "The gradient of NNXMiniGPT's weights"
    )
