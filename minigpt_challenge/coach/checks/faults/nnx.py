"""Mistakes in loading weights into an NNX model, and in its training step (task 8).

They are reduced to those of tasks 4 and 5: a model with wrongly loaded weights is task 4's with
other weights, and a step that works in place is task 5's, seen from outside.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flax.training.train_state import TrainState

from minigpt_challenge.coach.checks import param_trees, random_inputs
from minigpt_challenge.coach.checks.diagnosis import Suspects
from minigpt_challenge.coach.checks.faults import step
from minigpt_challenge.coach.checks.faults.blocks import block_names, gpt_suspects
from minigpt_challenge.coach.checks.faults.catalogue.nnx import (
    JAX_JIT,
    LOAD,
    SWAPPED,
    TRAINING,
    TRANSPOSED,
    UPDATE_LOST,
)
from minigpt_challenge.coach.checks.faults.catalogue.step import LOSS
from minigpt_challenge.coach.checks.param_trees import Path
from minigpt_challenge.coach.runtime.reference_cache import cached

Leaves = dict[Path, np.ndarray]
Sources = Callable[[list[str]], Callable[[str], str]]


@cached  # a diagnosis asks for the same few arrays thousands of times
def before_loading(shape: tuple[int, ...]) -> np.ndarray:
    """What the checks put into every weight of this shape before loading, to recognize it later."""
    return np.asarray(random_inputs.floats(*shape, seed=1000 + len(shape), scale=0.5))


def loaded_gpt_suspects(params: Any, tokens: Any, num_heads: int, whole: bool) -> Suspects:
    """The mistakes in loading, in the model and in its blocks: tokens (B, T) → logits (B, T, V).

    Args:
        params: as the Linen reference has them.
        tokens: (B, T).
        num_heads: N.
        whole: whether the learner's model has as many weights as it should. If not, a missing
            weight is not a mistake in loading.
    """
    model = gpt_suspects(params, tokens, num_heads)
    shared = {fault for fault in model.faults if fault.id == "blocks_shared"}
    known = (*LOAD, *(fault for fault in model.faults if fault not in shared))
    loading_ids = {fault.id for fault in LOAD}

    def compute(faults: frozenset[str]) -> np.ndarray:
        loaded = {"params": param_trees.unflatten(_load(params["params"], faults & loading_ids))}
        return gpt_suspects(loaded, tokens, num_heads).output(faults - loading_ids)

    return Suspects(known, compute) if whole else model


def step_suspects(state: TrainState, x: jax.Array, y: jax.Array, by_jax_jit: bool) -> Suspects:
    """The mistakes in `nnx_train_step`, those in its loss among them: → what `outcome` gives.

    Args:
        state: what model and optimizer held before the step.
        x, y: (B, T).
        by_jax_jit: whether the learner's step uses `jax.jit`.
    """
    task_5 = step.step_suspects(state, x, y)
    lost = JAX_JIT if by_jax_jit else UPDATE_LOST

    def compute(faults: frozenset[str]) -> dict[str, Any]:
        ids_in_task_5 = {lost.id: "state_unchanged", "optimizer_created_anew": "opt_state_fresh"}
        new = task_5.output(frozenset(ids_in_task_5.get(fault, fault) for fault in faults))
        if "optimizer_created_anew" in faults:
            new |= {"opt_state": state.opt_state, "step": state.step}
        return new

    return Suspects((*LOSS, lost, *TRAINING), compute)


def _load(tree: dict[str, Any], faults: frozenset[str]) -> Leaves:
    """The reference's weights, loaded with these faults."""
    leaves = {path: np.asarray(leaf) for path, leaf in param_trees.flatten(tree)}
    for fault in sorted(faults & _MOVES.keys()):
        source_of = _MOVES[fault](block_names(tree))
        moved = {path: tuple(source_of(name) for name in path) for path in leaves}
        leaves = {path: leaves[moved[path] if moved[path] in leaves else path] for path in leaves}
    if TRANSPOSED.id in faults:
        leaves = {p: a.T if {"attention", "kernel"} < set(p) else a for p, a in leaves.items()}
    for fault in faults & _LEFT.keys():
        is_left = _LEFT[fault](block_names(tree))
        leaves = {p: before_loading(a.shape) if is_left(p) else a for p, a in leaves.items()}
    return leaves


def _swap(a: str, b: str) -> Sources:
    return lambda names: lambda name: {a: b, b: a}.get(name, name)


def _reorder(order: Callable[[list[str]], list[str]]) -> Sources:
    def sources(names: list[str]) -> Callable[[str], str]:
        source = dict(zip(names, order(names), strict=True))
        return lambda name: source.get(name, name)

    return sources


# For each fault: from the blocks' names to the name that each name's weights come from.
_MOVES = {fault.id: _swap(*names) for fault, names in SWAPPED.items()} | {
    "layers_reversed": _reorder(lambda names: names[::-1]),
    "layers_all_first": _reorder(lambda names: names[:1] * len(names)),
    "layers_all_last": _reorder(lambda names: names[-1:] * len(names)),
    "layers_sorted_as_text": _reorder(sorted),
}

# For each fault: from the blocks' names to whether the weight at a path is not loaded.
_LEFT = {
    "nothing_loaded": lambda names: lambda path: True,
    "embedding_left_behind": lambda names: lambda path: path[0] == "embedding",
    "tokens_left_behind": lambda names: lambda path: "token_embedding" in path,
    "positions_left_behind": lambda names: lambda path: "position_embedding" in path,
    "blocks_left_behind": lambda names: lambda path: path[0] in names,
    "first_layer_only": lambda names: lambda path: path[0] in names[1:],
    "last_layer_left_behind": lambda names: lambda path: path[0] == names[-1],
    "biases_left_behind": lambda names: lambda path: path[-1] == "bias",
    "linear_biases_left_behind": lambda names: (
        lambda path: path[-1] == "bias" and "norm" not in path[-2]
    ),
    "norm_biases_left_behind": lambda names: lambda path: path[-1] == "bias" and "norm" in path[-2],
    "norms_left_behind": lambda names: lambda path: "norm" in path[-2],
    "attention_left_behind": lambda names: lambda path: "attention" in path,
    "feed_forward_left_behind": lambda names: lambda path: "feed_forward" in path,
    "final_norm_left_behind": lambda names: lambda path: path[0] == "norm",
    "output_left_behind": lambda names: lambda path: path[0] == "dense",
}
