"""Single keys, read without waiting and without Enter, where there is a terminal to read from."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def pressed_keys() -> Iterator[Callable[[], str]]:
    """Yields a function that returns the keys pressed since it was last called, often none.

    Where the input is no terminal there never are any. Ctrl-C stays what it is.
    """
    if not sys.stdin.isatty():
        yield lambda: ""
    elif sys.platform == "win32":
        import msvcrt

        yield lambda: "".join(iter(lambda: msvcrt.getwch() if msvcrt.kbhit() else "", ""))
    else:
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        try:
            yield _waiting_input
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _waiting_input() -> str:
    import os
    import select

    keys = b""
    while select.select([sys.stdin], [], [], 0)[0]:
        read = os.read(sys.stdin.fileno(), 64)
        if not read:  # the terminal is gone
            break
        keys += read
    return keys.decode(errors="ignore")
