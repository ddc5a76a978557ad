"""The notebook's magics, run in a separate IPython process in a copy of the challenge."""

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
    """Run cells one after the other, and return everything that they print."""

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
    output = run_cells(
        f"%%task 1\n{SOLUTION}",
        "print('here:', TokenAndPositionEmbedding.__name__)",
        "%check 1",
    )
    assert workshop.stub(EMBEDDING).read_text(encoding="utf-8") == f"\n{SOLUTION}"
    assert "here: TokenAndPositionEmbedding" in output
    assert output.count("Task 1 · Embedding: passed") == 2  # under the cell, and by %check
    assert "passed" in workshop.minigpt().stdout  # notebook and terminal share the progress


def test_the_previous_text_of_the_file_is_saved(workshop, run_cells):
    workshop.stub(EMBEDDING).write_text("precious = 'work'\n")
    output = run_cells(f"%%task 1\n{SOLUTION}")
    (saved,) = (workshop.root / ".minigpt" / "history").rglob("*.py")
    assert saved.read_text() == "precious = 'work'\n"
    assert str(saved.relative_to(workshop.root)) in output


def test_an_untouched_stub_never_overwrites_work(workshop, run_cells):
    workshop.solve(EMBEDDING)
    output = run_cells(f"%%task 1\n{cut_stub(EMBEDDING)}", "%check 1")
    assert workshop.stub(EMBEDDING).read_text(encoding="utf-8") == SOLUTION
    assert "holds work of yours" in output and "passed" in output


def test_a_task_cell_shows_the_failure_to_read_first_with_the_line_of_the_cell(run_cells):
    stopped = SOLUTION.replace("what + where", "what + wher")
    cell = f"%%task 1\n\n{stopped}"  # IPython keeps the empty line
    (line,) = (number for number, text in enumerate(cell.split("\n"), 1) if "+ wher" in text)
    output = run_cells(cell)
    assert "Embedding: could not run" in output and "0 of 12 checks passed" in output
    assert f"task1_embedding.py:{line}, in __call__: return what + wher" in output
    assert output.count("NameError") == 1 and "has one row per token" not in output
    wrong = run_cells(f"%%task 1\n{SOLUTION.replace('what + where', 'what - where')}")
    assert wrong.count("✗") == 1 and "Most likely" in wrong


def test_a_task_cell_without_a_check(workshop, run_cells):
    output = run_cells(f"%%task 1 --no-check\n{SOLUTION}", "%%task 1 --nocheck\nx = 1")
    assert "Written to" in output and "passed" not in output
    assert "What is --nocheck? There is %%task 2 --no-check." in output
    assert workshop.stub(EMBEDDING).read_text(encoding="utf-8") == f"\n{SOLUTION}"


def test_an_error_at_the_import_of_a_task_is_shown_once(run_cells):
    output = run_cells("%%task 1\n1 / 0")
    assert output.count("ZeroDivisionError") == 1
    assert "task1_embedding.py:2" in output


def test_an_error_in_an_earlier_task_is_shown_beside_the_report(workshop, run_cells):
    workshop.stub(EMBEDDING).write_text("1 / 0\n")
    output = run_cells(f"%%task 2\n{ATTENTION.solution.read_text(encoding='utf-8')}")
    assert "Attention: passed" in output
    assert "ZeroDivisionError" in output and "task1_embedding.py:1" in output


def test_a_cell_with_a_syntax_error_changes_nothing(workshop, run_cells):
    before = workshop.stub(EMBEDDING).read_text(encoding="utf-8")
    output = run_cells("%%task 1\nclass TokenAndPositionEmbedding(:\n    pass")
    assert ":2: invalid syntax" in output  # its number in the cell
    assert workshop.stub(EMBEDDING).read_text(encoding="utf-8") == before


@pytest.mark.slow
def test_garbage_in_a_cell_is_reported_and_changes_nothing(workshop, run_cells):
    before = workshop.stub(EMBEDDING).read_text(encoding="utf-8")
    random = Random(0)
    garbage = ["\0", "\ud800", "-" * 20_000 + "1", "(" * 1000, "'", "\x1b[2J(", "\x0c)"]
    garbage += [random.choice(EDITS)(SOLUTION, random).decode(errors="replace") for _ in range(20)]
    output = run_cells(*(f"%%task 1\n{text}\n)" for text in garbage), "%check 1")
    assert output.count("✗ Python cannot read task1_embedding.py") == len(garbage)
    assert "Your last cell was not written" in output
    assert workshop.stub(EMBEDDING).read_text(encoding="utf-8") == before


@pytest.mark.slow
def test_check_reports_that_the_last_cell_was_not_written(run_cells):
    output = run_cells(f"%%task 1\n{SOLUTION}", "%%task 1\nclass A(:\n    pass", "%check 1")
    assert "passed" in output and "Your last cell was not written" in output
    assert "was not written" not in run_cells(f"%%task 1\n{SOLUTION}", "%check 1")


