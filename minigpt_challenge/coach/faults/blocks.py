"""Mistakes in the block and in the whole model (task 4), in plain NumPy.

A mistake that leaves parameters out leaves them unread here, just as it leaves them unmade in the
learner's module: that is how coach/pairing.py knows which weights such a module wants.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigpt_challenge.coach.diagnosis import Fault, Suspects
from minigpt_challenge.coach.faults.attention import einsum_suspects

NORMS = (
    Fault(
        "post_norm",
        "with the norm after the residual sum, as in the first Transformer of 2017",
        "Here nothing stands on the residual path itself: norm what a sublayer reads, not the sum.",
    ),
    Fault(
        "norm_after_sublayer",
        "with the norm after each sublayer in place of before it",
        "The sublayer reads the norm of x; what it returns is added as it is.",
    ),
    Fault(
        "residual_normed",
        "with the normed x on the residual path",
        "Only the sublayer reads the norm; what its output is added to is x itself.",
    ),
    Fault(
        "attention_norm_missing",
        "without the norm before attention",
        "Both sublayers read a normed x.",
    ),
    Fault(
        "feed_forward_norm_missing",
        "without the norm before the feed-forward network",
        "Both sublayers read a normed x.",
    ),
    Fault(
        "norms_shared",
        "with one LayerNorm for both sublayers",
        "Attention and feed-forward network each want a scale and bias of their own: two norms.",
    ),
    Fault(
        "norm_epsilon",
        "with 1e-5, PyTorch's epsilon, in a LayerNorm",
        "Leave every `nn.LayerNorm` at its defaults.",
    ),
    Fault(
        "norm_without_bias",
        "with LayerNorms that have no bias",
        "Leave `nn.LayerNorm` at its defaults: it has a scale and a bias.",
    ),
    Fault(
        "norm_without_scale",
        "with LayerNorms that have no scale",
        "Leave `nn.LayerNorm` at its defaults: it has a scale and a bias.",
    ),
    Fault(
        "rms_norm",
        "with RMSNorm in place of LayerNorm",
        "RMSNorm neither subtracts the mean nor has a bias; this model has LayerNorms.",
    ),
)

SUBLAYERS = (
    Fault(
        "attention_residual_missing",
        "without the residual around attention",
        "Attention's output is added to x, it does not take its place.",
    ),
    Fault(
        "feed_forward_residual_missing",
        "without the residual around the feed-forward network",
        "The feed-forward network's output is added to x, it does not take its place.",
    ),
    Fault(
        "residual_from_input",
        "adding the feed-forward network's output to the block's input, so that attention's part "
        "of the sum is lost",
        "The second sum goes on from the first: it adds to the x that attention was added to.",
    ),
    Fault(
        "sublayers_swapped",
        "with the feed-forward network before attention",
        "First the positions talk to each other, then each thinks for itself.",
    ),
    Fault(
        "sublayers_parallel",
        "with both sublayers reading the block's input",
        "The feed-forward network reads the x that attention has been added to already.",
    ),
    Fault(
        "attention_missing",
        "without attention",
        "A block has two sublayers: attention, then the feed-forward network.",
    ),
    Fault(
        "feed_forward_missing",
        "without the feed-forward network",
        "A block has two sublayers: attention, then the feed-forward network.",
    ),
    Fault(
        "heads_swapped",
        "with num_heads and head_dim swapped",
        "EinsumMultiHeadAttention takes num_heads first; keywords cannot be swapped.",
    ),
)

BLOCK = NORMS + SUBLAYERS

WHOLE = (
    Fault(
        "first_block_only",
        "with one block in place of num_layers",
        "Each block reads what the one before it returned, until all of them have had their turn.",
    ),
    Fault(
        "blocks_shared",
        "with one block applied num_layers times",
        "Each layer has weights of its own: make num_layers blocks, not one block many times.",
    ),
    Fault(
        "blocks_unchained",
        "with every block reading the embedding, so that only the last block counts",
        "Each block reads what the one before it returned.",
    ),
    Fault(
        "blocks_with_residual",
        "with another residual around every block",
        "The residual sums are inside the block already.",
    ),
    Fault(
        "final_norm_missing",
        "without the last LayerNorm",
        "The sums on the residual path grow from block to block; a norm comes before the last "
        "Dense.",
    ),
    Fault(
        "final_norm_first",
        "with the last LayerNorm before the blocks in place of after them",
        "The blocks norm what they read; what is left to norm is what the last of them returns.",
    ),
    Fault(
        "final_norm_in_loop",
        "with the last LayerNorm after every block",
        "It comes once, after all blocks. (Is a line indented too far?)",
    ),
    Fault(
        "dense_missing",
        "without the last Dense",
        "The logits are one number for each token of the vocabulary: a Dense from C to V.",
    ),
    Fault(
        "dense_without_bias",
        "without the last Dense's bias",
        "Here the last Dense is at its defaults, with bias.",
    ),
    Fault(
        "dense_tied",
        "with the token table, transposed, in place of the last Dense",
        "GPT-2 shares that table; here the output layer is a Dense of its own, with bias.",
    ),
    Fault(
        "softmax_at_the_end",
        "with a softmax at the end",
        "The model returns logits; the softmax is part of the loss.",
    ),
    Fault(
        "log_softmax_at_the_end",
        "with a log_softmax at the end",
        "The model returns logits; the softmax is part of the loss.",
    ),
    Fault(
        "positions_forgotten",
        "without the positions",
        "The embedding is the sum of two tables: what a token is, and where it stands.",
    ),
)

PLACES_OF_THE_NORM = {"post_norm", "norm_after_sublayer", "residual_normed"}


def block_suspects(params: Any, x: np.ndarray, num_heads: int) -> Suspects:
    """The mistakes in DecoderBlock: x (B, T, C) → (B, T, C)."""

    def compute(faults: frozenset[str]) -> np.ndarray:
        return _block(params["params"], x, num_heads, faults)

    return Suspects(BLOCK, compute)


def gpt_suspects(params: Any, tokens: np.ndarray, num_heads: int) -> Suspects:
    """The mistakes in MiniGPT and in its blocks: tokens (B, T) → logits (B, T, V)."""

    def compute(faults: frozenset[str]) -> np.ndarray:
        tree = params["params"]
        x = _embed(tree["embedding"], tokens, faults)  # (B, T, C)
        if "final_norm_first" in faults:
            x = _norm(tree["norm"], x, faults)
        x = _stack(tree, x, num_heads, faults)
        if not faults & {"final_norm_missing", "final_norm_first", "final_norm_in_loop"}:
            x = _norm(tree["norm"], x, faults)
        return _ending(_logits(tree, x, faults), faults)  # (B, T, V)

    return Suspects(WHOLE + BLOCK, compute)


def _embed(params: Any, tokens: np.ndarray, faults: frozenset[str]) -> np.ndarray:
    """(B, T) → (B, T, C)."""
    x = params["token_embedding"]["embedding"][tokens]
    if "positions_forgotten" in faults:
        return x
    return x + params["position_embedding"]["embedding"][: tokens.shape[1]]


def _stack(tree: Any, x: np.ndarray, num_heads: int, faults: frozenset[str]) -> np.ndarray:
    """All the blocks, one on another: (B, T, C) → (B, T, C)."""
    names = [name for name in tree if name.startswith("blocks_")]
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
    if len(faults & PLACES_OF_THE_NORM) > 1:
        raise ValueError("the norm cannot be in two places")
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
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon)
    if "norm_without_scale" not in faults:
        x = x * params["scale"]
    if faults & {"norm_without_bias", "rms_norm"}:
        return x
    return x + params["bias"]
