"""The original tiny Shakespeare: the download that tensorflow-datasets registers for it."""

import importlib.util
import queue
import threading
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 5  # seconds without a byte, then the download is given up


@dataclass(frozen=True)
class RegisteredDownload:
    """A line of the registry: where a file is, how many bytes it has, and its checksum."""

    url: str
    size: int
    sha256: str


def registered_download() -> RegisteredDownload:
    """What tensorflow-datasets registers for tiny_shakespeare, read without importing it.

    Raises:
        OSError: the package is not installed, or its registry is not as we know it.
    """
    package = importlib.util.find_spec("tensorflow_datasets")
    if package is None:
        raise OSError("the package tensorflow-datasets is not installed")
    registry = Path(*package.submodule_search_locations, "datasets/tiny_shakespeare/checksums.tsv")
    try:
        url, size, sha256, _ = registry.read_text().split("\t")
        return RegisteredDownload(url, int(size), sha256)
    except (OSError, ValueError) as error:
        raise OSError(f"{registry} cannot be read: {error}") from error


def fetch_original() -> bytes:
    """Download what is registered, waiting PATIENCE seconds for the next bytes and no longer.

    Raises:
        OSError: nothing is registered, or the web did not answer.
    """
    registered = registered_download()
    # No time-out bounds the look-up of a host's name. So a thread does all that may hang.
    chunks = queue.SimpleQueue()
    threading.Thread(target=_read_chunks, args=(registered, chunks), daemon=True).start()
    data = b""
    try:
        while chunk := chunks.get(timeout=PATIENCE):
            if isinstance(chunk, Exception):
                raise OSError(f"{registered.url}: {chunk}") from chunk
            data += chunk
    except queue.Empty:
        raise OSError(f"{registered.url}: silent for {PATIENCE} seconds") from None
    return data


def _read_chunks(registered: RegisteredDownload, chunks: queue.SimpleQueue) -> None:
    """Put the bytes into the queue as they come; then b"", or the exception that ended it."""
    import urllib.request  # here, since it takes longer than all else at the start of `minigpt`

    missing = registered.size
    try:
        with urllib.request.urlopen(registered.url, timeout=PATIENCE) as response:
            while missing >= 0 and (chunk := response.read1(2**16)):
                missing -= len(chunk)
                chunks.put(chunk)
        chunks.put(b"")
    except Exception as error:
        chunks.put(error)
