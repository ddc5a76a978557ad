"""Mistakes in the weights carried over to NNX, and in the training step there (task 8).

They are reduced to those of tasks 4 and 5: a model whose weights went astray is task 4's with
other weights, and a step that changes things in place is task 5's, seen from outside.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flax.training.train_state import TrainState

from minigpt_challenge.coach.checks import param_trees, random_inputs
from minigpt_challenge.coach.checks.diagnosis import Suspects
from minigpt_challenge.coach.checks.faults import step
from minigpt_challenge.coach.checks.faults.blocks import gpt_suspects, layers
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

Leaves = dict[Path, np.ndarray]


def before_loading(shape: tuple[int, ...]) -> np.ndarray:
    """What the checks put into every weight of this shape before the loading, to know it again."""
    return np.asarray(random_inputs.floats(*shape, seed=1000 + len(shape), scale=0.5))


def loaded_gpt_suspects(params: Any, tokens: Any, num_heads: int, whole: bool) -> Suspects:
    """The mistakes in loading, in the model and in its blocks: tokens (B, T) → logits (B, T, V).

    Args:
        params: as the Linen reference has them.
        tokens: (B, T).
        num_heads: N.
        whole: whether the learner's model has as many weights as it should. If not, weights that
            are missing are no mistake of the loading.
    """
    model = gpt_suspects(params, tokens, num_heads)
    shared = {fault for fault in model.faults if fault.id == "blocks_shared"}
    known = (*LOAD, *(fault for fault in model.faults if fault not in shared))
    of_loading = {fault.id for fault in LOAD}

    def compute(faults: frozenset[str]) -> np.ndarray:
        carried = {"params": param_trees.unflatten(_carried(params["params"], faults & of_loading))}
        return gpt_suspects(carried, tokens, num_heads).output(faults - of_loading)

    return Suspects(known, compute) if whole else model


def step_suspects(state: TrainState, x: jax.Array, y: jax.Array, by_jax_jit: bool) -> Suspects:
    """The mistakes in `nnx_train_step`, those in its loss among them: → what `outcome` gives.

    Args:
        state: what model and optimizer held before the step.
        x, y: (B, T).
        by_jax_jit: whether the learner's step was jitted by JAX itself.
    """
    of_task_5 = step.step_suspects(state, x, y)
    lost = JAX_JIT if by_jax_jit else UPDATE_LOST

    def compute(faults: frozenset[str]) -> dict:
        known_there = {lost.id: "state_unchanged", "optimizer_created_anew": "opt_state_fresh"}
        new = of_task_5.output(frozenset(known_there.get(fault, fault) for fault in faults))
        if "optimizer_created_anew" in faults:
            new |= {"opt_state": state.opt_state, "step": state.step}
        return new

    return Suspects((*LOSS, lost, *TRAINING), compute)


def _carried(tree: dict, faults: frozenset[str]) -> Leaves:
    """The reference's weights as they are after a faulty loading."""
    leaves = {path: np.asarray(leaf) for path, leaf in param_trees.flatten(tree)}
    for fault in sorted(faults & _MOVES.keys()):
        come_from = _MOVES[fault](layers(tree))
        moved = {path: tuple(come_from(name) for name in path) for path in leaves}
        leaves = {path: leaves[moved[path] if moved[path] in leaves else path] for path in leaves}
    if TRANSPOSED.id in faults:
        leaves = {p: a.T if {"attention", "kernel"} < set(p) else a for p, a in leaves.items()}
    for fault in faults & _LEFT.keys():
        stays = _LEFT[fault](layers(tree))
        leaves = {p: before_loading(a.shape) if stays(p) else a for p, a in leaves.items()}
    return leaves


def _swap(one: str, other: str) -> Callable:
    return lambda names: lambda name: {one: other, other: one}.get(name, name)


def _reorder(ordered: Callable[[list[str]], list[str]]) -> Callable:
    def come_from(names: list[str]) -> Callable[[str], str]:
        source = dict(zip(names, ordered(names), strict=True))
        return lambda name: source.get(name, name)

    return come_from


# For each fault, from the names of the layers to where a name's weights come from.
_MOVES = {fault.id: _swap(*names) for fault, names in SWAPPED.items()} | {
    "layers_reversed": _reorder(lambda names: names[::-1]),
    "layers_all_first": _reorder(lambda names: names[:1] * len(names)),
    "layers_all_last": _reorder(lambda names: names[-1:] * len(names)),
    "layers_sorted_as_text": _reorder(sorted),
}

# For each fault, from the names of the layers to whether a path is left behind.
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
