"""For a learner who is stuck: hints, the reference, saved versions."""

import io
import re

import pytest
from rich.console import Console

from minigpt_challenge.coach.commands.help import Hint, hints, next_hint, show_solution
from minigpt_challenge.coach.course.curriculum import ROOT, TASKS
from minigpt_challenge.coach.course.stubs import BEGIN, END
from minigpt_challenge.coach.course.verdict import Check, Report, Verdict
from minigpt_challenge.coach.records import help_used, history, progress

pytestmark = pytest.mark.newest

COACH = ROOT / "minigpt_challenge" / "coach"

EMBEDDING, ATTENTION = TASKS[:2]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_every_task_has_three_stages_and_hints_for_checks_that_exist(task):
    suite = set(
        re.findall(r"^def test_(\w+)", task.tests.read_text(encoding="utf-8"), re.MULTILINE)
    )
    faults = (COACH / "checks" / "faults").rglob("*.py")
    ids = {id for file in faults for id in re.findall(r'"(\w+)"', file.read_text(encoding="utf-8"))}
    all_hints = hints(task)
    stages = [hint for hint in all_hints if not hint.bound_to]
    assert [stage.title[0] for stage in stages] == ["1", "2", "3"]
    assert all(hint.text for hint in all_hints)
    named = [name for hint in all_hints for name in hint.bound_to]
    assert set(named) <= suite | ids
    assert suite <= set(named), "a check without a hint"
    assert len(named) == len(set(named)), "two hints for the same check or fault"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_no_hint_contains_a_line_of_the_solution(task):
    text = task.solution.read_text(encoding="utf-8")
    regions = re.findall(rf"{BEGIN}\n(.*?){END}", text, flags=re.DOTALL)
    lines = {line.split("  #")[0].strip() for region in regions for line in region.splitlines()}
    revealed = [
        line for line in lines if len(line) > 10 and any(line in hint.text for hint in hints(task))
    ]
    assert not revealed


def test_the_hint_for_a_failed_check_comes_first_then_the_stages_then_none():
    one, two, bound = Hint("1", "a"), Hint("2", "b"), Hint("`c`", "c", frozenset("c"))
    all_hints = (one, two, bound)
    assert next_hint(all_hints, [], []) == one
    assert next_hint(all_hints, ["x", "c"], []) == bound
    assert next_hint(all_hints, ["c"], ["`c`"]) == one
    assert next_hint(all_hints, [], ["1", "2"]) is None
    # It may have been shown for an earlier failure of the same check.
    assert next_hint(all_hints, ["c"], ["`c`", "1", "2"]) == bound


def test_hints_follow_the_check_and_then_the_stages(workshop):
    solution = EMBEDDING.solution.read_text(encoding="utf-8")
    stub = workshop.stub(EMBEDDING)
    stub.write_text(solution.replace("if T > self.block_size", "if False"), encoding="utf-8")
    assert workshop.minigpt("check", "1").returncode == 1
    shown = workshop.minigpt("hint", "1").stdout
    assert "If “more tokens than block size are refused” fails" in shown
    assert "A nudge" in workshop.minigpt("hint", "1").stdout
    assert "The idea" in workshop.minigpt("hint").stdout
    assert "The shapes" in workshop.minigpt("hint").stdout
    assert "If “more tokens" in workshop.minigpt("hint").stdout
    again = workshop.minigpt("hint", "--again").stdout
    assert again.index("A nudge") < again.index("The idea") < again.index("block size")


def test_the_hint_for_the_loss_mentions_returning_it_alone():
    hint = next_hint(hints(TASKS[4]), ["loss_is_the_mean_cross_entropy"], [])
    assert "return it alone" in hint.text


def test_an_unwritten_check_has_not_failed(workshop):
    workshop.minigpt("check", "1")
    assert "A nudge" in workshop.minigpt("hint", "1").stdout


def test_the_diagnosis_chooses_the_hint(workshop):
    solution = ATTENTION.solution.read_text(encoding="utf-8")
    stub = workshop.stub(ATTENTION)
    stub.write_text(solution.replace("scores, -jnp.inf)", "scores, 0.0)"), encoding="utf-8")
    workshop.minigpt("check", "2")
    assert "For what the check has found" in workshop.minigpt("hint", "2").stdout
    assert "A nudge" in workshop.minigpt("hint", "2").stdout


def test_a_syntax_error_uses_up_no_hint(workshop):
    workshop.stub(EMBEDDING).write_text("class TokenAndPositionEmbedding(:\n")
    assert "line 1" in workshop.minigpt("hint", "1").stdout
    assert "A nudge" not in workshop.minigpt("hint", "1", "--again").stdout


