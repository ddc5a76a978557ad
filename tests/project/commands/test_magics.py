"""The notebook's magics, typed into an IPython of their own in a copy of the challenge."""

import re
import textwrap
from random import Random

import pytest

from minigpt_challenge.coach.course.curriculum import SOLUTIONS_FOLDER, TASKS
from minigpt_challenge.coach.course.stubs import cut_stub
from tests.project.mutants.text import EDITS

EMBEDDING, ATTENTION = TASKS[:2]
SOLUTION = (SOLUTIONS_FOLDER / "task1_embedding.py").read_text(encoding="utf-8")


@pytest.fixture
def run_cells(workshop):
    """Runs cells one after the other, and returns all that they print."""

    def run(*cells):
        script = textwrap.dedent(f"""
            from IPython.core.interactiveshell import InteractiveShell

            shell = InteractiveShell.instance()
            for cell in ["%load_ext minigpt_challenge", *{cells!r}]:
                result = shell.run_cell(cell)
                if not result.success:
                    print("RAISED", result.error_in_exec)
        """)
        done = workshop.python("-c", script)
        assert done.returncode == 0, done.stderr
        assert "RAISED" not in done.stdout and "Traceback" not in done.stdout
        return " ".join(done.stdout.split())

    return run


def test_a_task_cell_is_written_loaded_and_checked(workshop, run_cells):
    said = run_cells(
        f"%%task 1\n{SOLUTION}",
        "print('here:', TokenAndPositionEmbedding.__name__)",
        "%check 1",
    )
    assert workshop.stub(EMBEDDING).read_text(encoding="utf-8") == SOLUTION
    assert "here: TokenAndPositionEmbedding" in said
    assert "Task 1 · Embedding: passed" in said
    assert "passed" in workshop.minigpt().stdout  # notebook and terminal share the progress


def test_what_the_file_held_before_is_kept(workshop, run_cells):
    workshop.stub(EMBEDDING).write_text("precious = 'work'\n")
    said = run_cells(f"%%task 1\n{SOLUTION}")
    (kept,) = (workshop.root / ".minigpt" / "history").rglob("*.py")
    assert kept.read_text() == "precious = 'work'\n"
    assert str(kept) in said.replace(" ", "")


def test_an_untouched_stub_never_overwrites_work(workshop, run_cells):
    workshop.solve(EMBEDDING)
    said = run_cells(f"%%task 1\n{cut_stub(EMBEDDING)}", "%check 1")
    assert workshop.stub(EMBEDDING).read_text(encoding="utf-8") == SOLUTION
    assert "holds work of yours" in said and "passed" in said


def test_a_cell_that_python_cannot_read_changes_nothing(workshop, run_cells):
    before = workshop.stub(EMBEDDING).read_text(encoding="utf-8")
    said = run_cells("%%task 1\nclass TokenAndPositionEmbedding(:\n    pass")
    assert "line 1: invalid syntax" in said
    assert workshop.stub(EMBEDDING).read_text(encoding="utf-8") == before


@pytest.mark.slow
def test_garbage_in_a_cell_is_answered_in_words_and_changes_nothing(workshop, run_cells):
    before = workshop.stub(EMBEDDING).read_text(encoding="utf-8")
    random = Random(0)
    garbage = ["\0", "\ud800", "-" * 20_000 + "1", "(" * 1000, "'", "\x1b[2J(", "\x0c)"]
    garbage += [random.choice(EDITS)(SOLUTION, random).decode(errors="replace") for _ in range(20)]
    said = run_cells(*(f"%%task 1\n{text}\n)" for text in garbage), "%check 1")
    assert said.count("✗ Python cannot read task1_embedding.py") == len(garbage)
    assert "Your last cell was not written" in said
    assert workshop.stub(EMBEDDING).read_text(encoding="utf-8") == before


@pytest.mark.slow
def test_check_says_that_the_last_cell_was_not_written(run_cells):
    said = run_cells(f"%%task 1\n{SOLUTION}", "%%task 1\nclass A(:\n    pass", "%check 1")
    assert "passed" in said and "Your last cell was not written" in said
    assert "was not written" not in run_cells(f"%%task 1\n{SOLUTION}", "%check 1")


@pytest.mark.slow
def test_lines_above_a_raise_that_was_left_are_written_and_the_raise_is_named(workshop, run_cells):
    begun = cut_stub(EMBEDDING).replace(
        "        raise NotImplementedError", "        mine = 1\n        raise NotImplementedError"
    )
    assert begun != cut_stub(EMBEDDING)
    said = run_cells(f"%%task 1\n{begun}", "%check 1")
    assert "mine = 1" in workshop.stub(EMBEDDING).read_text(encoding="utf-8")
    assert "is still there" in said and "as given" not in said


