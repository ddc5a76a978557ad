"""The attention weights of a trained model on a text, as arrays."""

import contextlib
import io
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.coach.checks.attention_probe import Probe, attention_weights
from minigpt_challenge.coach.checks.param_pairing import close, under_the_given_names
from minigpt_challenge.coach.runtime.loading import solution


def rung_maps(model: Any, params: Any, tokens: jax.Array) -> np.ndarray | None:
    """The weights of the attention in a `LookBackAndGuess`, measured by calling the module.

    The probe needs heads of at least T numbers. Longer queries and keys, filled up with zeros, have
    the same dot products; the factor makes up for the larger head_dim in the scale.

    Args:
        model: has `embedding` and `attention`, the learner's modules.
        params: its trained params.
        tokens: integers (T,).

    Returns:
        float (N, T, S); None if the output of the attention is not weights times values.
    """
    trained = params["params"]
    x = model.embedding.apply({"params": trained["embedding"]}, tokens[None])[0]  # (T, C)
    (T, C), attention = x.shape, model.attention
    N, H = getattr(attention, "num_heads", 1), attention.head_dim
    wider = max(H, T)
    query, key = (
        np.pad(
            np.asarray(trained["attention"][name]["kernel"]).reshape(C, N, H),
            ((0, 0), (0, 0), (0, wider - H)),
        )
        for name in ("query", "key")
    )
    probe = Probe(np.asarray(x), query * (wider / H) ** 0.5, key)
    with jax.default_matmul_precision("highest"):
        return attention_weights(attention.clone(head_dim=wider), probe)


def gpt_maps(model: nn.Module, params: Any, tokens: jax.Array) -> np.ndarray | None:
    """The weights of every head of a MiniGPT of task 4.

    The reference computes what the learner's model computes, with the same params under its own
    names; its queries and keys are recorded on the way.

    Args:
        model: a MiniGPT, the learner's or another.
        params: its trained params.
        tokens: integers (T,).

    Returns:
        float (L, N, T, S) for L blocks; None if the reference computes something else.

    Raises:
        Wrong: the model has other parameters than the reference.
    """
    x = tokens[None]  # (1, T)
    with jax.default_matmul_precision("highest"), contextlib.redirect_stdout(io.StringIO()):
        given = under_the_given_names(model, params, x)
        fields = ("vocab_size", "hidden_dim", "block_size", "num_layers", "num_heads")
        sizes = {name: getattr(model, name) for name in fields}
        logits, recorded = (
            solution(4)
            .MiniGPT(**sizes)
            .apply(
                given, x, capture_intermediates=lambda module, _: module.name in ("query", "key")
            )
        )
        if not close(jnp.asarray(logits), np.asarray(model.apply(params, x))):
            return None
    blocks = [
        recorded["intermediates"][f"blocks_{layer}"]["attention"]
        for layer in range(sizes["num_layers"])
    ]
    shape = len(blocks), len(tokens), sizes["num_heads"], -1
    q, k = (
        np.reshape([block[name]["__call__"][0][0] for block in blocks], shape)
        for name in ("query", "key")
    )  # (L, T, N, H), (L, S, N, H)
    scores = np.einsum("LTNH,LSNH->LNTS", q, k) / q.shape[-1] ** 0.5
    return causal_softmax(scores)


def causal_softmax(scores: np.ndarray) -> np.ndarray:
    """The softmax over S of each position's scores up to itself: float (..., T, S)."""
    masked = np.where(np.tri(scores.shape[-1], dtype=bool), scores, -np.inf)
    exponentials = np.exp(masked - masked.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)
