"""What one check compiles, the next finds on disk: half of it is the same in all of them.

JAX keeps only what is slow and large unless told otherwise.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from minigpt_challenge.coach.curriculum import STATE_FOLDER

# For a process that has not imported JAX yet.
COMPILED_ONCE = {
    "JAX_COMPILATION_CACHE_DIR": str(STATE_FOLDER / "compiled"),
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
