"""Damage to the text that is learned from: in the cache, on its way, and in a file of one's own."""

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

TEXT = "First Citizen:\nSpeak, speak – naïve.\n\n" * 2_000  # not ASCII: an encoding shows
DATA = TEXT.encode()
PAGE = b"<!DOCTYPE html><html><title>Log in to this network</title></html>"


def _bytes(data: bytes) -> Callable[[Path], None]:
    return functools.partial(Path.write_bytes, data=data)


def _link_to_what_cannot_be_read(path: Path) -> None:
    path.symlink_to("/proc/self/mem")  # an I/O error, even for root


def _flipped(bit: int) -> bytes:
    place, data = bit // 8, bytearray(DATA)
    data[place] ^= 1 << bit % 8
    return bytes(data)


ALTERED = {f"bit {bit} altered": _flipped(bit) for bit in range(0, 8 * len(DATA), 8 * 997 + 3)}
DAMAGED = {
    **{f"cut after {n} bytes": DATA[:n] for n in (1, 4096, len(DATA) // 2, len(DATA) - 1)},
    **ALTERED,
    "empty": b"",
    "a login page": PAGE,
    "twice as long": DATA * 2,
    "as UTF-16": TEXT.encode("utf-16"),
    "as UTF-16 without its mark": TEXT.encode("utf-16-le"),
    "as Latin-1": TEXT.replace("–", "-").encode("latin-1"),
    "with Windows' line ends": DATA.replace(b"\n", b"\r\n"),
}
IN_ITS_PLACE = {
    "a folder": Path.mkdir,
    "a folder with something in it": lambda path: (path / "x").mkdir(parents=True),
    "unreadable": _link_to_what_cannot_be_read,
}


def rows() -> list[Row]:
    """Every kind of damage, at each of the three places."""
    return [_cache_damaged(), _download_damaged(), _download_stays_damaged(), _own_text_damaged()]


def _cache_damaged() -> Row:
    row = Row("cache damaged", "named, and the whole text is fetched again and kept, if it can be")
    damages = {name: _bytes(data) for name, data in DAMAGED.items()} | IN_ITS_PLACE
    for name, damage in damages.items():
        with world([DATA]) as (cache, _):
            damage(cache)
            said = _loaded()
            named = f"{cache}" in said and ("damaged" in said or "not kept" in said)
            row.count(_wrong(name, text_is_right=TEXT in said, named=named, said=said))
            if "not kept" not in said and cache.read_bytes() != DATA:
                row.count([f"{name}: the cache is not mended"])
    return row


def _download_damaged() -> Row:
    row = Row("download damaged once", "fetched once more")
    for name, data in DAMAGED.items():
        with world([data, DATA]) as (cache, _):
            said = _loaded()
            row.count(_wrong(name, TEXT in said, cache.read_bytes() == DATA, said))
    return row


def _download_stays_damaged() -> Row:
    row = Row("download damaged each time", "not used and not kept; named, with the ways out")
    for name, data in DAMAGED.items():
        with world([data]) as (cache, _):
            said = _loaded()
            named = "they are not the text" in said and "MINIGPT_DATA" in said
            row.count(_wrong(name, not cache.exists(), named, said))
    return row


def _own_text_damaged() -> Row:
    row = Row("text of one's own (MINIGPT_DATA) damaged", "named, with what to do")
    names = ("empty", "as UTF-16", "as UTF-16 without its mark", "as Latin-1")
    damages = {name: _bytes(DAMAGED[name]) for name in names} | IN_ITS_PLACE
    damages["a link to nowhere"] = lambda path: path.symlink_to(path.with_name("nowhere"))
    damages["English as UTF-16"] = _bytes("to be, or not".encode("utf-16-le") * 9)  # valid UTF-8
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, damage) in enumerate(damages.items()):
            path = Path(folder, f"own {number}.txt")
            damage(path)
            try:
                with redirect_stdout(StringIO()):
                    load_data(path)
                said = "nothing"
            except DataError as error:
                said = str(error)
            row.count(_wrong(name, True, f"{path} " in said, said))
    return row


def _loaded() -> str:
    """What is said, and then the text if there is one."""
    try:
        text, edition = sources.find_shakespeare()
    except DataError as error:
        return str(error)
    return f"{edition}\n{text}"


def _wrong(name: str, text_is_right: bool, named: bool, said: str) -> list[str]:
    if text_is_right and named:
        return []
    return [f"{name}: {'not named' if text_is_right else 'wrong text'}; said was {said[:200]!r}"]


@contextmanager
def world(answers: list[bytes]) -> Iterator[tuple[Path, RegisteredDownload]]:
    """A web that gives these answers, the last one for ever, no package index, an empty cache.

    Yields the path of the text in the cache, and what is registered.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            data = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with suppress(OSError):  # no more is read than was promised
                self.wfile.write(data)

        def log_message(self, *_):
            """Say nothing."""

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
