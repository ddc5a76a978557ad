"""Signs that a terminal lacks are written in ASCII."""

import re

import pytest

from minigpt_challenge.coach.course.curriculum import ROOT
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.reports.ascii_signs import HANDLER, SIGNS


def test_each_verdict_keeps_a_sign_of_its_own():
    signs = [verdict.sign.encode("ascii", HANDLER) for verdict in Verdict]
    assert signs == [b"+", b"x", b".", b"!"]


def test_what_has_no_ascii_form_is_a_question_mark():
    assert "a → 火, √d".encode("ascii", HANDLER) == b"a -> ?, sqrt d"
    assert "Zoë √d".encode("latin-1", HANDLER) == "Zoë sqrt d".encode("latin-1")


def test_other_errors_stay_errors():
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("utf-8", HANDLER)


def test_every_sign_in_our_texts_has_an_ascii_form():
    files = [*(ROOT / "minigpt_challenge").rglob("*.py"), *(ROOT / "tests").glob("test_task*.py")]
    files += (ROOT / "minigpt_challenge" / "coach" / "course" / "hint_texts").glob("*.md")
    texts = "".join(path.read_text(encoding="utf-8") for path in files)
    assert {*re.findall(r"[^\x00-\x7f]", texts)} <= SIGNS.keys()