@pytest.mark.parametrize(
    "checks, failed",
    [
        ((Check("a", Verdict.NOT_STARTED), Check("b", Verdict.PASSED)), []),
        ((Check("a", Verdict.COULD_NOT_RUN), Check("b", Verdict.WRONG)), ["a"]),
        ((Check("a", Verdict.COULD_NOT_RUN), Check("b", Verdict.COULD_NOT_RUN)), []),
        ((Check("a[Adam]", Verdict.WRONG), Check("b", Verdict.WRONG)), ["a"]),
        ((Check("a", Verdict.WRONG), Check("b", Verdict.COULD_NOT_RUN)), ["a"]),
        (
            (Check("a", Verdict.WRONG), Check("b", Verdict.WRONG, seen="", diagnosis=("x", "y"))),
            ["x", "y", "b"],
        ),
    ],
)
def test_failed_lists_the_faults_and_the_first_failed_check(monkeypatch, tmp_path, checks, failed):
    monkeypatch.setattr(progress, "PROGRESS_FILE", tmp_path / "progress.json")
    progress.remember(EMBEDDING, Report(EMBEDDING, 1.0, checks))
    assert progress.failed(EMBEDDING) == failed


def test_a_passed_task_needs_no_hint(workshop):
    workshop.solve(EMBEDDING)
    workshop.minigpt("check", "1")
    assert "needs no hint" in workshop.minigpt("hint", "1").stdout


def test_after_the_last_hint_the_reference_is_named(workshop):
    for _ in range(3):
        workshop.minigpt("hint", "1")
    assert "That was the last hint" in workshop.minigpt("hint", "1").stdout


@pytest.mark.parametrize("damage", ["{", "[]", '{"task1_embedding": {"hints": 1}}'])
def test_a_damaged_help_file_counts_as_empty(monkeypatch, tmp_path, damage):
    monkeypatch.setattr(help_used, "HELP_FILE", tmp_path / "help.json")
    help_used.HELP_FILE.write_text(damage)
    assert help_used.titles_of_hints(EMBEDDING) == []
    help_used.note_hint(EMBEDDING, "1")
    help_used.note_hint(ATTENTION, "2")
    assert help_used.titles_of_hints(EMBEDDING) == ["1"]
    assert help_used.titles_of_hints(ATTENTION) == ["2"]


def test_the_solution_is_shown_only_with_yes(workshop):
    line = "return what + where"
    rejected = workshop.minigpt("solution", "1")
    assert rejected.returncode == 1 and "--yes" in rejected.stderr and line not in rejected.stdout
    shown = workshop.minigpt("solution", "1", "--yes").stdout
    assert line in shown and BEGIN not in shown
    different = workshop.minigpt("solution", "1", "--diff", "--yes").stdout
    assert f"+        {line}" in different and "-        raise NotImplementedError" in different
    workshop.stub(EMBEDDING).write_text(
        re.sub(rf" *({BEGIN}|{END})\n", "", EMBEDDING.solution.read_text(encoding="utf-8")),
        encoding="utf-8",
    )
    same = workshop.minigpt("solution", "1", "--diff", "--yes").stdout
    assert "are the same" in same
    assert not (workshop.root / ".minigpt" / "help.json").exists()  # looking is not counted


def test_no_line_of_the_reference_is_cut_in_a_narrow_terminal(workshop):
    shown = workshop.minigpt("solution", "2", "--yes", COLUMNS="60").stdout
    lines = ATTENTION.solution.read_text(encoding="utf-8").splitlines()
    assert shown.splitlines() == [line for line in lines if line.strip() not in (BEGIN, END)]


def test_the_reference_is_shown_without_a_background_color():
    page = Console(file=io.StringIO(), record=True, force_terminal=True)
    show_solution(page, EMBEDDING)
    assert "background-color" not in page.export_html(inline_styles=True, code_format="{code}")


def test_reset_saves_the_file_and_history_restores_it(workshop):
    stub = workshop.stub(EMBEDDING)
    given = stub.read_text(encoding="utf-8")
    assert "nothing to reset" in workshop.minigpt("reset", "1").stdout
    assert "Nothing" in workshop.minigpt("history", "1").stdout
    stub.write_text("mine = 1\n", encoding="utf-8")
    assert ".minigpt" in workshop.minigpt("reset", "1").stdout
    assert stub.read_text(encoding="utf-8") == given
    listed = workshop.minigpt("history", "1").stdout
    assert re.search(r"1 +\d{4}-\d\d-\d\d .* 1 +not checked\n", listed)
    assert workshop.minigpt("history", "1", "--show", "1").stdout == "mine = 1\n\n"
    assert workshop.minigpt("history", "1", "--restore", "1").returncode == 0
    assert stub.read_text(encoding="utf-8") == "mine = 1\n"
    beyond = workshop.minigpt("history", "1", "--restore", "7")
    assert beyond.returncode == 1 and "There are versions 1 to 2" in beyond.stderr


def test_history_shows_the_verdict_of_each_version(workshop):
    workshop.solve(EMBEDDING)
    workshop.minigpt("check", "1")
    workshop.minigpt("reset", "1")
    assert re.search(r"✓ passed +12 of 12 checks\n", workshop.minigpt("history", "1").stdout)
    workshop.minigpt("history", "1", "--restore", "1")
    assert re.search(r"✓ +1 +Embedding +passed", workshop.minigpt().stdout)  # without a check


def test_foreign_files_in_the_history_are_ignored(monkeypatch, tmp_path):
    monkeypatch.setattr(history, "HISTORY_FOLDER", tmp_path / "history")
    file = tmp_path / "file.py"
    file.write_text("a")
    history.keep(file)
    (tmp_path / "history" / "file" / "notes.py").write_text("b")
    assert [version.text() for version in history.versions(file)] == ["a"]
