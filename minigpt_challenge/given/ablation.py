"""Take parts of a GPT away, to see what they are for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import flax.linen as nn

from minigpt_challenge.errors import UserError

NORM = "LayerNorm"
SUBLAYERS = ("EinsumMultiHeadAttention", "FeedForward")


@contextmanager
def without(*, norm: bool = False, residual: bool = False) -> Iterator[None]:
    """Within it, a pre-norm GPT computes without LayerNorm, without the residual stream, or both.

    Nothing in the model changes: the calls of its submodules are intercepted.

    Args:
        norm: each LayerNorm returns its input.
        residual: `x + sublayer(norm(x))` becomes `sublayer(norm(x))`.

    Raises:
        UserError: the model ran without a part of that kind, so nothing was taken away.
    """
    stream = None  # the input of the last LayerNorm, (B, T, C)
    found = set()

    def intercept(call: Callable, args: tuple, kwargs: dict, context: Any) -> Any:
        nonlocal stream
        kind = type(context.module).__name__ if context.method_name == "__call__" else None
        found.add(kind)
        if kind == NORM:
            stream = args[0]
            return stream if norm else call(*args, **kwargs)
        if residual and kind in SUBLAYERS:
            return call(*args, **kwargs) - stream  # the model adds the stream
        return call(*args, **kwargs)

    with nn.intercept_methods(intercept):
        yield
    if norm and NORM not in found or residual and not found.intersection(SUBLAYERS):
        raise UserError(
            f"Nothing was taken away: this model calls no nn.{NORM} or none of {SUBLAYERS}."
        )
