"""The old text of a file is saved before the file is overwritten."""

import threading

import pytest

from minigpt_challenge.coach.records import history


@pytest.fixture(autouse=True)
def history_folder(tmp_path, monkeypatch):
    folder = tmp_path / "history"
    monkeypatch.setattr(history, "HISTORY_FOLDER", folder)
    return folder


def test_every_overwritten_text_is_saved(tmp_path, history_folder):
    path = tmp_path / "task.py"
    assert history.overwrite(path, "one") is None
    saved = [history.overwrite(path, text) for text in ("two", "three")]
    assert path.read_text() == "three"
    assert [version.read_text() for version in saved] == ["one", "two"]
    assert sorted(history_folder.rglob("*.py")) == saved


def test_versions_are_listed_from_the_newest_and_other_files_are_ignored(tmp_path, history_folder):
    path = tmp_path / "task.py"
    for text in ("one", "two", "three"):
        history.overwrite(path, text)
    (history_folder / "task" / "notes.py").write_text("")
    versions = history.versions(path)
    assert [version.text() for version in versions] == ["two", "one"]
    stamps = [version.path.stem for version in versions]  # 2025-01-31_12-59-59.123456
    times = [version.when_text for version in versions]  # 2025-01-31 12:59:59
    assert times == [f"{stamp[:10]} {stamp[11:19].replace('-', ':')}" for stamp in stamps]


def test_writing_the_same_text_saves_nothing(tmp_path, history_folder):
    path = tmp_path / "task.py"
    history.overwrite(path, "one")
    assert history.overwrite(path, "one") is None
    assert not history_folder.exists()


def test_a_text_that_cannot_be_saved_is_not_overwritten(tmp_path, history_folder):
    path = tmp_path / "task.py"
    path.write_text("work")
    history_folder.write_text("a file where the folder should be")
    with pytest.raises(OSError):
        history.overwrite(path, "new")
    assert path.read_text() == "work"


def test_concurrent_writers_lose_no_text(tmp_path, monkeypatch):
    """The second writer starts when the first has saved the old text and not yet written."""
    path = tmp_path / "task.py"
    path.write_text("zero")
    real_keep, threads = history.keep, []

    def keep_and_start_second(*arguments):
        copy = real_keep(*arguments)
        if not threads:
            threads.append(threading.Thread(target=history.overwrite, args=(path, "two")))
            threads[0].start()
            threads[0].join(0.2)
        return copy

    monkeypatch.setattr(history, "keep", keep_and_start_second)
    history.overwrite(path, "one")
    threads[0].join()
    texts = [version.text() for version in history.versions(path)]
    assert sorted([*texts, path.read_text()]) == ["one", "two", "zero"]