@pytest.mark.slow
def test_a_cell_that_keeps_the_raises_is_written_and_reported(workshop, run_cells):
    begun = cut_stub(EMBEDDING).replace(
        "        raise NotImplementedError", "        mine = 1\n        raise NotImplementedError"
    )
    assert begun != cut_stub(EMBEDDING)
    output = run_cells(f"%%task 1\n{begun}", "%check 1")
    assert "mine = 1" in workshop.stub(EMBEDDING).read_text(encoding="utf-8")
    assert "is still there" in output and "original stub" not in output


@pytest.mark.slow
def test_a_learners_own_pytest_options_change_no_verdict(workshop, run_cells, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k value")
    workshop.solve(EMBEDDING)
    output = run_cells("%check 1")
    assert output.count("✓") > 8


@pytest.mark.slow
def test_an_installed_package_called_tests_changes_no_verdict(workshop, run_cells):
    workshop.solve(EMBEDDING)
    output = run_cells(
        "import sys, types; sys.modules['tests'] = types.ModuleType('tests')", "%check 1"
    )
    assert "Task 1 · Embedding: passed" in output


@pytest.mark.slow
def test_a_report_is_shown_even_if_the_verdict_cannot_be_recorded(workshop, run_cells):
    workshop.solve(EMBEDDING)
    (workshop.root / ".minigpt").write_text("a file in the way of the folder")
    output = run_cells("%check 1")
    assert "Task 1 · Embedding: passed" in output and "could not be saved" in output


def test_the_next_check_sees_an_edit(workshop, run_cells):
    wrong = SOLUTION.replace("what + where", "what - where")
    output = run_cells(f"%%task 1\n{wrong}", "%check 1", f"%%task 1\n{SOLUTION}", "%check 1")
    assert output.index("Embedding: wrong") < output.index("Embedding: passed")


def test_play_borrows_unwritten_tasks_and_names_them(workshop, run_cells):
    workshop.solve(ATTENTION)
    output = run_cells("%%play 2\nprint(TokenAndPositionEmbedding(3, 4, 5).vocab_size)")
    assert "borrowed from the reference: task 1" in output and output.endswith("3")


def test_errors_are_reported_as_messages(run_cells):
    cells = {
        "%%play 5\nloss_fn(None, None, None, None)": "Not written yet. Task 5: write loss_fn",
        "%%play 1\nprint(trained)": "There is no `trained` yet",
        "%%play 1\n1 / 0": "ZeroDivisionError",
        "%%play 1\n1 +": ":2: invalid syntax",
        "%%play 0\nraise KeyboardInterrupt": "Stopped.",
        "%%play 0\nraise SystemExit": "SystemExit",
        "%check 99": "There is no task 99",
        "%check": "Write its number: %check 2",
        "%hint 2 --agian": "What is --agian?",
        "%solution 1": "%solution 1 --show",
        "%solution 2 --show --diff": "What is --show --diff?",
    }
    rest = run_cells(*cells)
    for cell, message in cells.items():
        _, found, rest = rest.partition(message)
        assert found, cell


@pytest.mark.slow
def test_the_reference_is_shown_only_with_show(run_cells):
    assert "nn.Embed(self.block_size" not in run_cells("%solution 1")
    assert "nn.Embed(self.block_size" in run_cells("%solution 1 --show")


@pytest.mark.slow
def test_check_reports_that_the_file_was_edited_since_its_cell_ran(run_cells):
    edit = (
        "from minigpt_challenge.coach.course.curriculum import TASKS; path = TASKS[0].stub; "
        "n = path.write_text(path.read_text().replace('what + where', 'what - where'))"
    )
    output = run_cells(f"%%task 1 --no-check\n{SOLUTION}", "%check 1", edit, "%check 1")
    before, after = output.split("Embedding: passed")
    assert "was edited since" not in after.split("Embedding: wrong")[0]
    assert "task1_embedding.py was edited since its `%%task` cell last ran" in after


@pytest.mark.slow
def test_welcome_names_the_missing_tasks_and_two_ways_to_continue(workshop, run_cells):
    workshop.solve(ATTENTION)
    output = run_cells("%welcome 4")
    assert "Not written here: task 1, 3." in output
    assert "run your `%%task` cells" in output and "the reference is borrowed" in output


def test_welcome_says_that_all_is_ready_and_where_jax_computes(workshop, run_cells):
    said = run_cells("%welcome 1", "import jax; print(jax.__version__, jax.default_backend())")
    version, device = said.split()[-2:]
    assert said.startswith(f"✓ ready · task 1, Embedding · jax {version} on {device} ")
    assert "✓ ready · task 0, Warm-up · jax" in run_cells("%welcome 0")


def test_welcome_leaves_it_to_notebook_7_to_choose_the_number_of_devices(workshop, run_cells):
    workshop.solve(*TASKS)
    output = run_cells(  # 7, since the tests' environment has 8 already
        "%welcome 7",
        "import jax; jax.config.update('jax_num_cpu_devices', 7); print(len(jax.devices('cpu')))",
    )
    assert output.startswith("✓ ready · task 7, Data parallel · jax ") and output.endswith(" 7")


def test_progress_shows_every_task(workshop, run_cells):
    workshop.solve(EMBEDDING)
    output = run_cells("%check 1", "%progress")
    assert (
        re.search(r"1 Embedding passed (\d+) of \1 checks", output)
        and "2 Attention not started" in output
    )
    assert "Next, task 2" in output


@pytest.mark.slow
def test_a_part_joins_the_ladder_once_its_check_has_passed(workshop, run_cells, monkeypatch):
    monkeypatch.setenv("MINIGPT_STEPS", "5")
    workshop.solve(ATTENTION)
    rejected = run_cells("%ladder 2")
    assert "Task 2 is changed, not checked yet." in rejected and "%check 2 first" in rejected
    assert "+ attention" not in rejected
    output = run_cells("%check 2", "%ladder 2")
    assert output.count("borrowed from the reference: task 1") == 2  # by both magics
    assert "+ attention: loss" in output and "as unsure as among" in output
    assert "Your attention, trained." in output  # the picture's description
    assert "+ attention" in (workshop.root / ".minigpt" / "ladder.json").read_text()


@pytest.mark.slow
def test_a_model_that_sees_the_future_stays_off_the_ladder(workshop, run_cells, monkeypatch):
    """Task 1 looks ahead and was not checked; task 2, checked with the reference, is right."""
    monkeypatch.setenv("MINIGPT_STEPS", "5")
    looks_ahead = SOLUTION.replace(
        "return what + where", "return what + where + jnp.roll(what, -1, 1)"
    )
    workshop.stub(EMBEDDING).write_text(looks_ahead, encoding="utf-8")
    workshop.solve(ATTENTION)
    output = run_cells("%check 2", "%ladder 2")
    assert "Task 1 is your own, but its check has not passed" in output
    assert "looks into the future" in output
    assert not (workshop.root / ".minigpt" / "ladder.json").exists()


def test_ladder_lists_its_options(run_cells):
    wrong = ["--steps", "--steps 0", "--steps=many --fast"]
    output = run_cells(*(f"%ladder 5 {options}" for options in ("--fast --quick", *wrong)))
    assert "What is --quick? There are --fast" in output
    assert output.count("How many steps? For example --steps 1000.") == len(wrong)


def test_a_syntax_error_shows_the_line_of_the_cell_and_what_became_of_it(workshop, run_cells):
    workshop.solve(EMBEDDING)  # its file has another line with that number
    before = workshop.stub(EMBEDDING).read_text(encoding="utf-8")
    (line,) = (n for n, text in enumerate(SOLUTION.split("\n"), 2) if "if T >" in text)
    output = run_cells(f"%%task 1\n{SOLUTION.replace('self.block_size:', 'self.block_size')}")
    assert f"task1_embedding.py:{line}: expected ':' if T > self.block_size ^" in output
    assert "The cell was not written: task1_embedding.py is as it was before." in output
    assert workshop.stub(EMBEDDING).read_text(encoding="utf-8") == before


def test_stopping_a_check_stops_it_and_records_nothing(workshop, run_cells):
    stopped = SOLUTION.replace("        if T >", "        raise KeyboardInterrupt\n        if T >")
    output = run_cells(f"%%task 1\n{stopped}", "%progress")
    assert "✗ Stopped." in output and "could not run" not in output
    assert "changed, not checked yet" in output


def test_a_file_that_is_missing_is_borrowed_and_its_cell_writes_it_again(workshop, run_cells):
    workshop.stub(EMBEDDING).unlink()
    workshop.solve(ATTENTION)
    output = run_cells("%check 2", "%check 1", f"%%task 1\n{cut_stub(EMBEDDING)}")
    assert "borrowed from the reference: task 1" in output
    assert "`minigpt reset 1` brings the stub back, `minigpt history 1` lists" in output
    assert workshop.stub(EMBEDDING).exists()


def test_a_cell_that_replaces_an_edit_says_how_to_get_it_back(workshop, run_cells):
    edit = (
        "from minigpt_challenge.coach.course.curriculum import TASKS; path = TASKS[0].stub; "
        "n = path.write_text(path.read_text() + '# mine')"
    )
    cell = f"%%task 1 --no-check\n{SOLUTION}"
    assert "--restore 1" not in run_cells(cell, f"{cell}# more")
    assert "`!minigpt history 1 --restore 1` brings it back." in run_cells(cell, edit, cell)
