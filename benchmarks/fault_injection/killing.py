"""Kill a process at a random time with SIGKILL, which no program can catch."""

import logging
import multiprocessing
import os
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from functools import partial

from minigpt_challenge.coach.runtime.compilation import CACHE_ENVIRONMENT

os.environ.update(CACHE_ENVIRONMENT | os.environ)  # all children compile the same
# The children are forked from a process that has done the slow imports and nothing else: JAX must
# not be initialized before a fork.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "minigpt_challenge.given.training",
        "minigpt_challenge.coach.commands.magics",
        "benchmarks.fault_injection.work",
    ]
)


def run_and_kill(work: Callable, *arguments, delay: float) -> bool:
    """Run `work` in a child process, and kill it some time after it reports that it is ready.

    Args:
        work: called with the arguments and a function to call when ready; it may be endless.
        arguments: can be pickled.
        delay: seconds; infinite to let it finish.

    Returns:
        whether it was killed before it ended.

    Raises:
        RuntimeError: it failed.
    """
    ready, ready_sender = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=_run_quietly, args=(work, arguments, ready_sender))
    child.start()
    ready_sender.close()
    with suppress(EOFError):  # it ended without a report
        ready.recv()
    child.join(None if delay == float("inf") else delay)
    child.kill()
    child.join()
    ready.close()
    if child.exitcode not in (0, -9):
        raise RuntimeError(f"{work.__name__} ended with exit code {child.exitcode}")
    return child.exitcode == -9


def _run_quietly(work: Callable, arguments: tuple, ready) -> None:
    """Discard the output, but not the errors."""
    logging.getLogger("absl").setLevel("ERROR")  # Orbax logs what it cleans up
    with open(os.devnull, "w") as devnull, redirect_stdout(devnull):
        work(*arguments, partial(ready.send, True))
