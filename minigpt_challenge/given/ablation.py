"""Take parts of a GPT away, to see what they are for."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import flax.linen as nn

NORM = "LayerNorm"
SUBLAYERS = ("EinsumMultiHeadAttention", "FeedForward")


def without(*, norm: bool = False, residual: bool = False) -> AbstractContextManager[None]:
    """Within it, a pre-norm GPT computes without LayerNorm, without the residual stream, or both.

    Nothing in the model changes: the calls of its submodules are intercepted.

    Args:
        norm: each LayerNorm returns its input.
        residual: `x + sublayer(norm(x))` becomes `sublayer(norm(x))`.
    """
    stream = None  # the input of the last LayerNorm, (B, T, C)

    def intercept(call: Callable, args: tuple, kwargs: dict, context: Any) -> Any:
        nonlocal stream
        kind = type(context.module).__name__ if context.method_name == "__call__" else None
        if kind == NORM:
            stream = args[0]
            return stream if norm else call(*args, **kwargs)
        if residual and kind in SUBLAYERS:
            return call(*args, **kwargs) - stream  # the model adds the stream
        return call(*args, **kwargs)

    return nn.intercept_methods(intercept)
