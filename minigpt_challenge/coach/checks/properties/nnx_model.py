"""What an NNX model must do: give what Linen gives, with weights of its own in every layer."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import jax
import numpy as np
from flax import nnx

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults.blocks import block_suspects
from minigpt_challenge.coach.checks.faults.catalogue.nnx import (
    BLOCKS_SHARED,
    RNGS_IGNORED,
    RNGS_REUSED,
)
from minigpt_challenge.coach.checks.faults.embedding import embedding_suspects
from minigpt_challenge.coach.checks.jaxpr_counts import count_primitive
from minigpt_challenge.coach.checks.nnx_as_linen import AsLinen, num_weights, weights_of
from minigpt_challenge.coach.checks.paired_modules import PairedModules
from minigpt_challenge.coach.checks.param_pairing import weights_for
from minigpt_challenge.coach.checks.properties import linen_reference
from minigpt_challenge.coach.checks.properties.language_model import (
    sees_nothing_of_the_future as sees_nothing_of_the_future,  # task 8's suite asks for it here
)
from minigpt_challenge.coach.runtime.loading import solution


def embedding_equals_linen(
    make: Callable[..., nnx.Module],
    settings: Iterable[tuple[tuple[int, int, int], Sequence[tuple[int, int]]]],
    label: str,
) -> None:
    """With the same weights, the embedding gives what task 1's gives.

    Args:
        make: the learner's NNXEmbedding.
        settings: vocab_size, block_size and hidden_dim; (B, T) of the tokens that are tried.
        label: the call, for the message.
    """
    cases = (case for sizes, shapes in settings for case in _embedded(make, sizes, shapes))
    expect.all_equal(cases, "BTC", label)


def _embedded(
    make: Callable[..., nnx.Module], sizes: tuple[int, int, int], shapes: Iterable[tuple[int, int]]
) -> Iterator[expect.Case]:
    vocab_size, block_size, hidden_dim = sizes
    embedding = make(vocab_size, block_size, hidden_dim=hidden_dim, rngs=nnx.Rngs(0))
    linen = solution(1).TokenAndPositionEmbedding(*sizes)
    tokens = random_inputs.tokens(2, block_size, vocab_size=vocab_size)
    model, linen_params = AsLinen(embedding), random_inputs.params(linen, tokens)
    params = weights_for(model, linen, linen_params, tokens)
    token_table, position_table = (
        linen_params["params"][name]["embedding"]
        for name in sorted(linen_params["params"], reverse=True)
    )
    for seed, shape in enumerate(shapes):
        tokens = random_inputs.tokens(*shape, vocab_size=vocab_size, seed=seed)
        suspects = embedding_suspects(token_table, position_table, np.asarray(tokens))
        yield model.apply(params, tokens), linen.apply(linen_params, tokens), suspects


def block_equals_linen(
    make: Callable[..., nnx.Module],
    settings: Iterable[tuple[int, int, Sequence[tuple[int, int, float]]]],
    label: str,
) -> None:
    """With the same weights, the block gives what task 4's gives.

    Args:
        make: the learner's NNXDecoderBlock.
        settings: hidden_dim, num_heads, and the inputs of each block: their B, T and scale.
        label: the call, for the message.
    """

    def compared() -> Iterator[tuple]:
        seed = 2
        for hidden_dim, num_heads, inputs in settings:
            twins = None
            for B, T, scale in inputs:
                x = random_inputs.floats(B, T, hidden_dim, seed=seed, scale=scale)
                twins = twins or _paired_blocks(make, hidden_dim, num_heads, x)
                yield twins.case(x)
                seed += 1

    expect.all_equal(compared(), "BTC", label)


def _paired_blocks(
    make: Callable[..., nnx.Module], hidden_dim: int, num_heads: int, x: jax.Array
) -> PairedModules:
    mine = AsLinen(make(hidden_dim, num_heads=num_heads, rngs=nnx.Rngs(0)))
    theirs = solution(4).DecoderBlock(hidden_dim, num_heads)
    return PairedModules(mine, theirs, x, suspects=partial(block_suspects, num_heads=num_heads))


def every_layer_has_weights_of_its_own(
    make: Callable[..., nnx.Module], sizes: Mapping[str, int], tokens: jax.Array
) -> None:
    """More layers have more weights, as many as in Linen, all of them float32.

    Args:
        make: the learner's NNXMiniGPT.
        sizes: what it is called with, several layers among them.
        tokens: integers (B, T).
    """
    L = sizes["num_layers"]
    sizes_by_layers = {n: {**sizes, "num_layers": n} for n in (1, L)}
    expected = {n: linen_reference.num_weights(sizes) for n, sizes in sizes_by_layers.items()}
    gpts = {n: make(**sizes, rngs=nnx.Rngs(0)) for n, sizes in sizes_by_layers.items()}

    def num_products(gpt: nnx.Module) -> int:
        return count_primitive("dot_general", AsLinen(gpt).apply, AsLinen(gpt).params, tokens)

    single, several = gpts[1], gpts[L]
    if num_weights(single) == num_weights(several) and num_products(single) < num_products(several):
        raise expect.Wrong(
            f"It has {num_weights(single)} weights with one layer and with {L}: one block is "
            f"applied {L} times.",
            asked="Each layer of NNXMiniGPT should have weights of its own.",
            advice=BLOCKS_SHARED.think,
            diagnosis=(BLOCKS_SHARED.id,),
            about="the weights of each layer",
        )
    for num_layers, gpt in gpts.items():
        for name, leaf in weights_of(gpt).items():
            expect.dtype(leaf, np.float32, f"The weight {name}")
        if num_weights(gpt) != expected[num_layers]:
            raise expect.Wrong(
                f"It has {num_weights(gpt)}.",
                asked=f"NNXMiniGPT with num_layers={num_layers} should have "
                f"{expected[num_layers]} weights.",
                advice="Each block has weights of its own, so has each LayerNorm; and a weight is "
                "an `nnx.Param`, as the layers of NNX make them.",
                about="the number of weights",
            )


def first_weights_come_from_rngs(make: Callable[[nnx.Rngs], nnx.Module]) -> None:
    """No two weights begin alike, and none begins alike with other rngs."""
    weights, other_weights = (weights_of(make(nnx.Rngs(seed))) for seed in (0, 1))
    drawn = {name: leaf for name, leaf in weights.items() if leaf.ndim > 1 and np.ptp(leaf)}
    names: dict[bytes, str] = {}
    for name, leaf in drawn.items():
        twin = names.setdefault(leaf.tobytes(), name)
        if twin != name:
            raise expect.Wrong(
                f"{twin} and {name} begin with the same ones, so they would learn the same.",
                asked="Each weight should begin with random numbers of its own.",
                advice=RNGS_REUSED.think,
                diagnosis=(RNGS_REUSED.id,),
                about="random numbers that are used twice",
            )
    for name, leaf in drawn.items():
        if np.array_equal(leaf, other_weights[name]):
            raise expect.Wrong(
                f"{name} begins with the same ones for nnx.Rngs(0) and nnx.Rngs(1).",
                asked="Each weight should begin with random numbers from `rngs`.",
                advice=RNGS_IGNORED.think,
                diagnosis=(RNGS_IGNORED.id,),
                about="random numbers that do not come from `rngs`",
            )


def survives_jit_and_split_and_merge(model: nnx.Module, tokens: jax.Array, label: str) -> None:
    """The same logits under `nnx.jit`, traced once, and after `nnx.split` and `nnx.merge`."""
    expected, traces = np.asarray(model(tokens)), []

    @nnx.jit
    def run(model: nnx.Module, tokens: jax.Array) -> jax.Array:
        traces.append(tokens.shape)
        return model(tokens)

    for _ in range(3):
        expect.equal(run(model, tokens), expected, "BTV", f"Under nnx.jit, {label}")
    if len(traces) > 1:
        raise expect.Wrong(
            "It is traced at every call: it seems to change itself when it is called.",
            asked="Under nnx.jit the model should be traced once for the same shapes.",
            advice="Keep what is computed in ordinary variables.",
            about="tracing under nnx.jit",
        )
    merged = nnx.merge(*nnx.split(model))
    expect.equal(merged(tokens), expected, "BTV", f"After nnx.split and nnx.merge, {label}")
