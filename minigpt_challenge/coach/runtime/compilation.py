"""What JAX compiled for a check is kept for the next one, and no more of it than a bound allows.

The reference never changes, and with it on disk a check is twice as fast.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

from minigpt_challenge.coach.course.curriculum import STATE_FOLDER

FOLDER = STATE_FOLDER / "compiled"
MOST = 50 * 2**20  # bytes; the reference and all checks need a tenth of it

# For a process that has not imported JAX yet, which keeps only what is slow and large unless told
# otherwise.
COMPILED_ONCE = {
    "JAX_COMPILATION_CACHE_DIR": str(FOLDER),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


@contextmanager
def compiled_once() -> Iterator[None]:
    """The same for what runs inside, wherever JAX has no folder of its own already."""
    if "jax" not in sys.modules:  # let it be imported as late as ever: more than this is to be set
        with patch.dict(os.environ, COMPILED_ONCE | os.environ):
            yield
        return
    import jax
    from jax.experimental.compilation_cache.compilation_cache import reset_cache

    if jax.config.jax_compilation_cache_dir:
        yield
        return
    settings = {
        "jax_compilation_cache_dir": COMPILED_ONCE["JAX_COMPILATION_CACHE_DIR"],
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in settings}
    try:
        _set(settings)
        reset_cache()  # JAX asks once whether there is a folder, and remembers the answer
        yield
    finally:
        _set(before)
        reset_cache()


def _set(settings: dict) -> None:
    import jax

    for name, value in settings.items():
        jax.config.update(name, value)


def trim(folder: Path = FOLDER, most: int = MOST) -> None:
    """Remove the oldest files of our own folder until the rest is small enough.

    JAX would do it by itself, with a package that Colab need not have. A learner's every edit
    compiles anew, and what was compiled for the former text is never asked for again.
    """
    with suppress(OSError):  # not there yet, or not to be written: nothing hangs on it
        stats = {path: path.stat() for path in folder.iterdir()}
        total = 0
        for path, stat in sorted(stats.items(), key=lambda one: -one[1].st_mtime_ns):
            total += stat.st_size
            if total > most:
                path.unlink()


@contextmanager
def without_xla_optimizations() -> Iterator[None]:
    """On a CPU, compile what is inside quickly: the numbers are the same up to rounding.

    A check's programs are small and run a few times, so optimizing them takes longer than it saves.
    """
    import jax

    if jax.default_backend() != "cpu":
        yield
        return
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)
