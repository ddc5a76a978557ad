"""What JAX compiled for a check, kept for the next one, and no more of it than a bound allows."""

from contextlib import suppress
from pathlib import Path

from minigpt_challenge.coach.curriculum import STATE_FOLDER

FOLDER = STATE_FOLDER / "compiled"
MOST = 50 * 2**20  # bytes; the reference and all checks need a tenth of it

# What one check compiles, the next finds on disk: the reference never changes, and a check is
# twice as fast. JAX keeps only what is slow and large unless told otherwise.
COMPILED_ONCE = {
    "JAX_COMPILATION_CACHE_DIR": str(FOLDER),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


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
