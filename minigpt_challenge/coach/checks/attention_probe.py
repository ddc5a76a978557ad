"""Measure the learner's attention weights by calling the module, without reading its code.

The output of attention is linear in the values: at position t it is Σₛ weights[t, s] · value[s].
So if the value of position s is row s of the identity matrix, the output is the weights. To
choose the values freely, the input has two halves, [content | one-hot position]: the kernels of
query and key read only the first, the kernel of value only the second.
"""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from minigpt_challenge.coach.checks import random_inputs
from minigpt_challenge.coach.checks.tolerance import MIN_LEAK, TOLERANCE, differs
from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER, Task
from minigpt_challenge.coach.runtime.limits import TimeLimitReached, time_limit
from minigpt_challenge.coach.runtime.loading import load_file, task_module
from minigpt_challenge.coach.runtime.patched_modules import restore_patched_modules

TIME_LIMIT_S = 5.0  # the checks have run before, so code that hangs is rare


@dataclass(frozen=True)
class Probe:
    """Content and kernels for T positions and N heads of H >= T.

    Attributes:
        content: float (T, E).
        query, key: the kernels, float (E, N, H).
    """

    content: np.ndarray
    query: np.ndarray
    key: np.ndarray


@dataclass(frozen=True)
class AttentionMaps:
    """How much each position t takes from each position s, for every head.

    Attributes:
        seen, expected: the learner's weights and the reference's, float (N, T, S).
    """

    seen: np.ndarray
    expected: np.ndarray

    @property
    def leaks(self) -> np.ndarray:
        """Where a position takes from a later one: bool (N, T, S)."""
        return np.triu(np.abs(self.seen) > MIN_LEAK, 1)

    @property
    def differs(self) -> np.ndarray:
        """Where the weights are not the expected ones, NaN included: bool (N, T, S)."""
        return differs(self.seen, self.expected)


@dataclass(frozen=True)
class _Attention:
    """The attention module of a task, and its number of heads."""

    make: Callable[[ModuleType, int, int], nn.Module]
    num_heads: int


_ATTENTIONS = {
    "task2_attention": _Attention(lambda module, N, H: module.SelfAttention(head_dim=H), 1),
    "task3_einsum_attention": _Attention(
        lambda module, N, H: module.EinsumMultiHeadAttention(num_heads=N, head_dim=H), 2
    ),
}


def random_probe(num_heads: int) -> Probe:
    """Six random positions: every mistake in the weights shows."""
    T, E, H = 6, 4, 8
    shapes = [(T, E), (E, num_heads, H), (E, num_heads, H)]
    return Probe(
        *(np.asarray(random_inputs.floats(*shape, seed=n)) for n, shape in enumerate(shapes))
    )


def text_probe(text: str, num_heads: int) -> Probe:
    """A position for each character.

    Head 0 looks for what followed an earlier occurrence of the last two characters, head 1 for
    the previous position.
    """
    T, sharpness = len(text), 4.5
    H = 2 * T + 1
    characters = sorted(set(text))
    D = len(characters)
    here = np.eye(D, dtype=np.float32)[[characters.index(character) for character in text]]
    back = [np.eye(T, k=-steps, dtype=np.float32) for steps in range(3)]
    content = np.concatenate([back[0] @ here, back[1] @ here, back[2] @ here, back[0]], axis=1)
    query, key = np.zeros((2, 3 * D + T, 2, H), np.float32)  # (E, N, H)
    query[: 2 * D, 0, : 2 * D] = np.eye(2 * D)  # the character here and the one before
    key[D : 3 * D, 0, : 2 * D] = np.eye(2 * D)  # the one before and the one before that
    query[3 * D :, 1, :T], key[3 * D :, 1, :T] = back[1], back[0]
    return Probe(content, sharpness * H**0.5 * query[:, :num_heads], key[:, :num_heads])


def attention_weights(attention: nn.Module, probe: Probe) -> np.ndarray | None:
    """The weights of every head, (N, T, S); None if the output is not weights times values.

    Errors in the module are not caught.
    """
    T, E = probe.content.shape
    _, N, H = probe.query.shape
    x = np.concatenate([probe.content, np.eye(T, dtype=np.float32)], axis=1)[None]  # (1, T, E + T)

    def output(values: Any) -> Any:
        content_only, position_only = np.zeros((T, N * H)), np.zeros((E, N * H))
        kernels: dict[str, list[Any]] = {
            "query": [probe.query.reshape(E, -1), content_only],
            "key": [probe.key.reshape(E, -1), content_only],
            "value": [position_only, values.reshape(T, -1)],
        }
        params: dict[str, dict[str, Any]] = {
            name: {"kernel": jax.numpy.concatenate(halves).astype(np.float32)}
            for name, halves in kernels.items()
        }
        if N > 1:
            bias = np.zeros(N * H, np.float32)
            params["dense"] = {"kernel": np.eye(N * H, dtype=np.float32), "bias": bias}
        return attention.apply({"params": params}, jax.numpy.asarray(x))  # (1, T, N·H)

    shape = jax.eval_shape(output, np.zeros((T, N, H), np.float32)).shape
    if shape != (1, T, N * H):
        return None
    identity = np.broadcast_to(np.eye(T, H, dtype=np.float32)[:, None], (T, N, H))
    heads = np.asarray(output(identity)).reshape(T, N, H)
    weights = heads[..., :T].swapaxes(0, 1)  # (N, T, S)
    values = random_inputs.floats(T, N, H, seed=3)
    mixed = np.einsum("NTS,SNH->TNH", weights, values).reshape(shape)
    is_mixed = np.allclose(output(values), mixed, atol=TOLERANCE, equal_nan=True)
    return weights if is_mixed else None


def attention_maps(task: Task, answer: Path, text: str | None = None) -> AttentionMaps | None:
    """The attention weights of the learner's file and of the reference.

    Args:
        task: 2 or 3; other tasks have no maps.
        answer: the learner's file.
        text: the content of the positions; random if left out.

    Returns:
        None if the learner's code raises an error, or its output is not weights times values.
    """
    if task.stem not in _ATTENTIONS:
        return None
    kind = _ATTENTIONS[task.stem]
    N = kind.num_heads
    probe = text_probe(text, N) if text else random_probe(N)
    H = probe.query.shape[-1]
    with jax.default_matmul_precision("highest"):
        reference = load_file(task.solution, f"reference_{task.stem}")
        expected = attention_weights(kind.make(reference, N, H), probe)
        try:
            with (
                contextlib.redirect_stdout(io.StringIO()),
                restore_patched_modules(),
                time_limit(TIME_LIMIT_S),
                task_module(task, answer, SOLUTIONS_FOLDER) as module,
            ):
                seen = attention_weights(kind.make(module, N, H), probe)
        except (Exception, SystemExit, TimeLimitReached):
            return None  # the checks report the error; here only the picture is missing
    return None if seen is None or expected is None else AttentionMaps(seen, expected)
