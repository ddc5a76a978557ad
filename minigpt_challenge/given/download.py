"""Download the original tiny Shakespeare from the URL that tensorflow-datasets registers."""

import importlib.util
import queue
import threading
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 5  # without a byte


@dataclass(frozen=True)
class RegisteredDownload:
    """A line of the registry: the URL of a file, its size in bytes and its checksum."""

    url: str
    size: int
    sha256: str


def registered_download() -> RegisteredDownload:
    """Read the registry of tensorflow-datasets for tiny_shakespeare without importing it.

    Raises:
        OSError: the package is not installed, or its registry has another format.
    """
    package = importlib.util.find_spec("tensorflow_datasets")
    if package is None or not package.submodule_search_locations:
        raise OSError("the package tensorflow-datasets is not installed")
    registry = Path(
        package.submodule_search_locations[0], "datasets/tiny_shakespeare/checksums.tsv"
    )
    try:
        url, size, sha256, _ = registry.read_text().split("\t")
        return RegisteredDownload(url, int(size), sha256)
    except (OSError, ValueError) as error:
        raise OSError(f"{registry} cannot be read: {error}") from error


def fetch_original() -> bytes:
    """Download the registered file; give up after TIMEOUT_S seconds without a byte.

    Raises:
        OSError: nothing is registered, or the download failed.
    """
    registered = registered_download()
    # No timeout covers DNS lookup, so everything that may hang runs in a thread.
    chunks: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
    threading.Thread(target=_read_chunks, args=(registered, chunks), daemon=True).start()
    data = b""
    try:
        while chunk := chunks.get(timeout=TIMEOUT_S):
            if isinstance(chunk, Exception):
                raise OSError(f"{registered.url}: {chunk}") from chunk
            data += chunk
    except queue.Empty:
        raise OSError(f"{registered.url}: no data for {TIMEOUT_S} seconds") from None
    return data


def _read_chunks(registered: RegisteredDownload, chunks: queue.SimpleQueue) -> None:
    """Put the bytes into the queue as they arrive, then b"" or the exception that ended it."""
    import urllib.request  # here, since it is the slowest import at the start of `minigpt`

    missing = registered.size
    try:
        with urllib.request.urlopen(registered.url, timeout=TIMEOUT_S) as response:
            while missing >= 0 and (chunk := response.read1(2**16)):
                missing -= len(chunk)
                chunks.put(chunk)
        chunks.put(b"")
    except Exception as error:
        chunks.put(error)
