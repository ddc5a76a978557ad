"""Cache compiled programs on disk between checks, and compile faster.

JAX is imported inside the functions: a process that only starts others does without it.

The reference never changes; with its programs in the cache, a check is twice as fast.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER

FOLDER = STATE_FOLDER / "compiled"
MAX_BYTES = 50 * 2**20  # the reference and all checks need a tenth of it

# For a process that has not imported JAX yet. By default JAX caches only slow and large programs.
CACHE_ENVIRONMENT = {
    "JAX_COMPILATION_CACHE_DIR": str(FOLDER),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


@contextmanager
def persistent_compilation_cache() -> Iterator[None]:
    """Cache what is compiled inside on disk, unless JAX already has another cache folder."""
    if "jax" not in sys.modules:  # do not import it yet: other settings must come first
        with patch.dict(os.environ, CACHE_ENVIRONMENT | os.environ):
            yield
        return
    import jax
    from jax.experimental.compilation_cache.compilation_cache import reset_cache

    settings = {
        "jax_compilation_cache_dir": CACHE_ENVIRONMENT["JAX_COMPILATION_CACHE_DIR"],
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in settings}
    if before["jax_compilation_cache_dir"]:
        yield
        return
    try:
        _set(settings)
        reset_cache()  # JAX checks only once whether there is a folder
        yield
    finally:
        _set(before)
        reset_cache()


def _set(settings: dict[str, Any]) -> None:
    import jax

    for name, value in settings.items():
        jax.config.update(name, value)


def trim(folder: Path = FOLDER, max_bytes: int = MAX_BYTES) -> None:
    """Remove the oldest files of the cache until the others take at most `max_bytes`.

    Each edit of a learner's file adds programs, and those of the old text are never used again. JAX
    can limit its cache itself, but only with a package that Colab may not have.
    """
    with suppress(OSError):  # missing or not writable, which does no harm
        stats = {path: path.stat() for path in folder.iterdir()}
        total = 0
        for path, stat in sorted(stats.items(), key=lambda item: -item[1].st_mtime_ns):
            total += stat.st_size
            if total > max_bytes:
                path.unlink()


@contextmanager
def quick_compilation() -> Iterator[None]:
    """Compile what is inside faster; results are equal up to rounding.

    A check's programs are small and run a few times, so optimizing them on a CPU costs more than it
    saves. And nobody looks up where an operation of theirs was written, which JAX would record.
    """
    import jax

    settings = {
        "jax_disable_most_optimizations": jax.default_backend() == "cpu",
        "jax_traceback_in_locations_limit": 0,
    }
    before = {name: jax.config.values[name] for name in settings}
    try:
        _set(settings)
        yield
    finally:
        _set(before)
