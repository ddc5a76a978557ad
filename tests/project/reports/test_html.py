"""What `%check` shows for each verdict, in HTML and in plain text."""

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Check, Reason, Report, Verdict
from minigpt_challenge.coach.reports import notebook
from minigpt_challenge.coach.reports.html import Picture, check_fragment

NO_MASK = dict(
    reason=Reason.VALUES,
    asked="SelfAttention(x) should have the expected values.",
    seen="30 of 36 values differ.",
    cause="your output is exactly what comes out without the causal mask.",
    diagnosis=("no_mask",),
)
CRASHED = dict(
    reason=Reason.UNREADABLE,
    seen="Python cannot read answer.py:3: no\n    q @ `k`\n        ^",
)


def report(*checks: Check) -> Report:
    return Report(TASKS[1], 1.25, checks)


REPORTS = {
    "passed": report(Check("works_under_jit", Verdict.PASSED)),
    "wrong": report(
        Check("works_under_jit", Verdict.PASSED),
        Check("head_value", Verdict.WRONG, **NO_MASK),
        Check("head_gradients", Verdict.WRONG, **NO_MASK),
    ),
    "not_started": report(
        Check("head_value", Verdict.NOT_STARTED, seen="Task 2: write `__call__`")
    ),
    "could_not_run": report(Check("head_value", Verdict.COULD_NOT_RUN, **CRASHED)),
}
PAGES = {name: check_fragment(each) for name, each in REPORTS.items()}


class Elements(HTMLParser):
    """The elements of a page in order, with their attributes, and those that are not closed."""

    def __init__(self, page: str):
        super().__init__()
        self.all, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.all.append((tag, dict(attributes)))
        if tag not in ("img", "meta", "link", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def named(self, *names):
        return [attributes for tag, attributes in self.all if tag in names]


@pytest.mark.parametrize("name", REPORTS)
def test_each_verdict_has_its_own_sign_word_and_color(name):
    verdict = Verdict(name)
    pill = re.search(
        rf'<b class="pill" style="([^"]+)">{re.escape(verdict.sign)} {verdict.words}</b>',
        PAGES[name],
    )
    assert pill and "background: #" in pill[1]
    others = [
        re.search(r'class="pill" style="([^"]+)"', PAGES[other])[1]
        for other in REPORTS
        if other != name
    ]
    assert pill[1] not in others


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_runs_and_nothing_is_fetched(name):
    elements = Elements(PAGES[name])
    assert not elements.open
    assert not elements.named("script", "button", "input", "link", "iframe")
    assert not re.search(r"https?://|url\(|@import|onclick", PAGES[name])


def test_the_first_failure_is_open_and_its_cause_is_shown_once():
    page = PAGES["wrong"]
    assert page.count("<details open>") == page.count("<details") == 1
    assert page.count("Most likely:") == 1 and "<b>Most likely:</b> your output" in page
    assert page.count("30 of 36") == 1
    assert "1 other check fails in the same way: head gradients" in page
    assert "<details" not in PAGES["passed"]


def test_a_check_that_is_not_started_stays_closed_if_another_is_wrong():
    unwritten = Check("jit", Verdict.NOT_STARTED, seen="Task 2: write it")
    page = check_fragment(report(unwritten, *REPORTS["wrong"].checks))
    assert page.count("<details") == 2
    assert (
        "✗ wrong</b> head value" in page.partition("<details open>")[2].partition("</summary>")[0]
    )


def test_below_a_cell_there_is_only_the_failure_to_read_first():
    page = check_fragment(REPORTS["wrong"], first_only=True)
    assert page.count("<li>") == 1 and "<b>Most likely:</b> your output" in page
    assert "1 of 3 checks passed" in page and "<code>%check 2</code>" in page
    assert "1 other check fails in the same way" in page and "head gradients" not in page
    passed = check_fragment(REPORTS["passed"], first_only=True)
    assert "<li>" not in passed and "1 of 1 checks passed" in passed


def test_code_keeps_its_columns():
    assert "<pre>q @ `k`\n    ^</pre>" in PAGES["could_not_run"]
    assert "write <code>__call__</code>" in PAGES["not_started"]


def test_the_text_of_a_message_is_escaped():
    hostile = "x < 1 & `<script>alert(1)</script>` <img src=x onerror=y>\n    <b>a & b</b>"
    page = check_fragment(
        report(Check("a<b>", Verdict.WRONG, seen=hostile, cause=f"<i>{hostile}</i>"))
    )
    elements = Elements(page)
    assert not elements.named("script", "img", "i")
    assert "x &lt; 1 &amp; <code>&lt;script&gt;alert(1)&lt;/script&gt;</code>" in page
    assert "<pre>&lt;b&gt;a &amp; b&lt;/b&gt;" in page and "a&lt;b&gt;" in page


def test_a_picture_is_embedded_and_has_a_text():
    picture = Picture(b"\x89PNG", 'a "map" & more', "look <here>", 300.5)
    bundle = notebook.mime_bundle(REPORTS["wrong"], pictures=(picture,))
    (image,) = Elements(bundle["text/html"]).named("img")
    assert image["src"].startswith("data:image/png;base64,iVBORw")
    assert image["alt"] == picture.alt and image["width"] == "300"
    assert "look &lt;here&gt;</figcaption>" in bundle["text/html"]
    assert '[Picture: a "map" & more]' in bundle["text/plain"]


def test_the_plain_text_has_the_same_content():
    text = notebook.mime_bundle(REPORTS["wrong"])["text/plain"]
    assert "Task 2 · Attention: wrong" in text
    assert "✓ works under jit" in text and "✗ head value" in text
    assert "1 other check fails in the same way: head gradients" in " ".join(text.split())
    assert text.count("Most likely: your output") == 1
    assert "<" not in text and "\x1b" not in text


def publish_and_print(types, capsys):
    """What `%check` publishes and what it prints, in an IPython that shows these MIME types."""
    published = []
    ipython = SimpleNamespace(
        display_formatter=SimpleNamespace(active_types=types),
        display_pub=SimpleNamespace(publish=published.append),
    )
    notebook.show(ipython, REPORTS["could_not_run"])
    return published, capsys.readouterr().out


def test_a_notebook_gets_html_and_plain_text(capsys):
    (published,), printed = publish_and_print(["text/plain", "text/html"], capsys)
    assert published == notebook.mime_bundle(REPORTS["could_not_run"]) and not printed
    assert set(published) == {"text/html", "text/plain"}


def test_a_terminal_gets_printed_text(capsys):
    published, printed = publish_and_print(["text/plain"], capsys)
    assert not published and "Task 2 · Attention: could not run" in printed
