"""`minigpt report`: the page to keep and to share."""

import os
import re

import numpy as np
import pytest
from flax import serialization

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records import saved_run
from minigpt_challenge.coach.records.ladder import Rung
from minigpt_challenge.coach.records.progress import Standing
from minigpt_challenge.coach.records.saved_run import RunFolder
from minigpt_challenge.coach.reports import chart_style, personal_page
from minigpt_challenge.coach.reports.html import Picture
from minigpt_challenge.given.vocabulary import SHAKESPEARE
from tests.project.reports.test_html import Elements

pytestmark = pytest.mark.newest

ATTENTION = TASKS[1]
PNG = b"\x89PNG and more"
RUN = {
    "params": {"params": {"kernel": np.zeros((3, 5))}},
    "characters": SHAKESPEARE.characters,
    "solutions": False,
    "loss": 1.87,
    "sizes": {"num_layers": 4, "num_heads": 2, "hidden_dim": 128, "block_size": 32},
    "steps": 2_000,
    "seconds": 83.4,
    "device": "NVIDIA <H100>",
    "untrained": "\nzQ<b>k",
    "history": [[0, 4.6, 4.6], [250, 2.7, 2.4]],
    "milestone": True,
}


def weights(**fields):
    return serialization.msgpack_serialize(RUN | fields)


@pytest.fixture
def learner(monkeypatch, tmp_path):
    """A learner who has nothing yet; the returned function sets by name what they have."""

    def set_parts(**parts):
        for name, value in parts.items():
            if name in ("SAMPLE", "CURVE", "WEIGHTS"):
                getattr(set_parts.run, name.lower()).write_bytes(value)
            else:
                owner, _, attribute = name.rpartition("__")
                target = getattr(personal_page, owner) if owner else personal_page
                monkeypatch.setattr(target, attribute, value)

    set_parts.run = RunFolder(tmp_path)
    set_parts(
        progress__standing=lambda task: Standing(Verdict.NOT_STARTED),
        ladder__rungs=lambda: (),
        draw_ladder=lambda rungs: PNG,
        draw_loss_curve=lambda history, target: PNG,
        trained_gpt__attention=lambda run: None,
        _code=lambda task: "",
    )
    return set_parts


def set_everything(learner):
    learner(
        progress__standing=lambda task: Standing(Verdict.PASSED, 12, 12),
        trained_gpt__attention=lambda run: Picture(PNG, "Attention map", "see", 600),
        attention_at_work=lambda task, answer: Picture(PNG, "By hand", "see", 600),
        ladder__rungs=lambda: (Rung("uniform", 4.17, "zq"), Rung("bigram", 2.49, "the he")),
        _code=lambda task: f"x = '</pre><script>alert({task.number})</script>'",
        SAMPLE=b"\nROMEO:\nWhat <i>light</i> & <script>alert(1)</script>\n",
        CURVE=PNG,
        WEIGHTS=weights(),
    )


def test_a_beginner_gets_a_page_with_the_tasks_only(learner):
    page = personal_page.page(learner.run)
    elements = Elements(page)
    assert not elements.open and not elements.named("img", "figure", "details", "dl", "h3")
    assert all(task.title in page and task.goal in page for task in TASKS)
    assert page.count("· not started</b>") == len(TASKS)
    assert f"0 of {len(TASKS)} tasks passed" in page
    assert page.count("<h2>") == 1


