"""Recorded verdicts: found again while nothing has changed, judged anew after any change."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from minigpt_challenge.coach.course.curriculum import ROOT, TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from tests.project.answers import __main__ as command
from tests.project.answers import verdict_record
from tests.project.answers.bank import right, wrong
from tests.project.answers.gate import Outcome
from tests.project.answers.verdict_record import VerdictRecord, code_of

pytestmark = pytest.mark.newest

EMBEDDING, ATTENTION = TASKS[:2]
ANSWER = wrong("without a mask", "x = 1", "no_mask")
OUTCOME = Outcome(ANSWER, Verdict.WRONG, frozenset({"no_mask"}), "")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "verdicts"


def record(outcome: Outcome, folder: Path) -> Path:
    """Record one outcome; return the file."""
    written = VerdictRecord(ATTENTION, folder)
    written.put(outcome, [outcome.answer])
    return written.path


@pytest.fixture
def clone(tmp_path) -> Path:
    """A copy of what verdicts depend on."""
    root = tmp_path / "clone"
    ignored = shutil.ignore_patterns("__pycache__", "hint_texts", "templates")
    for part in ("minigpt_challenge", "solutions", "tests"):
        shutil.copytree(ROOT / part, root / part, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def code_in(clone: Path) -> str:
    return code_of(ATTENTION, clone)


def test_a_recorded_outcome_is_found_again(folder):
    assert VerdictRecord(ATTENTION, folder).get(ANSWER) is None
    record(OUTCOME, folder)
    assert VerdictRecord(ATTENTION, folder).get(ANSWER) == OUTCOME


def test_faults_are_read_from_the_bank_as_it_is_now(folder):
    record(OUTCOME, folder)
    changed = wrong("without a mask", ANSWER.text, "another_fault")
    assert "has ['another_fault']" in VerdictRecord(ATTENTION, folder).get(changed).mistake


def test_another_text_or_task_is_not_found(folder):
    record(OUTCOME, folder)
    assert VerdictRecord(ATTENTION, folder).get(wrong("without a mask", "x = 2")) is None
    assert VerdictRecord(EMBEDDING, folder).get(ANSWER) is None


def test_a_mistake_of_the_grader_is_not_recorded_and_removes_what_was(folder):
    record(OUTCOME, folder)
    record(Outcome(ANSWER, Verdict.WRONG, frozenset({"scale"}), ""), folder)
    assert VerdictRecord(ATTENTION, folder).get(ANSWER) is None


def test_another_outcome_than_recorded_removes_the_line(folder):
    record(OUTCOME, folder)
    other = Outcome(ANSWER, Verdict.WRONG, frozenset(), "")
    assert VerdictRecord(ATTENTION, folder).differs(other) == "wrong ['no_mask']"
    record(other, folder)
    assert VerdictRecord(ATTENTION, folder).get(ANSWER) is None


def test_nothing_is_recorded_once_the_code_has_changed(folder, monkeypatch):
    opened = VerdictRecord(ATTENTION, folder)
    monkeypatch.setattr(verdict_record, "code_of", lambda task: "another")
    with pytest.raises(RuntimeError, match="has changed"):
        opened.put(OUTCOME, [ANSWER])
    assert not opened.path.exists()


def test_lines_are_in_the_order_of_the_bank_and_only_of_its_answers(folder):
    bank = [wrong(name, name) for name in "cab"]
    for answer in (bank[2], wrong("removed", ""), bank[0]):
        written = VerdictRecord(ATTENTION, folder)
        written.put(Outcome(answer, Verdict.WRONG, frozenset(), ""), bank)
    assert re.findall(r'"answer": "(\w+)"', written.path.read_text()) == ["c", "b"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '"text"', "1\n2"])
def test_a_damaged_file_is_judged_anew(folder, damage):
    record(OUTCOME, folder).write_text(damage)
    assert VerdictRecord(ATTENTION, folder).get(ANSWER) is None


@pytest.mark.parametrize("part", ["excellent", ""])
def test_a_damaged_line_is_judged_anew(folder, part):
    file = record(OUTCOME, folder)
    file.write_text(file.read_text().replace('"wrong"', f'"{part}"'))
    assert VerdictRecord(ATTENTION, folder).get(ANSWER) is None


@pytest.mark.parametrize("changed", ["code_of", "environment"])
def test_verdicts_by_other_code_or_in_another_environment_count_no_more(
    folder, monkeypatch, changed
):
    record(OUTCOME, folder)
    monkeypatch.setattr(verdict_record, changed, lambda *_: {})
    assert VerdictRecord(ATTENTION, folder).get(ANSWER) is None


@pytest.mark.parametrize(
    "file",
    [
        "tests/test_task2_attention.py",
        "solutions/task1_embedding.py",
        "minigpt_challenge/given/training.py",
        "minigpt_challenge/files.py",
        "minigpt_challenge/coach/checks/expect.py",
        "minigpt_challenge/coach/checks/faults/catalogue/attention.py",
        "minigpt_challenge/coach/grading/judge.py",
        "minigpt_challenge/coach/runtime/limits.py",
        "minigpt_challenge/coach/course/verdict.py",
        "pyproject.toml",
        "tests/project/answers/gate.py",
    ],
)
def test_a_change_to_what_a_verdict_depends_on_is_noticed(clone, file):
    before = code_in(clone)
    with (clone / file).open("a") as changed:
        changed.write("\n")
    assert code_in(clone) != before


def test_a_new_file_is_noticed(clone):
    before = code_in(clone)
    (clone / "minigpt_challenge" / "coach" / "checks" / "new.py").touch()
    assert code_in(clone) != before


@pytest.mark.parametrize(
    "file",
    [
        "tests/test_task1_embedding.py",
        "minigpt_challenge/tasks/task2_attention.py",
        "minigpt_challenge/coach/commands/cli.py",
    ],
)
def test_a_change_to_anything_else_is_not(clone, file):
    before = code_in(clone)
    (clone / file).write_text("changed = True\n")
    assert code_in(clone) == before


def test_settings_and_versions_are_noticed(monkeypatch):
    before = verdict_record.environment()
    monkeypatch.setenv("MINIGPT_INTERPRETER", "xla")
    with_xla = verdict_record.environment()
    monkeypatch.setattr(verdict_record, "version", lambda name: "0.0")
    assert before != with_xla != verdict_record.environment()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_suites_import_no_room_that_the_hash_leaves_out(task):
    rooms = "|".join(verdict_record.UNUSED_ROOMS)
    text = task.tests.read_text(encoding="utf-8")
    assert not re.search(rf"minigpt_challenge\.coach(\.| import .*)\b({rooms})\b", text)


SOLUTION = right("the solution", "x = 0")


@pytest.fixture
def judged(folder, monkeypatch):
    """A bank of the solution and three wrong answers, all recorded; which of them are judged."""
    answers = [SOLUTION, *(wrong(name, name) for name in "abc")]
    for answer in answers:
        verdict = Verdict.PASSED if answer.right else Verdict.WRONG
        VerdictRecord(ATTENTION, folder).put(Outcome(answer, verdict, frozenset(), ""), answers)
    judged = []

    def judge(task, answer):
        judged.append(answer.name)
        verdict = Verdict.PASSED if answer.right else Verdict.COULD_NOT_RUN
        return Outcome(answer, verdict, frozenset(), "")

    monkeypatch.setattr(command, "bank", lambda task: answers)
    monkeypatch.setattr(command, "VerdictRecord", lambda task: VerdictRecord(task, folder))
    monkeypatch.setattr(command, "judge_answer", judge)
    monkeypatch.setattr(command, "judge_with_known_checks", judge)
    monkeypatch.setattr(command, "ProcessPoolExecutor", lambda *_: ThreadPoolExecutor(1))
    return judged


def judge_all(*words):
    outcomes, differences = command.judge_all([ATTENTION], command.parse_arguments([*words]))
    assert len(outcomes[ATTENTION.stem]) == 4
    return differences


def test_of_what_is_recorded_only_the_solution_is_judged(judged):
    assert not judge_all()
    assert judged == ["the solution"]


def test_what_is_judged_anew_is_compared_with_the_record(judged):
    difference = f"{ATTENTION.stem}, c: could not run [], recorded as wrong []"
    for _ in range(2):  # without --record nothing is written
        assert difference in judge_all("--anew", "2/2")
    assert judged == ["the solution", "a", "c"] * 2


def test_a_difference_is_reported_until_the_verdict_is_the_same_twice(judged):
    assert len(judge_all("--anew", "2/2", "--record")) == 2
    judged.clear()
    assert not judge_all("--record")
    assert judged == ["the solution", "a", "c"]
    judged.clear()
    assert not judge_all("--anew", "2/2") and judged == ["the solution", "a", "c"]
