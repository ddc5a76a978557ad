"""Compiling quickly rather than well: what a check compiles runs a few times and is small."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax


@contextmanager
def compiled_in_haste() -> Iterator[None]:
    """On a CPU, what is compiled inside is hardly optimised: the same numbers, but for rounding."""
    if jax.default_backend() != "cpu":
        yield
        return
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)