def test_the_page_leads_with_the_work(learner):
    set_everything(learner)
    page = personal_page.page(learner.run)
    assert not Elements(page).open
    parts = re.split(
        r"\|",
        "<h1>|<dt>Loss|1.87|<dt>Parameters|<dt>Training time|<dt>Device|What my model writes|"
        "Before training|After training|How my model learned|What my model looks at|"
        "The code that I wrote|The road|The loss ladder|12 of",
    )
    places = [page.find(part) for part in parts]
    assert -1 not in places and places == sorted(places)
    assert [image["alt"].split(" ")[:3] for image in Elements(page).named("img")] == [
        ["The", "loss", "curve"],
        ["Attention", "map"],
        ["The", "loss", "ladder:"],
    ]
    assert "uniform 4.17, bigram 2.49" in page
    assert "The evaluation loss goes from 4.60 to 2.40 in 250 steps." in page
    assert f"{len(TASKS)} of {len(TASKS)} tasks passed" in page
    assert page.count("12 of 12 checks") == len(TASKS)


def test_the_help_used_is_nobody_elses_business(learner):
    set_everything(learner)
    words = re.sub(r"<style>.*?</style>", "", personal_page.page(learner.run), flags=re.S)
    assert not re.search(r"\b(hints?|peeks?|help)\b", words)


def test_the_page_fetches_nothing_and_runs_nothing(learner):
    set_everything(learner)
    page = personal_page.page(learner.run)
    elements = Elements(page)
    assert not elements.named("script", "link", "iframe", "object", "button")
    sources = [attributes.get("src", "data:") for _, attributes in elements.all]
    assert all(source.startswith("data:") for source in sources)
    assert "url(" not in page and "@import" not in page
    assert [attributes["href"][:8] for attributes in elements.named("a")] == ["https://"]


def test_all_texts_of_the_learner_and_the_model_are_escaped(learner):
    set_everything(learner)
    page = personal_page.page(learner.run)
    assert not Elements(page).named("script", "i", "h100")
    assert "&lt;i&gt;light&lt;/i&gt; &amp; &lt;script&gt;" in page
    assert "zQ&lt;b&gt;k" in page and "NVIDIA &lt;H100&gt;" in page
    assert page.count("&lt;/pre&gt;&lt;script&gt;alert(") == len(TASKS)


def test_the_code_is_folded_one_task_at_a_time(learner):
    learner(_code=lambda task: "written = True" if task is ATTENTION else "")
    page = personal_page.page(learner.run)
    (details,) = Elements(page).named("details")
    assert "open" not in details
    summary, code = page.split("<summary>")[1].split("</details>")[0].split("</summary>")
    assert "2 · <b>Attention</b>" in summary and "written = True" in code


def test_the_stub_is_not_shown_as_the_learners_code(monkeypatch):
    monkeypatch.setattr(personal_page, "read_learner_file", lambda task: "\nmine\n")
    monkeypatch.setattr(personal_page, "is_started", lambda task: task is ATTENTION)
    assert [personal_page._code(task) for task in TASKS[:3]] == ["", "mine", ""]


def test_a_sample_of_the_reference_is_not_called_the_learners_own(learner):
    set_everything(learner)
    learner(WEIGHTS=weights(solutions=True))
    page = personal_page.page(learner.run)
    assert "What the reference model writes" in page and "my model" not in page
    assert "not of my code" in page


def test_the_weights_of_an_older_version_give_fewer_facts(learner):
    old = {key: RUN[key] for key in ("params", "characters", "solutions", "loss")}
    learner(SAMPLE=b"to be", CURVE=PNG, WEIGHTS=serialization.msgpack_serialize(old))
    page = personal_page.page(learner.run)
    assert "<dt>Loss" in page and "<dt>Training time" not in page and "<dt>Device" not in page
    assert "After training" in page and "Before training" not in page
    assert len(Elements(page).named("img")) == 1  # the saved picture of the curve


def test_a_task_that_changed_since_its_check_is_marked(learner):
    learner(progress__standing=lambda task: Standing(None), WEIGHTS=b"damaged", SAMPLE=b"to be")
    page = personal_page.page(learner.run)
    assert page.count("? changed, not checked yet") == len(TASKS) and "to be" in page


