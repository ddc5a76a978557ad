"""What the report says about the trained GPT: numbers, and its attention on a line."""

import jax
import numpy as np
import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.reports import trained_gpt
from minigpt_challenge.coach.reports.attention_on_text import LINE
from minigpt_challenge.coach.reports.trained_gpt import Fact, attention, facts, history
from minigpt_challenge.coach.reports.trained_maps import gpt_maps
from minigpt_challenge.coach.runtime.loading import solution
from minigpt_challenge.given.training_run import Measurement
from minigpt_challenge.given.vocabulary import SHAKESPEARE

SIZES = {"num_layers": 2, "num_heads": 3, "hidden_dim": 12, "block_size": 20}


def test_the_facts_are_named_with_their_units():
    saved = {
        "params": {"a": np.zeros((3, 500)), "b": {"c": np.zeros(2)}},
        "loss": 1.87,
        "sizes": SIZES,
        "steps": 2_000,
        "seconds": 83.4,
        "device": "cpu",
        "milestone": True,
    }
    assert facts(saved) == [
        Fact(
            "Loss",
            "1.87",
            "nats per character: as unsure as among 6.5 characters. "
            "The milestone, 1.9, is reached.",
        ),
        Fact(
            "Parameters",
            "1,502",
            "2 blocks of 3 heads, 12 numbers for a character, reads 20 characters",
        ),
        Fact("Training time", "1 min 23 s", "2,000 steps"),
        Fact("Device", "CPU"),
    ]
    assert "is not reached" in facts(saved | {"milestone": False})[0].remark
    assert "milestone" not in facts(saved | {"milestone": None})[0].remark


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"loss": "low", "params": 3, "seconds": None, "device": 3, "sizes": []},
        {"loss": float("nan"), "seconds": float("inf"), "device": "", "params": {}},
    ],
)
def test_what_is_missing_or_damaged_is_left_out(saved):
    assert facts(saved) == []
    assert history(saved | {"history": [[1, 2]]}) == history(saved) == []


def test_the_history_is_read():
    assert history({"history": [[0, 4.6, 4.5]]}) == [Measurement(0, 4.6, 4.5)]


@pytest.mark.parametrize(
    ("seconds", "words"), [(47.6, "48 s"), (119.7, "2 min 0 s"), (7_530, "2 h 5 min")]
)
def test_a_duration_in_words(seconds, words):
    assert trained_gpt.duration(seconds) == words


def saved_run(folder, source, monkeypatch):
    """A run with untrained weights of the MiniGPT in this source, in the learner's folder."""
    for task in TASKS[:5]:
        (folder / task.stub.name).write_text(task.solution.read_text("utf-8"), "utf-8")
    (folder / TASKS[3].stub.name).write_text(source, "utf-8")
    monkeypatch.setattr(trained_gpt, "TASKS_FOLDER", folder)
    with trained_gpt.tasks_from(folder, TASKS[:5]) as modules:
        model = modules["task4_blocks"].MiniGPT(SHAKESPEARE.size, **SIZES)
        params = model.init(jax.random.key(0), np.zeros((1, 5), int))
    return {"params": params, "characters": SHAKESPEARE.characters, "sizes": SIZES}


SOLUTION = TASKS[3].solution.read_text("utf-8")


def test_the_maps_are_those_of_the_model():
    """The map of the first block, computed here from the weights."""
    model = solution(4).MiniGPT(SHAKESPEARE.size, **SIZES)
    tokens = jax.numpy.asarray(SHAKESPEARE.encode(LINE[:20]))
    params = model.init(jax.random.key(0), tokens[None])
    maps = gpt_maps(model, params, tokens)
    assert maps.shape == (2, 3, 20, 20)
    np.testing.assert_allclose(maps.sum(-1), 1, atol=1e-5)
    assert not np.triu(maps, 1).any()
    tree = jax.device_get(params["params"])
    x = tree["embedding"]["token_embedding"]["embedding"][np.asarray(tokens)]
    x = x + tree["embedding"]["position_embedding"]["embedding"][:20]  # (T, C)
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
    kernels = (tree["blocks_0"]["attention"][name]["kernel"] for name in ("query", "key"))
    q, k = ((x @ kernel).reshape(20, 3, 4)[:, 2] for kernel in kernels)  # (T, H), the last head's
    exponentials = np.exp(q @ k.T / 2) * np.tri(20)
    expected = exponentials / exponentials.sum(-1, keepdims=True)
    np.testing.assert_allclose(maps[0, 2], expected, atol=1e-4)


def test_the_layers_of_the_learner_may_have_any_names(tmp_path, monkeypatch):
    renamed = SOLUTION.replace("self.attention", "self.zebra").replace("self.blocks", "self.aaa")
    renamed = renamed.replace("self.embedding", "self.words").replace("_norm", "_n")
    picture = attention(saved_run(tmp_path, renamed, monkeypatch))
    assert picture is not None
    assert "among the 6 trained ones (2 blocks of 3)" in picture.caption
    assert "previous-token head" in picture.caption and LINE[:20] in picture.alt


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return self.dense(self.norm(x))", "return -self.dense(self.norm(x))"),  # another function
        ("return self.dense(self.norm(x))", "raise SystemExit"),
        ("import jax\n", "import jax\njax.nn.softmax = None\n"),
        ("class MiniGPT", "class Other"),
    ],
)
def test_no_map_is_better_than_a_wrong_one(tmp_path, monkeypatch, old, new):
    run = saved_run(tmp_path, SOLUTION, monkeypatch)
    (tmp_path / TASKS[3].stub.name).write_text(SOLUTION.replace(old, new), "utf-8")
    assert attention(run) is None


def test_a_run_of_the_reference_does_not_need_the_learners_files(tmp_path, monkeypatch):
    run = saved_run(tmp_path, SOLUTION, monkeypatch)
    (tmp_path / TASKS[3].stub.name).write_text("not Python", "utf-8")
    assert attention(run) is None
    assert attention(run | {"solutions": True}) is not None


def test_a_text_without_the_line_has_no_map(tmp_path, monkeypatch):
    run = saved_run(tmp_path, SOLUTION, monkeypatch)
    assert attention(run) is not None
    assert attention(run | {"characters": "".join(map(chr, range(200, 265)))}) is None
