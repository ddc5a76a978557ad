"""Killing a process at a random moment: SIGKILL, which no program can prepare for."""

import logging
import multiprocessing
import os
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from functools import partial

from minigpt_challenge.coach.runtime.compilation import COMPILED_ONCE

os.environ.update(COMPILED_ONCE | os.environ)  # every child would compile the same
# The children are forked from a process that has imported all that takes long, and has done
# nothing else: JAX must not be started before a fork.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "minigpt_challenge.given.training",
        "minigpt_challenge.coach.commands.magics",
        "benchmarks.fault_injection.work",
    ]
)


def killed(work: Callable, *arguments, moment: float) -> bool:
    """Run `work` in a child, and kill it so many seconds after it says that it is ready.

    Args:
        work: called with the arguments and a function to be called when ready; it may be endless.
        arguments: can be pickled.
        moment: seconds; infinite to let it run to its end.

    Returns:
        whether it was killed before it ended.

    Raises:
        RuntimeError: it ended with an error of its own.
    """
    ready, says_so = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=_quietly, args=(work, arguments, says_so))
    child.start()
    says_so.close()
    with suppress(EOFError):  # it ended before
        ready.recv()
    child.join(None if moment == float("inf") else moment)
    child.kill()
    child.join()
    ready.close()
    if child.exitcode not in (0, -9):
        raise RuntimeError(f"{work.__name__} ended with exit code {child.exitcode}")
    return child.exitcode == -9


def _quietly(work: Callable, arguments: tuple, ready) -> None:
    """Errors are shown, what is printed is not."""
    logging.getLogger("absl").setLevel("ERROR")  # Orbax says what it tidies up
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        work(*arguments, partial(ready.send, True))