@pytest.mark.slow
def test_a_learners_own_pytest_habits_change_no_verdict(workshop, run_cells, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k value")
    workshop.solve(EMBEDDING)
    said = run_cells("%check 1")
    assert said.count("✓") > 8


@pytest.mark.slow
def test_a_library_that_brings_a_package_called_tests_changes_no_verdict(workshop, run_cells):
    workshop.solve(EMBEDDING)
    said = run_cells(
        "import sys, types; sys.modules['tests'] = types.ModuleType('tests')", "%check 1"
    )
    assert "Task 1 · Embedding: passed" in said


@pytest.mark.slow
def test_a_verdict_is_shown_even_where_it_cannot_be_noted(workshop, run_cells):
    workshop.solve(EMBEDDING)
    (workshop.root / ".minigpt").write_text("a file in the way of the folder")
    said = run_cells("%check 1")
    assert "Task 1 · Embedding: passed" in said and "could not be saved" in said


def test_an_edit_is_seen_at_the_next_check(workshop, run_cells):
    wrong = SOLUTION.replace("what + where", "what - where")
    said = run_cells(f"%%task 1\n{wrong}", "%check 1", f"%%task 1\n{SOLUTION}", "%check 1")
    assert said.index("Embedding: wrong") < said.index("Embedding: passed")


def test_play_borrows_what_is_not_written_and_says_so(workshop, run_cells):
    workshop.solve(ATTENTION)
    said = run_cells("%%play 2\nprint(TokenAndPositionEmbedding(3, 4, 5).vocab_size)")
    assert "borrowed from the reference: task 1" in said and said.endswith("3")


def test_what_goes_wrong_is_said_in_words(run_cells):
    cells = {
        "%%play 5\nloss_fn(None, None, None, None)": "Not written yet. Task 5: write loss_fn",
        "%%play 1\nprint(trained)": "There is no `trained` yet",
        "%%play 1\n1 / 0": "ZeroDivisionError",
        "%%play 1\n1 +": "line 1",
        "%%play 0\nraise KeyboardInterrupt": "Stopped.",
        "%%play 0\nraise SystemExit": "SystemExit",
        "%check 99": "There is no task 99",
        "%check": "Write its number: %check 2",
        "%hint 2 --agian": "What is --agian?",
        "%solution 1": "%solution 1 --show",
        "%solution 2 --show --diff": "What is --show --diff?",
    }
    left = run_cells(*cells)
    for cell, words in cells.items():
        _, found, left = left.partition(words)
        assert found, cell


@pytest.mark.slow
def test_the_reference_is_shown_only_when_asked_for_twice(run_cells):
    assert "nn.Embed(self.block_size" not in run_cells("%solution 1")
    assert "nn.Embed(self.block_size" in run_cells("%solution 1 --show")


@pytest.mark.slow
def test_check_says_when_the_file_was_edited_and_the_cell_was_not_run(run_cells):
    edit = (
        "from minigpt_challenge.coach.course.curriculum import TASKS; path = TASKS[0].stub; "
        "n = path.write_text(path.read_text().replace('what + where', 'what - where'))"
    )
    said = run_cells(f"%%task 1\n{SOLUTION}", "%check 1", edit, "%check 1")
    before, after = said.split("Embedding: passed")
    assert "was edited since" not in after.split("Embedding: wrong")[0]
    assert "task1_embedding.py was edited since its `%%task` cell last ran" in after


@pytest.mark.slow
def test_welcome_names_what_is_missing_and_the_two_ways_on(workshop, run_cells):
    workshop.solve(ATTENTION)
    said = run_cells("%welcome 4")
    assert "Not written in this runtime: task 1, 3." in said
    assert "run your `%%task` cells" in said and "the reference is borrowed" in said
    assert run_cells("%welcome 0") == run_cells("%welcome 1") == ""


def test_progress_shows_the_road(workshop, run_cells):
    workshop.solve(EMBEDDING)
    said = run_cells("%check 1", "%progress")
    assert (
        re.search(r"1 Embedding passed (\d+) of \1 checks", said)
        and "2 Attention not started" in said
    )
    assert "Next, task 2" in said


@pytest.mark.slow
def test_a_part_joins_the_ladder_once_its_check_has_passed(workshop, run_cells, monkeypatch):
    monkeypatch.setenv("MINIGPT_STEPS", "5")
    workshop.solve(ATTENTION)
    waiting = run_cells("%ladder 2")
    assert "Task 2 is changed since its check." in waiting and "%check 2 first" in waiting
    assert "+ attention" not in waiting
    said = run_cells("%check 2", "%ladder 2")
    assert said.count("borrowed from the reference: task 1") == 2  # in either report
    assert "+ attention: loss" in said
    assert "+ attention" in (workshop.root / ".minigpt" / "ladder.json").read_text()


@pytest.mark.slow
def test_a_model_that_sees_the_future_stays_off_the_ladder(workshop, run_cells, monkeypatch):
    """Task 1 looks ahead, unchecked; task 2, checked with the reference, is right."""
    monkeypatch.setenv("MINIGPT_STEPS", "5")
    peeking = SOLUTION.replace("return what + where", "return what + where + jnp.roll(what, -1, 1)")
    workshop.stub(EMBEDDING).write_text(peeking, encoding="utf-8")
    workshop.solve(ATTENTION)
    said = run_cells("%check 2", "%ladder 2")
    assert "Task 1 is your own, and its check has not passed" in said
    assert "looks into the future" in said
    assert not (workshop.root / ".minigpt" / "ladder.json").exists()


def test_ladder_names_the_options_that_there_are(run_cells):
    wrong = ["--steps", "--steps 0", "--steps=many --fast"]
    said = run_cells(*(f"%ladder 5 {options}" for options in ("--fast --quick", *wrong)))
    assert "What is --quick? There are --fast" in said
    assert said.count("How many steps? Such as --steps 1000.") == len(wrong)
