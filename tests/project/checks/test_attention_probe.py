"""The learner's attention weights are measured by calling the module."""

import numpy as np
import pytest

from minigpt_challenge.coach.checks.attention_probe import (
    Probe,
    attention_maps,
    random_probe,
    text_probe,
)
from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.reports import attention_on_text, attention_pictures

EMBEDDING, ATTENTION, EINSUM = TASKS[:3]
BOTH = pytest.mark.parametrize("task", [ATTENTION, EINSUM], ids=["task2", "task3"])
HEADS = {ATTENTION: 1, EINSUM: 2}
MASK = "jnp.tril(jnp.ones((T, T), dtype=bool))"
SCALE = " / self.head_dim**0.5"


def causal_weights(probe: Probe) -> np.ndarray:
    """The causal attention weights, (N, T, S), in NumPy."""
    T, (_, _, H) = len(probe.content), probe.query.shape
    q, k = (np.einsum("TE,ENH->NTH", probe.content, kernel) for kernel in (probe.query, probe.key))
    scores = np.einsum("NTH,NSH->NTS", q, k) / np.sqrt(H)
    exponentials = np.exp(scores - scores.max(-1, keepdims=True)) * np.tri(T)
    return exponentials / exponentials.sum(-1, keepdims=True)


SOFTMAX, MASKED = "nn.softmax(scores, axis=-1)", "jnp.where(visible, scores, -jnp.inf)"


@pytest.fixture
def answer(tmp_path):
    """Write the task's solution with some text replaced."""

    def write(task, *edits):
        text = task.solution.read_text(encoding="utf-8")
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / task.stub.name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@BOTH
@pytest.mark.parametrize("text", [None, "to be, or not to be"])
def test_the_reference_gives_its_weights(task, text):
    maps = attention_maps(task, task.solution, text)
    N = HEADS[task]
    probe = text_probe(text, N) if text else random_probe(N)
    np.testing.assert_allclose(maps.expected, causal_weights(probe), atol=1e-5)
    np.testing.assert_allclose(maps.seen, maps.expected, atol=1e-6)
    assert not maps.leaks.any() and not maps.differs.any()


def test_the_heads_of_a_text_find_what_they_look_for():
    ahead, back = attention_maps(EINSUM, EINSUM.solution, "Romeo, Romeo").seen
    assert ahead[9].argmax() == 3  # after "om", what followed "om": "e"
    assert (back[1:].argmax(axis=-1) == np.arange(11)).all()


@BOTH
def test_without_a_mask_every_later_position_leaks(task, answer):
    maps = attention_maps(task, answer(task, (MASK, "jnp.ones((T, T), dtype=bool)")))
    assert not maps.leaks[:, np.tri(6, dtype=bool)].any()
    assert maps.leaks[:, 0, 1:].all() and maps.differs.any()
    picture = attention_pictures.draw_comparison(maps)
    assert picture.png.startswith(b"\x89PNG")
    n, t, s = np.unravel_index((maps.seen * maps.leaks).argmax(), maps.seen.shape)
    assert f"position {t} takes {maps.seen[n, t, s]:.2f} from position {s}" in picture.caption
    assert ("in head" in picture.caption) == (task is EINSUM)


@BOTH
def test_without_the_scale_weights_differ_and_nothing_leaks(task, answer):
    maps = attention_maps(task, answer(task, (SCALE, "")))
    assert maps.differs.any() and not maps.leaks.any()
    caption = attention_pictures.draw_comparison(maps).caption
    assert caption.endswith("No weight lies in the future.")


@pytest.mark.parametrize(
    "edits",
    [
        [(SOFTMAX, f"{SOFTMAX} * visible"), (MASKED, "scores")],
        [(SOFTMAX, SOFTMAX.replace("-1", "-2"))],
    ],
    ids=["mask after the softmax", "softmax over the queries"],
)
def test_weights_that_do_not_sum_to_1_are_reported(answer, edits):
    maps = attention_maps(ATTENTION, answer(ATTENTION, *edits))
    t = np.abs(maps.seen[0].sum(-1) - 1).argmax()
    caption = attention_pictures.draw_comparison(maps).caption
    assert f"No weight lies in the future. But those of position {t} sum to" in caption


def test_a_row_of_nan_is_reported(answer):
    maps = attention_maps(ATTENTION, answer(ATTENTION, (MASK, MASK[:-1] + ", -1)")))
    assert np.isnan(maps.seen[0, 0]).all() and not maps.leaks.any()
    assert "among the weights of position 0;" in attention_pictures.draw_comparison(maps).caption


def test_correct_weights_mean_that_the_mistake_is_elsewhere(answer):
    joined = "jnp.concatenate([head(x) for head in self.heads], axis=-1)"
    maps = attention_maps(ATTENTION, answer(ATTENTION, (joined, f"-{joined}")))
    assert "the mistake is elsewhere" in attention_pictures.draw_comparison(maps).caption


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return weights @ v", "return weights"),  # a wrong shape
        ("return weights @ v", "return None"),
        ("return weights @ v", "return (weights @ v) ** 2"),  # not a mix of the values
        ("k = self.key(x)", "k = self.value(x)"),
        ("return weights @ v", "return weights @ q"),
        ("return weights @ v", "raise SystemExit"),
        ("return weights @ v", "return undefined"),
        ("import jax\n", "import jax\njax.nn.softmax = None\n"),
        ("class SelfAttention", "class Other"),
        ("class SelfAttention", "class :"),
    ],
)
def test_code_without_weights_gives_no_map(answer, old, new):
    assert attention_maps(ATTENTION, answer(ATTENTION, (old, new))) is None


def test_heads_in_the_wrong_axis_order_give_no_map(answer):
    wrong = (
        "heads = (B, T, self.num_heads, self.head_dim)",
        "heads = (B, T, self.head_dim, self.num_heads)",
    )
    named = ("reshape(heads)", "reshape(heads).swapaxes(2, 3)")
    assert attention_maps(EINSUM, answer(EINSUM, wrong, named)) is None


def test_other_tasks_have_no_maps():
    assert attention_maps(EMBEDDING, EMBEDDING.solution) is None
    assert attention_on_text.attention_at_work(EMBEDDING, EMBEDDING.solution) is None
    assert attention_pictures.compared_attention(EMBEDDING, EMBEDDING.solution) is None


@BOTH
def test_attention_is_drawn_on_a_line_of_shakespeare(task):
    picture = attention_on_text.attention_at_work(task, task.solution)
    assert picture.png.startswith(b"\x89PNG") and len(picture.png) < 100_000
    assert "“Romeo, Romeo!" in picture.alt
    assert ("head 1" in picture.caption) == (task is EINSUM)
