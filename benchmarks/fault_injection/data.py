"""Damage the training text: in the cache, in the download, and in the learner's own file."""

import functools
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from benchmarks.fault_injection.table import Row
from minigpt_challenge.given import download, sources
from minigpt_challenge.given.dataset import load_data
from minigpt_challenge.given.download import RegisteredDownload
from minigpt_challenge.given.sources import DataError

TEXT = (
    "First Citizen:\nSpeak, speak – naïve.\n\n" * 2_000
)  # not ASCII, so that the encoding matters
DATA = TEXT.encode()
PAGE = b"<!DOCTYPE html><html><title>Log in to this network</title></html>"


def _write(data: bytes) -> Callable[[Path], None]:
    return functools.partial(Path.write_bytes, data=data)


def _link_to_unreadable(path: Path) -> None:
    path.symlink_to("/proc/self/mem")  # an I/O error, even for root


def _flip(bit: int) -> bytes:
    index, data = bit // 8, bytearray(DATA)
    data[index] ^= 1 << bit % 8
    return bytes(data)


FLIPPED = {f"bit {bit} flipped": _flip(bit) for bit in range(0, 8 * len(DATA), 8 * 997 + 3)}
DAMAGED = {
    **{f"cut after {n} bytes": DATA[:n] for n in (1, 4096, len(DATA) // 2, len(DATA) - 1)},
    **FLIPPED,
    "empty": b"",
    "a login page": PAGE,
    "twice as long": DATA * 2,
    "as UTF-16": TEXT.encode("utf-16"),
    "as UTF-16 without byte order mark": TEXT.encode("utf-16-le"),
    "as Latin-1": TEXT.replace("–", "-").encode("latin-1"),
    "with Windows line endings": DATA.replace(b"\n", b"\r\n"),
}
NOT_A_FILE = {
    "a folder": Path.mkdir,
    "a folder that is not empty": lambda path: (path / "x").mkdir(parents=True),
    "unreadable": _link_to_unreadable,
}


def rows() -> list[Row]:
    """Inject every kind of damage in each of the three places."""
    return [_cache_damaged(), _download_damaged(), _download_stays_damaged(), _own_text_damaged()]


def _cache_damaged() -> Row:
    row = Row("cache damaged", "reported; the text is fetched again, and cached if possible")
    damages = {name: _write(data) for name, data in DAMAGED.items()} | NOT_A_FILE
    for name, damage in damages.items():
        with simulated_sources([DATA]) as (cache, _):
            damage(cache)
            output = _load()
            reported = f"{cache}" in output and ("damaged" in output or "not cached" in output)
            row.count(_lost(name, TEXT in output, reported, output))
            if "not cached" not in output and cache.read_bytes() != DATA:
                row.count([f"{name}: the cache is not repaired"])
    return row


def _download_damaged() -> Row:
    row = Row("download damaged once", "fetched once more")
    for name, data in DAMAGED.items():
        with simulated_sources([data, DATA]) as (cache, _):
            output = _load()
            row.count(_lost(name, TEXT in output, cache.read_bytes() == DATA, output))
    return row


def _download_stays_damaged() -> Row:
    row = Row("download damaged each time", "not used, not cached; reported with what to do")
    for name, data in DAMAGED.items():
        with simulated_sources([data]) as (cache, _):
            output = _load()
            reported = "they are not the text" in output and "MINIGPT_DATA" in output
            row.count(_lost(name, not cache.exists(), reported, output))
    return row


def _own_text_damaged() -> Row:
    row = Row("learner's own text (MINIGPT_DATA) damaged", "reported with what to do")
    names = ("empty", "as UTF-16", "as UTF-16 without byte order mark", "as Latin-1")
    damages = {name: _write(DAMAGED[name]) for name in names} | NOT_A_FILE
    damages["a broken link"] = lambda path: path.symlink_to(path.with_name("nowhere"))
    damages["English as UTF-16"] = _write("to be, or not".encode("utf-16-le") * 9)  # valid UTF-8
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, damage) in enumerate(damages.items()):
            path = Path(folder, f"own {number}.txt")
            damage(path)
            try:
                with redirect_stdout(StringIO()):
                    load_data(path)
                message = "nothing"
            except DataError as error:
                message = str(error)
            row.count(_lost(name, True, f"{path} " in message, message))
    return row


def _load() -> str:
    """The message, followed by the text if it was found."""
    try:
        text, edition = sources.find_shakespeare()
    except DataError as error:
        return str(error)
    return f"{edition}\n{text}"


def _lost(name: str, text_is_right: bool, reported: bool, output: str) -> list[str]:
    if text_is_right and reported:
        return []
    problem = "not reported" if text_is_right else "wrong text"
    return [f"{name}: {problem}; the output was {output[:200]!r}"]


@contextmanager
def simulated_sources(answers: list[bytes]) -> Iterator[tuple[Path, RegisteredDownload]]:
    """A server with these answers, the last one repeated; no package index, and an empty cache.

    Yields the path of the text in the cache, and the registered download.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            data = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with suppress(OSError):  # the client stops at the registered size
                self.wfile.write(data)

        def log_message(self, *_):
            """Log nothing."""

    def no_index() -> bytes:
        raise OSError("there is no package index here")

    with tempfile.TemporaryDirectory() as folder:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/input.txt"
        registered = RegisteredDownload(url, len(DATA), hashlib.sha256(DATA).hexdigest())
        with (
            patch.object(download, "registered_download", lambda: registered),
            patch.object(sources, "fetch_plays", no_index),
            patch.dict(os.environ, MINIGPT_CACHE=folder, no_proxy="*"),
        ):
            yield Path(folder, "original.txt"), registered
        server.shutdown()
        server.server_close()