def test_weights_set_by_hand_are_shown_until_there_are_trained_ones(learner):
    by_hand = Picture(PNG, "By hand", "see", 600)
    passed = Standing(Verdict.PASSED, 1, 1)
    learner(progress__standing=lambda task: passed, attention_at_work=lambda *_: by_hand)
    assert [image["alt"] for image in Elements(personal_page.page(learner.run)).named("img")] == [
        "By hand"
    ]


def luminance(color):
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """By the Web Content Accessibility Guidelines, which ask for 4.5 at least."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_text_has_enough_contrast_in_light_dark_and_print(learner):
    style = personal_page.page(learner.run).split("<style>")[1].split("</style>")[0]
    themes = re.findall(r":root \{ ?(.*?) \}", style)
    assert len(themes) == 3  # light, dark, print
    for theme in themes:
        colors = dict(re.findall(r"--(\w+): (#\w{6});", theme))
        for ink in ("ink", "quiet", "accent"):
            for ground in ("background", "card"):
                assert contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)
    on_paper = chart_style.INK, chart_style.FAINT, chart_style.BLUE, chart_style.STEEL
    assert all(contrast(ink, chart_style.PAPER) >= 4.5 for ink in on_paper)


def test_print_is_light_and_opens_the_code(learner):
    style = personal_page.page(learner.run).split("<style>")[1].split("</style>")[0]
    dark, printed = style.index("prefers-color-scheme: dark"), style.index("@media print")
    assert printed > dark  # so that it wins on a device with a dark theme
    assert "color-scheme: light;" in style[printed:] and "--background: #ffffff" in style[printed:]
    # White ink needs its ground, which browsers leave out of a print.
    assert re.search(r"\.pill \{[^}]* print-color-adjust: exact", style)
    assert "details::details-content { content-visibility: visible" in style[printed:]


def test_the_page_is_about_the_last_run_that_reached_the_milestone(monkeypatch, tmp_path):
    monkeypatch.setattr(saved_run, "FOLDER", tmp_path)
    assert personal_page._chosen(None).name == "milestone"  # which has no files yet
    for age, (name, fields) in enumerate(
        {
            "later": {"milestone": None, "loss": 1.5},
            "missed": {"milestone": False, "loss": 1.95},
            "reached": {},
            "before": {},
        }.items()
    ):
        run = saved_run.named(name)
        run.path.mkdir()
        run.weights.write_bytes(weights(**fields))
        os.utime(run.weights, (10**9 - age, 10**9 - age))
        assert personal_page._chosen(None).name == ("later" if age < 2 else "reached")
    assert personal_page._chosen("before").name == "before"


@pytest.mark.slow
def test_the_command_prints_the_path_and_saves_the_former_page(workshop):
    done = workshop.minigpt("report")
    page = workshop.root / "my_gpt" / "report.html"
    assert done.returncode == 0, done.stderr
    assert str(page) in done.stdout and "<h1>My mini GPT</h1>" in page.read_text(encoding="utf-8")
    page.write_text("precious", encoding="utf-8")
    assert "saved in" in workshop.minigpt("report").stdout
    (kept,) = (workshop.root / ".minigpt" / "history" / "report").iterdir()
    assert kept.read_text(encoding="utf-8") == "precious"


@pytest.mark.slow
def test_the_learners_attention_is_drawn_once_it_passes(workshop):
    workshop.solve(ATTENTION)
    assert workshop.minigpt("check", "2").returncode == 0
    workshop.minigpt("report", "--output", "shown.html")
    page = (workshop.root / "shown.html").read_text("utf-8")
    (image,) = Elements(page).named("img")
    assert "Romeo, Romeo!" in image["alt"] and "set by hand" in image["alt"]
    assert len(Elements(page).named("details")) == 1 and "class SelfAttention" in page


def test_an_output_that_cannot_be_written_is_named(workshop):
    done = workshop.minigpt("report", "--output", "notebooks")
    assert done.returncode == 1
    assert "notebooks" in done.stderr and "Traceback" not in done.stderr
