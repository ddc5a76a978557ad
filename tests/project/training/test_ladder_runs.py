"""The loss ladder: what is saved, what is drawn, and the models of its rungs."""

import io
import math
from dataclasses import replace

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from rich.console import Console

from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER, TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records import ladder
from minigpt_challenge.coach.records.ladder import Rung
from minigpt_challenge.coach.records.progress import Standing
from minigpt_challenge.coach.reports import live_training, road
from minigpt_challenge.coach.reports.html import Picture
from minigpt_challenge.coach.runtime.loading import tasks_from
from minigpt_challenge.coach.training import gpt_run, ladder_runs
from minigpt_challenge.coach.training.ladder_recipes import RECIPES
from minigpt_challenge.coach.training.plan import Plan
from minigpt_challenge.given import milestone, steps
from minigpt_challenge.given.dataset import load_data
from minigpt_challenge.given.rungs import EmbedAndGuess

BIGRAM = Rung("bigram", 2.48, "\nThe th $ouk\nwhe")
MANY = Rung("+ many heads", 2.17, "QUEEN:\nThe wher")


@pytest.fixture
def ladder_file(tmp_path, monkeypatch):
    monkeypatch.setattr(ladder, "LADDER_FILE", tmp_path / "ladder.json")
    return ladder.LADDER_FILE


def test_rungs_are_ordered_and_the_same_name_replaces(ladder_file):
    ladder.remember(MANY)
    ladder.remember(Rung("bigram", 3.0, "x"))
    ladder.remember(BIGRAM)
    assert ladder.rungs() == (ladder.UNIFORM, BIGRAM, MANY)


def test_the_milestone_is_shown_once_it_is_reached(ladder_file):
    standings = {task: Standing(Verdict.PASSED) for task in TASKS}

    def output():
        console = Console(file=io.StringIO(), width=100)
        console.print(road.road(standings, ladder.milestone(), road.NOTEBOOK))
        console.print(road.what_next(standings, ladder.milestone(), road.NOTEBOOK))
        return console.file.getvalue()

    ladder.remember(MANY)
    assert output().count("✓") == len(TASKS) and "Train it with %ladder 5" in output()
    ladder.remember(Rung(ladder.MILESTONE, 1.8803, "GLO:", borrowed=(3,)))
    assert output().count("✓") == len(TASKS) and "Train it with %ladder 5" in output()
    ladder.remember(Rung(ladder.MILESTONE, 1.8803, "GLO:"))
    assert "loss 1.88" in output()
    assert output().count("✓") == len(TASKS) + 1 and "Train it" not in output()
    assert "Congratulations" in output() and "!minigpt train --preset nanogpt" in output()
    standings[TASKS[-1]] = Standing(None)
    assert "Congratulations" in output() and "Beyond the milestone, task 8" in output()
    assert "--preset" not in output()  # first all tasks


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"name": "bigram"}]', '{"a": 1}'])
def test_a_damaged_file_leaves_the_uniform_guess_and_is_replaced(ladder_file, text):
    ladder_file.write_text(text)
    assert ladder.rungs() == (ladder.UNIFORM,)
    ladder.remember(BIGRAM)
    assert ladder.rungs() == (ladder.UNIFORM, BIGRAM)


def test_every_place_has_a_recipe():
    names = [recipe.name for recipe in RECIPES.values()]
    assert [place.name for place in ladder.PLACES] == ["uniform", *names, ladder.MILESTONE]
    assert ladder.UNIFORM.loss == pytest.approx(math.log(65))


@pytest.mark.parametrize("number", RECIPES)
def test_every_recipe_builds_a_model_of_the_learners_own_parts(number):
    recipe = RECIPES[number]
    with tasks_from(SOLUTIONS_FOLDER, TASKS[:number]) as modules:
        # Only the parts that the recipe lists.
        names = {
            name: getattr(modules[task.stem], name)
            for task in TASKS
            if task.number in recipe.tasks
            for name in task.writes
        }
        model = recipe.build(names, 11)
        tokens = jnp.zeros((2, 32), int)
        logits, _ = model.init_with_output(jax.random.key(0), tokens)
    assert logits.shape == (2, 32, 11)


class TestRunIdentity:
    """What a saved run depends on: the code that runs, not how it is written."""

    @staticmethod
    def identity(text, gpt=None, train_step=steps.train_step, seed=0):
        model = milestone.build(gpt or small_gpt, 65)
        both, plan = (train_step, steps.eval_step), Plan(seed=seed)
        initial = gpt_run.initial_state(model, plan.setting)
        return gpt_run.run_identity(initial, both, load_data(text), "the learner", plan)

    def test_the_same_code_has_the_same_identity(self, own_text):
        assert self.identity(own_text) == self.identity(own_text)

    def test_another_step_is_different_code(self, own_text):
        def lazy_step(state, x, y):
            return state, steps.eval_step(state, x, y)

        first, lazy = self.identity(own_text), self.identity(own_text, train_step=lazy_step)
        assert [key for key in first if first[key] != lazy[key]] == ["the code"]

    def test_another_model_seed_or_text_has_another_identity(self, own_text, tmp_path):
        first = self.identity(own_text)
        wider = self.identity(own_text, gpt=wide_gpt)
        assert [key for key in first if first[key] != wider[key]] == ["the code"]
        seeded = self.identity(own_text, seed=1)
        assert [key for key in first if first[key] != seeded[key]] == ["the seed"]
        other = tmp_path / "other.txt"
        other.write_text(own_text.read_text().replace("question", "queestion"))
        read = self.identity(other)
        assert [key for key in first if first[key] != read[key]] == ["the text"]


def small_gpt(vocab_size, **_):
    return _embed_and_guess(vocab_size, 4)


def wide_gpt(vocab_size, **_):
    return _embed_and_guess(vocab_size, 8)


def _embed_and_guess(vocab_size, width):
    return EmbedAndGuess(nn.Embed(vocab_size, width), vocab_size)


def test_the_ladder_as_text_has_each_loss_in_words(ladder_file):
    ladder.remember(ladder.Rung("+ attention", 2.3, "thou", (1,)))
    assert ladder.as_text(ladder.rungs()).splitlines() == [
        "uniform        4.17, as unsure as among 65 characters",
        "+ attention    2.30, as unsure as among 10 characters, task 1 borrowed",
    ]


class TestWhatItLearned:
    """The picture that is shown when a rung has been trained."""

    @staticmethod
    def shown(monkeypatch, picture):
        seen = []
        monkeypatch.setattr(live_training, "display", lambda bundle, raw: seen.append(bundle))
        recipe = replace(RECIPES[1], picture=picture)
        ladder_runs._show_what_it_learned(recipe, None, {}, None)
        return seen

    def test_it_is_shown_with_its_caption(self, monkeypatch):
        picture = Picture(b"PNG", "alt", "what to <see>", 500)
        (bundle,) = self.shown(monkeypatch, lambda *_: picture)
        assert bundle["text/plain"] == "alt"
        assert "<figcaption>what to &lt;see&gt;</figcaption>" in bundle["text/html"]
        assert 'src="data:image/png;base64,' in bundle["text/html"]

    def test_without_a_picture_nothing_is_shown(self, monkeypatch):
        assert self.shown(monkeypatch, lambda *_: None) == []

    def test_an_error_leaves_the_picture_out(self, monkeypatch):
        assert self.shown(monkeypatch, lambda *_: 1 / 0) == []
