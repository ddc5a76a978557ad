"""Mistakes in the block and in the whole model (task 4), in plain NumPy.

Parameters that a mistake leaves out are not read here, just as the learner's module does not create
them: `checks/paired_modules.py` uses this to find which weights such a module has.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Suspects
from minigpt_challenge.coach.checks.faults.attention import einsum_suspects
from minigpt_challenge.coach.checks.faults.catalogue.blocks import BLOCK, WHOLE

NORM_PLACEMENTS = frozenset({"post_norm", "norm_after_sublayer", "residual_normed"})


def block_suspects(params: Any, x: np.ndarray, num_heads: int) -> Suspects:
    """The mistakes in DecoderBlock: x (B, T, C) → (B, T, C)."""

    x = np.asarray(x)

    def compute(faults: frozenset[str]) -> np.ndarray:
        return _block(params["params"], x, num_heads, faults)

    return Suspects(BLOCK, compute, (NORM_PLACEMENTS,))


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
        return _final_softmax(_logits(tree, x, faults), faults)  # (B, T, V)

    return Suspects(WHOLE + BLOCK, compute, (NORM_PLACEMENTS,))


def block_names(tree: Any) -> list[str]:
    """The names of the blocks in the order x passes through them: blocks_2 before blocks_10."""
    names = [name for name in tree if name.startswith("blocks_")]
    return sorted(names, key=lambda name: int(name.removeprefix("blocks_")))


def _embed(params: Any, tokens: np.ndarray, faults: frozenset[str]) -> np.ndarray:
    """(B, T) → (B, T, C)."""
    x = params["token_embedding"]["embedding"][tokens]
    if "positions_forgotten" in faults:
        return x
    return x + params["position_embedding"]["embedding"][: tokens.shape[1]]


def _stack(tree: Any, x: np.ndarray, num_heads: int, faults: frozenset[str]) -> np.ndarray:
    """All blocks, one after another: (B, T, C) → (B, T, C)."""
    names = block_names(tree)
    if "first_block_only" in faults:
        names = names[:1]
    if "blocks_shared" in faults:
        names = names[:1] * len(names)
    embedded = x
    for name in names:
        block_input = embedded if "blocks_unchained" in faults else x
        out = _block(tree[name], block_input, num_heads, faults)
        if "blocks_ignored" in faults:
            continue
        x = block_input + out if "blocks_with_residual" in faults else out
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


def _final_softmax(logits: np.ndarray, faults: frozenset[str]) -> np.ndarray:
    """The logits, after a softmax or log_softmax if a fault adds one: (B, T, V)."""
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
        sublayer_input = x if "sublayers_parallel" in faults else stream
        residual = x if "residual_from_input" in faults else stream
        norm, sublayer = _norm_of(params, name, faults), sublayers[name]
        has_residual = f"{name}_residual_missing" not in faults
        if "post_norm" in faults:
            stream = norm(has_residual * residual + sublayer(sublayer_input))
        elif "norm_after_sublayer" in faults:
            stream = has_residual * residual + norm(sublayer(sublayer_input))
        else:
            normed = norm(sublayer_input)
            residual = normed if "residual_normed" in faults else residual
            stream = has_residual * residual + sublayer(normed)
    return stream


def _norm_of(
    params: Any, sublayer: str, faults: frozenset[str]
) -> Callable[[np.ndarray], np.ndarray]:
    """The norm that belongs to a sublayer."""
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
