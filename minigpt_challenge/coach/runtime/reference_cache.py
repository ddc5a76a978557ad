"""Caches for what checks share: results of the reference, parts of the learner's model."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

MAX_ENTRIES = 64  # of each function: the references of all suites, at every shape that they use

_caches: list[Any] = []  # functools' own wrappers


def cached(function: Callable, max_entries: int = MAX_ENTRIES) -> Callable:
    """`functools.lru_cache`, to be cleared by `clear_all`."""
    cache = lru_cache(max_entries)(function)
    _caches.append(cache)
    return cache


def clear_all() -> None:
    """Clear all caches: their results may be wrong if they were computed with a patched JAX."""
    for cache in _caches:
        cache.cache_clear()
