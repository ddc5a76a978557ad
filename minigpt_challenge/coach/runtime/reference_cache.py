"""What is kept of the reference from check to check, and forgotten where it may be spoilt."""

from collections.abc import Callable
from functools import lru_cache

MOST = 64  # of each function: the references of all suites, at every shape that they are asked for

_caches = []


def kept(function: Callable, most: int = MOST) -> Callable:
    """`functools.lru_cache`, of which `forget` knows."""
    cached = lru_cache(most)(function)
    _caches.append(cached)
    return cached


def forget() -> None:
    """Forget all: code that changed JAX for everybody may have run before it was kept."""
    for cached in _caches:
        cached.cache_clear()
