"""Run pytest once for each line of JSON arguments on the standard input.

`runner.waiting_process` starts this module as a process of its own.
"""

import gc
import json
import os
import sys
import threading
import time

import pytest


def main() -> None:
    """Run pytest once for each line, and exit with the last exit code."""
    threading.Thread(target=exit_with_parent, daemon=True).start()
    code = 0
    for line in sys.stdin:
        gc.freeze()  # collecting garbage among all of JAX's objects takes a tenth of a check
        code = pytest.main(json.loads(line))
    sys.stdout.flush()
    os._exit(int(code))  # skips JAX's slow shutdown; the verdicts are written


def exit_with_parent() -> None:
    """Exit when the parent process is gone: nothing else would stop an endless loop."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    main()
