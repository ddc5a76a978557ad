"""The text as tokens: the vocabulary, the two splits, and the learner's own files."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.given import dataset
from minigpt_challenge.given.dataset import load_data
from minigpt_challenge.given.sources import DataError
from minigpt_challenge.given.vocabulary import SHAKESPEARE, Vocabulary

ABC = Vocabulary("abc")


def test_tokens_are_indices_of_characters():
    tokens = ABC.encode("cabba")
    assert tokens.dtype == np.int32
    assert tokens.tolist() == [2, 0, 1, 1, 0]


def test_the_vocabulary_of_a_text_is_sorted_and_unique():
    assert Vocabulary.from_text("banana bread") == Vocabulary(" abdenr")


def test_shakespeare_has_65_characters():
    assert SHAKESPEARE.size == 65
    assert SHAKESPEARE.characters == "".join(sorted(SHAKESPEARE.characters))
    assert SHAKESPEARE.encode("\n 3zAZ").tolist() == [0, 1, 9, 64, 13, 38]


@pytest.mark.parametrize("text", ["", "to be", "naïve €uro\n", "a\0", "𝄞 clef", "\ud800 alone"])
def test_decode_undoes_encode(text):
    vocabulary = Vocabulary.from_text(text + "x")
    assert vocabulary.decode(vocabulary.encode(text)) == text


@pytest.mark.parametrize("unknown", ["A", "z", "€", "𝄞"])
def test_an_unknown_character_is_named_with_its_position(unknown):
    with pytest.raises(ValueError, match=f"'{unknown}' at position 2 "):
        ABC.encode(f"ab{unknown}c{unknown}")


@pytest.mark.parametrize(
    "tokens",
    [
        [2, 0, 1],
        (2, 0, 1),
        np.array([2, 0, 1], np.uint8),
        np.array([2, 0, 1], np.int64),
        jnp.array([2, 0, 1]),
        [jnp.int32(2), jnp.int32(0), jnp.int32(1)],
    ],
)
def test_decode_accepts_integers_of_any_type(tokens):
    assert ABC.decode(tokens) == "cab"


@pytest.mark.parametrize("tokens", [[], np.zeros(0, np.int32), jnp.zeros(0, jnp.int32)])
def test_decode_of_no_tokens_is_the_empty_text(tokens):
    assert ABC.decode(tokens) == ""


@pytest.mark.parametrize("unknown", [-1, 3, 2**40])
def test_a_token_out_of_range_is_named_with_its_position(unknown):
    with pytest.raises(ValueError, match=f"{unknown} at position 1 is not between 0 and 2"):
        ABC.decode([0, unknown])


def test_the_dtype_may_be_too_small_for_the_vocabulary_size():
    vocabulary = Vocabulary("".join(map(chr, range(300))))
    assert vocabulary.decode(np.array([255], np.uint8)) == chr(255)


def test_decode_rejects_floats_and_batches():
    with pytest.raises(TypeError, match="float"):
        ABC.decode([0.0, 1.0])
    with pytest.raises(ValueError, match=r"\(1, 2\)"):
        ABC.decode([[0, 1]])


@pytest.mark.parametrize("characters", ["", "aba"])
def test_an_empty_vocabulary_or_repeated_characters_raise(characters):
    with pytest.raises(ValueError, match="at least one"):
        Vocabulary(characters)


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    """A text file with "abc" 37 times; tiny Shakespeare cannot be found."""

    def no_shakespeare():
        raise DataError("no Shakespeare here")

    monkeypatch.setattr(dataset, "find_shakespeare", no_shakespeare)
    monkeypatch.setattr(dataset, "_announced", None)
    monkeypatch.delenv("MINIGPT_DATA", raising=False)
    file = tmp_path / "own.txt"
    file.write_text("abc" * 37)
    return file


def test_the_first_90_percent_are_for_training(own_file):
    data = load_data(own_file)
    assert data.train.dtype == data.evaluation.dtype == jnp.int32
    assert (len(data.train), len(data.evaluation)) == (99, 12)
    assert isinstance(data.train, jax.Array) and isinstance(data.evaluation, jax.Array)
    tokens = np.concatenate([data.train, data.evaluation])
    assert data.vocabulary.decode(tokens) == "abc" * 37


def test_vocabulary_and_edition_of_an_own_text(own_file):
    data = load_data(str(own_file))
    assert data.vocabulary == ABC
    assert data.edition == f"This is your own text ({own_file})."
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.train = data.evaluation


def test_a_text_is_announced_once_and_again_after_another(own_file, monkeypatch, capsys):
    note = f"This is your own text ({own_file})."
    load_data(own_file)
    assert " ".join(capsys.readouterr().out.split()) == note
    load_data(str(own_file))
    assert capsys.readouterr().out == ""
    found = iter(["an edition, from the web", "an edition, from the cache"])
    monkeypatch.setattr(dataset, "find_shakespeare", lambda: ("abc d" * 37, next(found)))
    load_data()
    load_data()  # the same text, though its source is another one now
    assert capsys.readouterr().out == "This is an edition, from the web.\n"
    load_data(own_file)
    assert " ".join(capsys.readouterr().out.split()) == note
    own_file.write_text("abd" * 37)
    load_data(own_file)
    assert " ".join(capsys.readouterr().out.split()) == note


def test_the_announcement_is_wrapped_and_paths_stay_whole(own_file, monkeypatch, capsys):
    path = "/a/very/long-folder/" * 6 + "original.txt"
    edition = f"{'the same nine plays ' * 7}, from the cache ({path}); it is good"
    monkeypatch.setattr(dataset, "find_shakespeare", lambda: ("abc" * 37, edition))
    assert load_data().edition == f"This is {edition}."
    lines = capsys.readouterr().out.splitlines()
    assert f"({path});" in lines and max(len(x) for x in lines if path not in x) <= 88 < len(path)


def test_the_argument_overrides_the_environment(own_file, tmp_path, monkeypatch):
    other = tmp_path / "other.txt"
    other.write_text("xyz" * 37)
    monkeypatch.setenv("MINIGPT_DATA", str(other))
    assert load_data().vocabulary.characters == "xyz"
    assert load_data(own_file).vocabulary.characters == "abc"
    monkeypatch.setenv("MINIGPT_DATA", "")
    with pytest.raises(DataError, match="no Shakespeare here"):
        load_data()


def test_shakespeare_has_65_characters_even_if_the_edition_has_fewer(own_file, monkeypatch):
    monkeypatch.setattr(dataset, "find_shakespeare", lambda: ("abc" * 37, "an edition"))
    data = load_data()
    assert data.vocabulary == SHAKESPEARE
    assert SHAKESPEARE.decode(data.train[:4]) == "abca"
    assert data.edition == "This is an edition."


def test_byte_order_mark_and_carriage_returns_are_removed(own_file):
    own_file.write_bytes(b"\xef\xbb\xbf" + b"ab\r\n" * 37)
    assert load_data(own_file).vocabulary.characters == "\nab"


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "too short.* 0 characters"),
        (b"abcdefghij", "too short.* 9 would be for training and 1 for"),
        ("größer".encode("latin-1") * 37, r"not UTF-8 \(byte 2 "),
        ("to be".encode("utf-16") * 37, r"not UTF-8 \(byte 0 "),
        ("to be".encode("utf-16-le") * 37, "zero byte after 1 characters.*not UTF-16"),
    ],
)
def test_an_unusable_text_raises(own_file, content, message):
    own_file.write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_data(own_file)


def test_11_characters_are_enough(own_file):
    own_file.write_bytes(b"abcdefghijk")
    assert len(load_data(own_file).evaluation) == 2


@pytest.mark.parametrize("name", ["absent.txt", "."])
def test_a_missing_file_or_a_folder_raises(own_file, name):
    with pytest.raises(DataError, match="cannot be read: .*MINIGPT_DATA"):
        load_data(own_file.parent / name)
