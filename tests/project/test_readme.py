"""The README's code runs."""

import re

import pytest

from minigpt_challenge.coach.course.curriculum import ROOT
from minigpt_challenge.given import dataset
from minigpt_challenge.given.vocabulary import SHAKESPEARE

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_code_in_the_readme_runs_from_the_first_block_to_the_last(monkeypatch, capsys):
    text = SHAKESPEARE.characters * 100
    monkeypatch.delenv("MINIGPT_DATA", raising=False)
    monkeypatch.setattr(dataset, "find_shakespeare", lambda: (text, "a text for tests"))
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE))
    assert code.count("range(2_000)") == 1
    names = {"__name__": "readme"}
    exec(compile(code.replace("range(2_000)", "range(3)"), "README.md", "exec"), names)
    assert capsys.readouterr().out.splitlines()[-1] != ""
    assert int(names["state"].step) == 3
    for value in re.findall(r"^data\.vocabulary\.\S+\(.*\)  # (.*)$", code, re.MULTILINE):
        call = next(line for line in code.splitlines() if line.endswith(f"  # {value}"))
        assert repr(eval(call, names)) == value
