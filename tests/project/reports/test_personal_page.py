"""`minigpt report`: the page to keep and to share."""

import pytest
from flax import serialization

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.records.help_used import HelpUsed
from minigpt_challenge.coach.records.ladder import Rung
from minigpt_challenge.coach.records.progress import Standing
from minigpt_challenge.coach.reports import personal_page
from minigpt_challenge.coach.reports.html import Picture
from tests.project.reports.test_html import Elements

pytestmark = pytest.mark.newest

ATTENTION = TASKS[1]
PNG = b"\x89PNG and more"


@pytest.fixture
def learner(monkeypatch, tmp_path):
    """A learner who has nothing yet; the returned function sets by name what they have."""

    def set_parts(**parts):
        for name, value in parts.items():
            if name in ("SAMPLE", "CURVE", "WEIGHTS"):
                getattr(personal_page, name).write_bytes(value)
            else:
                owner, _, attribute = name.rpartition("__")
                target = getattr(personal_page, owner) if owner else personal_page
                monkeypatch.setattr(target, attribute, value)

    for name in ("SAMPLE", "CURVE", "WEIGHTS"):
        monkeypatch.setattr(personal_page, name, tmp_path / name.lower())
    set_parts(
        progress__standing=lambda task: Standing(Verdict.NOT_STARTED),
        help_used=lambda task: HelpUsed(0, 0),
        ladder__rungs=lambda: (),
        draw_ladder=lambda rungs: PNG,
    )
    return set_parts


def set_everything(learner):
    learner(
        progress__standing=lambda task: Standing(Verdict.PASSED, 12, 12),
        help_used=lambda task: HelpUsed(task.number, task.number // 3),
        attention_at_work=lambda task, answer: Picture(PNG, "Attention map", "see", 600),
        ladder__rungs=lambda: (Rung("uniform", 4.17, "zq"), Rung("bigram", 2.49, "the he")),
        SAMPLE=b"\nROMEO:\nWhat <i>light</i> & <script>alert(1)</script>\n",
        CURVE=PNG,
        WEIGHTS=serialization.msgpack_serialize({"solutions": False}),
    )


def test_a_beginner_gets_a_page_with_the_tasks_only(learner):
    page = personal_page.page()
    elements = Elements(page)
    assert not elements.open and not elements.named("img", "figure")
    assert all(task.title in page and task.goal in page for task in TASKS)
    assert page.count("· not started</b>") == len(TASKS)
    assert f"0 of {len(TASKS)} tasks passed" in page
    assert page.count("<h2>") == 1 and "no help" not in page and 'class="sample"' not in page


def test_the_complete_page_has_every_part(learner):
    set_everything(learner)
    page = personal_page.page()
    elements = Elements(page)
    assert not elements.open
    assert [image["alt"].split(" ")[:3] for image in elements.named("img")] == [
        ["The", "loss", "ladder:"],
        ["The", "loss", "curve"],
        ["Attention", "map"],
    ]
    assert "uniform 4.17, bigram 2.49" in page
    assert f"{len(TASKS)} of {len(TASKS)} tasks passed" in page
    assert page.count("12 of 12 checks") == len(TASKS)
    assert "1 hint<" in page and "2 hints<" in page and "5 hints, 1 peek<" in page
    assert "Written by my model" in page


def test_the_page_fetches_nothing_and_runs_nothing(learner):
    set_everything(learner)
    page = personal_page.page()
    elements = Elements(page)
    assert not elements.named("script", "link", "iframe", "object", "button")
    sources = [attributes.get("src", "data:") for _, attributes in elements.all]
    assert all(source.startswith("data:") for source in sources)
    assert "url(" not in page and "@import" not in page
    assert [attributes["href"][:8] for attributes in elements.named("a")] == ["https://"]


def test_the_text_of_the_model_is_escaped(learner):
    set_everything(learner)
    page = personal_page.page()
    assert not Elements(page).named("script", "i")
    assert "&lt;i&gt;light&lt;/i&gt; &amp; &lt;script&gt;" in page


def test_a_sample_of_the_reference_is_not_called_the_learners_own(learner):
    set_everything(learner)
    learner(WEIGHTS=serialization.msgpack_serialize({"solutions": True}))
    page = personal_page.page()
    assert "Written by the reference model" in page and "Written by my model" not in page
    assert "taken from the reference" in page


def test_a_task_that_changed_since_its_check_is_marked(learner):
    learner(progress__standing=lambda task: Standing(None), WEIGHTS=b"damaged", SAMPLE=b"to be")
    page = personal_page.page()
    assert page.count("? changed, not checked yet") == len(TASKS) and "to be" in page


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
    (image,) = Elements((workshop.root / "shown.html").read_text("utf-8")).named("img")
    assert "Romeo, Romeo!" in image["alt"]


def test_an_output_that_cannot_be_written_is_named(workshop):
    done = workshop.minigpt("report", "--output", "notebooks")
    assert done.returncode == 1
    assert "notebooks" in done.stderr and "Traceback" not in done.stderr
