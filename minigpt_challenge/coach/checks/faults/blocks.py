"""Mistakes in the block and in the whole model (task 4), in plain NumPy.

A mistake that leaves parameters out leaves them unread here, just as it leaves them unmade in the
learner's module: that is how coach/twins.py knows which weights such a module wants.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Suspects
from minigpt_challenge.coach.checks.faults.attention import einsum_suspects
from minigpt_challenge.coach.checks.faults.catalogue.blocks import BLOCK, WHOLE

PLACES_OF_THE_NORM = frozenset({"post_norm", "norm_after_sublayer", "residual_normed"})


def block_suspects(params: Any, x: np.ndarray, num_heads: int) -> Suspects:
    """The mistakes in DecoderBlock: x (B, T, C) → (B, T, C)."""

    x = np.asarray(x)

    def compute(faults: frozenset[str]) -> np.ndarray:
        return _block(params["params"], x, num_heads, faults)

    return Suspects(BLOCK, compute, (PLACES_OF_THE_NORM,))


def gpt_suspects(params: Any, tokens: np.ndarray, num_heads: int) -> Suspects:
    """The mistakes in MiniGPT and in its blocks: tokens (B, T) → logits (B, T, V)."""

    tokens = np.asarray(tokens)

    def compute(faults: frozenset[str]) -> np.ndarray:
        tree = params["params"]
        x = _embed(tree["embedding"], tokens, faults)  # (B, T, C)
        if "final_norm_first" in faults:
            x = _norm(tree["norm"], x, faults)
        x = _stack(tree, x, num_heads, faults)
        if not faults & {"final_norm_missing", "final_norm_first", "final_norm_in_loop"}:
            x = _norm(tree["norm"], x, faults)
        return _ending(_logits(tree, x, faults), faults)  # (B, T, V)

    return Suspects(WHOLE + BLOCK, compute, (PLACES_OF_THE_NORM,))


def layers(tree: Any) -> list[str]:
    """The names of the blocks, the first that x passes through first: blocks_2, then blocks_10."""
    names = [name for name in tree if name.startswith("blocks_")]
    return sorted(names, key=lambda name: int(name.removeprefix("blocks_")))


def _embed(params: Any, tokens: np.ndarray, faults: frozenset[str]) -> np.ndarray:
    """(B, T) → (B, T, C)."""
    x = params["token_embedding"]["embedding"][tokens]
    if "positions_forgotten" in faults:
        return x
    return x + params["position_embedding"]["embedding"][: tokens.shape[1]]


def _stack(tree: Any, x: np.ndarray, num_heads: int, faults: frozenset[str]) -> np.ndarray:
    """All the blocks, one on another: (B, T, C) → (B, T, C)."""
    names = layers(tree)
    if "first_block_only" in faults:
        names = names[:1]
    if "blocks_shared" in faults:
        names = names[:1] * len(names)
    came = x
    for name in names:
        read = came if "blocks_unchained" in faults else x
        out = _block(tree[name], read, num_heads, faults)
        x = read + out if "blocks_with_residual" in faults else out
        if "final_norm_in_loop" in faults:
            x = _norm(tree["norm"], x, faults)
    return x


def _logits(tree: Any, x: np.ndarray, faults: frozenset[str]) -> np.ndarray:
    """(B, T, C) → (B, T, V)."""
    if "dense_missing" in faults:
        return x
    if "dense_tied" in faults:
        return x @ tree["embedding"]["token_embedding"]["embedding"].T
    logits = x @ tree["dense"]["kernel"]
    return logits if "dense_without_bias" in faults else logits + tree["dense"]["bias"]


def _ending(logits: np.ndarray, faults: frozenset[str]) -> np.ndarray:
    shifted = logits - logits.max(-1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    if "softmax_at_the_end" in faults:
        return np.exp(log_softmax)
    return log_softmax if "log_softmax_at_the_end" in faults else logits


def _block(params: Any, x: np.ndarray, num_heads: int, faults: frozenset[str]) -> np.ndarray:
    """(B, T, C) → (B, T, C)."""
    if "heads_swapped" in faults:
        num_heads = x.shape[-1] // num_heads

    def attention(x: np.ndarray) -> np.ndarray:
        tree = {"params": params["attention"]}
        return einsum_suspects(tree, x, num_heads).compute(frozenset())

    def feed_forward(x: np.ndarray) -> np.ndarray:
        up, down = params["feed_forward"]["up"], params["feed_forward"]["down"]
        return np.maximum(x @ up["kernel"] + up["bias"], 0) @ down["kernel"] + down["bias"]

    sublayers = {"attention": attention, "feed_forward": feed_forward}
    names = [name for name in sublayers if f"{name}_missing" not in faults]
    if "sublayers_swapped" in faults:
        names.reverse()
    stream = x
    for name in names:
        read = x if "sublayers_parallel" in faults else stream
        carried = x if "residual_from_input" in faults else stream
        norm, sublayer = _norm_of(params, name, faults), sublayers[name]
        is_carried = f"{name}_residual_missing" not in faults
        if "post_norm" in faults:
            stream = norm(is_carried * carried + sublayer(read))
        elif "norm_after_sublayer" in faults:
            stream = is_carried * carried + norm(sublayer(read))
        else:
            normed = norm(read)
            carried = normed if "residual_normed" in faults else carried
            stream = is_carried * carried + sublayer(normed)
    return stream


def _norm_of(params: Any, sublayer: str, faults: frozenset[str]) -> Callable:
    if f"{sublayer}_norm_missing" in faults:
        return lambda x: x
    name = "attention_norm" if "norms_shared" in faults else f"{sublayer}_norm"
    return lambda x: _norm(params[name], x, faults)


def _norm(params: Any, x: np.ndarray, faults: frozenset[str]) -> np.ndarray:
    if "rms_norm" not in faults:
        x = x - x.mean(-1, keepdims=True)
    epsilon = 1e-5 if "norm_epsilon" in faults else 1e-6
    if "norm_epsilon_is_hidden_dim" in faults:
        epsilon = x.shape[-1]
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon)
    if "norm_without_scale" not in faults:
        x = x * params["scale"]
    if faults & {"norm_without_bias", "rms_norm"}:
        return x
    return x + params["bias"]
