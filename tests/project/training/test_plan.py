"""What `minigpt train` is asked for: settings, presets, names of runs, targets."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from minigpt_challenge.coach.records.saved_run import FOLDER
from minigpt_challenge.coach.training.plan import Plan, valid_name
from minigpt_challenge.coach.training.setting import MILESTONE, PRESETS, Setting, setting_of
from minigpt_challenge.errors import UserError
from minigpt_challenge.given.bigram import SimpleDecoder
from minigpt_challenge.given.vocabulary import SHAKESPEARE, Vocabulary

OTHER_TEXT = Vocabulary("ab")
WIDE = setting_of(None, hidden_dim=256, num_layers=2)


@pytest.mark.parametrize(
    "plan, name",
    [
        (Plan(), "milestone"),
        (Plan(steps=300, until=1.7, fresh=True), "milestone"),  # the same run, further or again
        (Plan(fast=True, solutions=True), "fast-solutions"),
        (Plan(WIDE), "layers2-width256"),
        (Plan(setting_of(None, learning_rate=3e-4), seed=3), "rate0.0003-seed3"),
        (Plan(setting_of("nanogpt"), data=Path("/a b/my plays!.txt")), "nanogpt-text_my_plays_"),
        (Plan(data=Path("milestone.txt")), "text_milestone"),
        (Plan(data=Path("...txt")), "text__"),
        (Plan(setting_of(None, batch_size=1_000_000)), "batch1000000"),
        (Plan(setting_of("nanogpt", num_layers=2)), "layers2-heads6-width384-context256-batch64-"
         "bfloat16"),
        (Plan(WIDE, name="wide"), "wide"),
    ],
)  # fmt: skip
def test_runs_that_differ_have_different_folders(plan, name):
    assert plan.folder.path == FOLDER / name and plan.folder.name == name


def test_a_run_can_be_saved_elsewhere(tmp_path):
    run = Plan(output=tmp_path / "there").folder
    assert run.path == tmp_path / "there" and run.name == str(run.path)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "a b", "report.html", "x.lock"])
def test_a_name_that_is_no_folder_is_refused(name):
    with pytest.raises(UserError, match="cannot be called"):
        valid_name(name)
    assert valid_name("wide-2_1") == "wide-2_1"


def test_the_milestone_counts_only_at_its_own_setting():
    assert Plan().counts(SHAKESPEARE) and Plan(fast=True, steps=100).counts(SHAKESPEARE)
    assert not Plan().counts(OTHER_TEXT)
    assert not Plan(WIDE).counts(SHAKESPEARE)


def test_the_target_is_the_milestones_unless_another_is_asked_for():
    assert Plan().target(SHAKESPEARE) == 1.9
    assert Plan(WIDE).target(SHAKESPEARE) is None and Plan().target(OTHER_TEXT) is None
    assert Plan(WIDE, until=1.5).target(OTHER_TEXT) == Plan(until=1.5).target(SHAKESPEARE) == 1.5


def test_a_preset_can_be_changed():
    changed = setting_of("nanogpt", num_layers=2, batch_size=None)
    assert changed.num_layers == 2 and changed.batch_size == PRESETS["nanogpt"].batch_size == 64
    assert "1.47" in setting_of("nanogpt").note and not changed.note  # it is not theirs any more
    assert setting_of(None) == MILESTONE == setting_of("milestone")
    with pytest.raises(UserError, match="no preset big: there are milestone, nanogpt"):
        setting_of("big")


def test_sizes_that_do_not_fit_together_are_refused():
    with pytest.raises(UserError, match="3 heads cannot share 128 numbers"):
        setting_of(None, num_heads=3)


def test_in_bfloat16_the_params_and_the_logits_stay_float32():
    model, x = SimpleDecoder(5), jnp.array([[0, 1, 4]])
    params = model.init(jax.random.key(0), x)
    params = jax.tree.map(lambda leaf: leaf + 1 / 3, params)  # not a bfloat16
    apply = Setting(bfloat16=True).apply_of(model)
    logits, exact = apply(params, x), model.apply(params, x)
    assert logits.dtype == jnp.float32
    assert jnp.allclose(logits, exact, rtol=1e-2) and not jnp.allclose(logits, exact, rtol=1e-5)
    gradients = jax.grad(lambda params: apply(params, x).sum())(params)
    assert {leaf.dtype for leaf in jax.tree.leaves(gradients)} == {jnp.dtype("float32")}
    assert Setting().apply_of(model) == model.apply
