"""Kept verdicts: found again while nothing has changed, judge_answer anew after any change."""

import re
import shutil
from pathlib import Path

import pytest

from minigpt_challenge.coach.course.curriculum import ROOT, TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from tests.project.answers import __main__ as command
from tests.project.answers import verdict_cache
from tests.project.answers.bank import right, wrong
from tests.project.answers.gate import Outcome
from tests.project.answers.verdict_cache import VerdictCache, key

pytestmark = pytest.mark.newest

EMBEDDING, ATTENTION = TASKS[:2]
ANSWER = wrong("without a mask", "x = 1", "no_mask")
OUTCOME = Outcome(ANSWER, Verdict.WRONG, frozenset({"no_mask"}), "It looks into the future.")


@pytest.fixture
def cache(tmp_path):
    return VerdictCache(tmp_path / "verdicts")


@pytest.fixture
def clone(tmp_path) -> Path:
    """A copy of what verdicts depend on."""
    root = tmp_path / "clone"
    ignored = shutil.ignore_patterns("__pycache__", "hint_texts", "templates")
    for part in ("minigpt_challenge", "solutions", "tests"):
        shutil.copytree(ROOT / part, root / part, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def key_in(clone: Path) -> str:
    verdict_cache.shared_code.cache_clear()
    return key(ATTENTION, ANSWER, clone)


def test_a_kept_outcome_is_found_again(cache):
    assert cache.get(ATTENTION, ANSWER) is None
    cache.put(ATTENTION, OUTCOME)
    assert cache.get(ATTENTION, ANSWER) == OUTCOME


def test_faults_and_names_are_read_from_the_bank_as_it_is_now(cache):
    cache.put(ATTENTION, OUTCOME)
    renamed = wrong("another name", ANSWER.text, "another_fault")
    assert "has ['another_fault']" in cache.get(ATTENTION, renamed).mistake


def test_another_text_or_task_is_not_found(cache):
    cache.put(ATTENTION, OUTCOME)
    assert cache.get(ATTENTION, wrong("without a mask", "x = 2", "no_mask")) is None
    assert cache.get(EMBEDDING, ANSWER) is None


def test_a_mistake_of_the_grader_is_not_kept(cache):
    cache.put(ATTENTION, Outcome(right("r", ""), Verdict.WRONG, frozenset(), ""))
    cache.put(ATTENTION, Outcome(ANSWER, Verdict.WRONG, frozenset({"scale"}), ""))
    assert not cache.folder.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"verdict": "excellent"}'])
def test_a_damaged_file_is_judge_answer_anew(cache, text):
    cache.put(ATTENTION, OUTCOME)
    (file,) = cache.folder.iterdir()
    file.write_text(text)
    assert cache.get(ATTENTION, ANSWER) is None


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
    before = key_in(clone)
    with (clone / file).open("a") as changed:
        changed.write("\n")
    assert key_in(clone) != before


def test_a_new_file_is_noticed(clone):
    before = key_in(clone)
    (clone / "minigpt_challenge" / "coach" / "checks" / "new.py").touch()
    assert key_in(clone) != before


@pytest.mark.parametrize(
    "file",
    [
        "tests/test_task1_embedding.py",
        "minigpt_challenge/tasks/task2_attention.py",
        "minigpt_challenge/coach/commands/cli.py",
    ],
)
def test_a_change_to_anything_else_is_not(clone, file):
    before = key_in(clone)
    (clone / file).write_text("changed = True\n")
    assert key_in(clone) == before


def test_settings_and_versions_are_noticed(clone, monkeypatch):
    before = key_in(clone)
    monkeypatch.setenv("MINIGPT_INTERPRETER", "xla")
    with_xla = key_in(clone)
    monkeypatch.setattr(verdict_cache, "version", lambda name: "0.0")
    assert len({before, with_xla, key_in(clone)}) == 3


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_suites_import_no_room_that_the_hash_leaves_out(task):
    rooms = "|".join(verdict_cache.UNUSED_ROOMS)
    text = task.tests.read_text(encoding="utf-8")
    assert not re.search(rf"minigpt_challenge\.coach(\.| import .*)\b({rooms})\b", text)


def test_only_what_is_not_kept_is_judge_answer(cache, monkeypatch):
    answers = [ANSWER, wrong("w", "x = 3")]
    monkeypatch.setattr(command, "bank", lambda task: answers)
    for answer in answers:
        cache.put(ATTENTION, Outcome(answer, Verdict.WRONG, frozenset(), ""))
    monkeypatch.setattr(command, "judge_answer", None)  # nothing is left to judge
    (outcomes,) = command.judge_all([ATTENTION], 1, 1, cache, processes=2).values()
    assert [outcome.answer for outcome in outcomes] == answers


@pytest.mark.parametrize(
    "words, folder",
    [
        ([], "from_the_environment"),
        (["--cache", "elsewhere"], "elsewhere"),
        (["--no-cache"], None),
    ],
)
def test_where_verdicts_are_kept(words, folder, monkeypatch):
    monkeypatch.setenv(verdict_cache.FOLDER_VARIABLE, "from_the_environment")
    assert command.parse_arguments(words).cache == (folder and Path(folder))
