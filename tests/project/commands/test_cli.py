"""`minigpt`, run as a learner runs it, in a copy of the challenge."""

import json
import re
import signal
import subprocess
import sys
from importlib.metadata import version

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from tests.project.answers.gate import bank

pytestmark = pytest.mark.newest

EMBEDDING, ATTENTION = TASKS[:2]


def test_without_arguments_it_shows_every_task_and_what_to_do_next(workshop):
    done = workshop.minigpt()
    assert done.returncode == 0
    assert all(task.title in done.stdout for task in TASKS)
    assert done.stdout.count("not started") == len(TASKS)
    assert "minigpt check 1" in done.stdout


def test_without_arguments_it_loads_nothing_heavy(workshop):
    script = (
        "import contextlib, sys\n"
        "from minigpt_challenge.coach.commands.cli import main\n"
        "sys.argv = ['minigpt']\n"
        "with contextlib.suppress(SystemExit):\n"
        "    main()\n"
        "heavy = {'jax', 'numpy', 'pytest', 'ssl', 'tensorflow'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    output = workshop.python("-c", script).stdout
    assert "minigpt check 1" in output and output.splitlines()[-1] == "[]"


def test_a_terminal_without_check_marks_shows_them_in_ascii(workshop):
    workshop.stub(EMBEDDING).write_text(
        EMBEDDING.solution.read_text(encoding="utf-8").replace("what + where", "what - where")
    )
    checked = workshop.minigpt("check", "1", PYTHONIOENCODING="ascii")
    assert "+ returns a vector for every token" in checked.stdout, checked.stderr
    assert "x value equals the reference" in checked.stdout and "?" not in checked.stdout[:-40]


def test_outside_a_clone_it_says_what_to_do(workshop):
    (workshop.root / "solutions").rename(workshop.root / "elsewhere")
    done = workshop.minigpt("hint", "1")
    assert done.returncode == 1
    assert "pip install -e ." in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "hint", "reset", "history"])
def test_a_word_instead_of_a_number_is_answered_with_the_numbers(workshop, command):
    done = workshop.minigpt(command, "five")
    assert done.returncode == 2 and "Write its number, 1 to 8" in done.stderr


def test_a_stub_is_not_started(workshop):
    checked = workshop.minigpt("check", "1")
    assert checked.returncode == 1
    assert "not started" in checked.stdout
    assert "write TokenAndPositionEmbedding.setup" in checked.stdout


def test_a_solution_passes_and_its_status_is_recorded(workshop):
    workshop.solve(EMBEDDING)
    checked = workshop.minigpt("check", "1")
    assert checked.returncode == 0, checked.stdout
    assert "passed" in checked.stdout and "minigpt check 2" in checked.stdout
    assert "value equals the reference" not in checked.stdout  # in one line
    assert "passed" in workshop.minigpt().stdout
    listed = workshop.minigpt("check", "1", "2", "-v").stdout
    assert "✓ value equals the reference" in listed and "Attention: not started" in listed

    stub = workshop.stub(EMBEDDING)
    stub.write_text(stub.read_text(encoding="utf-8") + "\n# one more line\n", encoding="utf-8")
    assert "changed, not checked yet" in workshop.minigpt().stdout


def test_json_is_one_object_with_the_documented_fields(workshop):
    workshop.solve(EMBEDDING)
    checked = workshop.minigpt("check", "1", "--json")
    report = json.loads(checked.stdout)
    assert list(report)[:4] == ["task", "verdict", "seconds", "checks"]
    assert report["same_as_the_reference"] is True
    assert report["task"] == "task1_embedding" and report["verdict"] == "passed"
    assert report["seconds"] > 0
    parts = [
        "name",
        "verdict",
        "message",
        "diagnosis",
        "reason",
        "asked",
        "seen",
        "advice",
        "cause",
        "where",
        "printed",
    ]
    assert all(list(check) == parts for check in report["checks"])
    assert {check["verdict"] for check in report["checks"]} == {"passed"}


def test_a_wrong_answer_is_wrong_with_numbers(workshop):
    workshop.solve(ATTENTION)
    stub = workshop.stub(ATTENTION)
    right = stub.read_text(encoding="utf-8")
    stub.write_text(right.replace(" / self.head_dim**0.5", ""), encoding="utf-8")
    report = json.loads(workshop.minigpt("check", "2", "--json").stdout)
    verdicts = {check["name"]: check for check in report["checks"]}
    assert report["verdict"] == "wrong"
    assert "The first is at [B=0, T=1, H=" in verdicts["head_value_equals_the_reference"]["message"]
    assert verdicts["head_sees_nothing_of_the_future"]["verdict"] == "passed"


def test_half_a_task_is_half_passed(workshop):
    workshop.solve(ATTENTION)
    stub = workshop.stub(ATTENTION)
    text = stub.read_text(encoding="utf-8")
    before = text.index("        joined =")
    stub.write_text(text[:before] + "        raise NotImplementedError('Task 2: later')\n")
    report = json.loads(workshop.minigpt("check", "2", "--json").stdout)
    verdicts = [check["verdict"] for check in report["checks"]]
    assert report["verdict"] == "not_started"
    assert set(verdicts) == {"passed", "not_started"} and verdicts.count("not_started") == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class TokenAndPositionEmbedding(:\n", "task1_embedding.py:1: invalid syntax"),
        ("import flux\n", "ModuleNotFoundError: No module named 'flux'"),
        ("import flux\n", "task1_embedding.py:1, in <module>: import flux"),
        ("x = 1\n", "defines no `TokenAndPositionEmbedding`"),
        ("import os\nos._exit(3)\n", "The process ended with exit code 3"),
        ("raise SystemExit\n", "SystemExit"),
    ],
)
def test_code_that_cannot_run_is_reported(workshop, text, message):
    workshop.stub(EMBEDDING).write_text(text)
    checked = workshop.minigpt("check", "1", "--json")
    report = json.loads(checked.stdout)
    assert checked.returncode == 1
    assert report["verdict"] == "could_not_run"
    assert message in " ".join(check["message"] for check in report["checks"])


@pytest.mark.slow
def test_a_missing_file_is_reported_and_breaks_nothing_else(workshop):
    workshop.stub(EMBEDDING).unlink()
    checked = workshop.minigpt("check", "1")
    assert checked.returncode == 1
    assert "could not run" in checked.stdout and "task1_embedding.py is missing" in checked.stdout
    assert "minigpt reset" in checked.stdout
    assert "Traceback" not in checked.stdout + checked.stderr
    assert workshop.minigpt().returncode == 0
    assert workshop.minigpt("reset", "1").returncode == 0 and workshop.stub(EMBEDDING).exists()


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", [[], ["check"], ["train"]])
def test_help_has_a_short_option_everywhere(workshop, command, option):
    shown = workshop.minigpt(*command, option)
    assert shown.returncode == 0 and "Usage: minigpt" in shown.stdout


def test_the_version_is_that_of_the_package(workshop):
    shown = workshop.minigpt("--version")
    assert (
        shown.returncode == 0
        and shown.stdout == f"minigpt-challenge {version('minigpt-challenge')}\n"
    )


@pytest.mark.parametrize("arguments", [["9"], ["0"], ["two"], ["1", "9"], ["--nonsense"]])
def test_wrong_usage_is_exit_code_2_without_a_traceback(workshop, arguments):
    checked = workshop.minigpt("check", *arguments)
    assert checked.returncode == 2
    assert "Error" in checked.stderr and "Traceback" not in checked.stderr


@pytest.mark.slow
def test_an_earlier_task_does_not_fail_a_later_one(workshop):
    workshop.solve(*TASKS)
    workshop.stub(EMBEDDING).write_text("raise RuntimeError('broken')\n")
    assert workshop.minigpt("check", "4").returncode == 0


def test_some_checks_can_be_run_and_no_verdict_is_recorded(workshop):
    workshop.solve(EMBEDDING)
    some = workshop.minigpt("check", "1", "-k", "jit or vector")
    assert some.returncode == 0 and "passed" in some.stdout and "2 checks" in some.stdout
    assert "changed, not checked yet" in workshop.minigpt().stdout
    none = workshop.minigpt("check", "1", "-k", "unheard")
    assert none.returncode == 2 and "No check has 'unheard' in its name" in none.stderr


def test_the_failure_to_read_first_or_the_verdict_is_shown_alone(workshop):
    text = EMBEDDING.solution.read_text(encoding="utf-8")
    workshop.stub(EMBEDDING).write_text(text.replace("what + where", "what - where"))
    first = workshop.minigpt("check", "1", "-x").stdout
    assert "subtracted" in first and "✓" not in first and first.count("✗") == 1
    (line,) = workshop.minigpt("check", "1", "-q").stdout.splitlines()
    assert "wrong" in line and "of 12 checks passed" in line


@pytest.mark.parametrize("options", [["-q", "-v"], ["-x", "--json"], ["-k", "two words"]])
def test_options_that_make_no_sense_are_refused(workshop, options):
    assert workshop.minigpt("check", "1", *options).returncode == 2
    refused = workshop.minigpt("check", "1", "-k", "jit", "--gradescope", "results.json")
    assert refused.returncode == 2 and "Points are for all checks" in refused.stderr


def test_training_before_the_tasks_are_written_names_the_missing_one(workshop, own_text):
    trained = workshop.minigpt("train", "--data", str(own_text))
    assert trained.returncode == 1
    assert "Task 4: write MiniGPT.setup" in trained.stderr
    assert "Traceback" not in trained.stderr


@pytest.mark.slow
def test_sampling_uses_the_weights_that_training_saves(workshop, own_text):
    trained = workshop.minigpt("train", "--solutions", "--steps", "3", "--data", str(own_text))
    assert trained.returncode == 0, trained.stderr
    (run,) = (path for path in (workshop.root / "my_gpt").iterdir() if path.is_dir())
    assert run.name == "text_own_text-solutions"
    assert (run / "loss_curve.png").read_bytes().startswith(b"\x89PNG")
    assert len((run / "sample.txt").read_text(encoding="utf-8")) >= 500
    sampled = workshop.minigpt("sample", "--length", "30", "--prompt", "to be")
    assert sampled.returncode == 0, sampled.stderr
    assert sampled.stdout.startswith("to be") and len(sampled.stdout) == len("to be") + 30 + 1
    assert "characters a second" in sampled.stderr and "--seed" in sampled.stderr
    twice = "sample", "--length", "9", "--num-samples", "2", "--seed", "1"
    several = workshop.minigpt(*twice).stdout
    first, second = several.split("--- 1 of 2 ---")[1].split("--- 2 of 2 ---")
    assert first != second and workshop.minigpt(*twice).stdout == several
    rejected = workshop.minigpt("sample", "--prompt", "Ω")
    assert rejected.returncode == 1 and "has never seen 'Ω'" in rejected.stderr


@pytest.mark.slow
def test_runs_stand_side_by_side_and_train_on(workshop, own_text, tmp_path):
    def train(*options):
        source = "--solutions", "--data", str(own_text)
        done = workshop.minigpt("train", *source, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    small = "--layers", "1", "--heads", "2", "--width", "8", "--context", "6", "--batch", "3"
    first = train(*small, "--name", "small", "--steps", "3")
    assert "1 layer of 2 heads, 8 wide, context 6, batch 3" in first
    assert "(The milestone is for Shakespeare" in first
    assert "Resuming the saved run: 3 steps are done." in train(
        *small, "--name", "small", "--steps", "5"
    )
    again = train(*small, "--name", "small", "--steps", "5")
    assert "After 5 steps" in again and "To train it on, give --until" in again
    there = tmp_path / "there"
    elsewhere = train(*small, "--learning-rate", "0.01", "--output", str(there), "--steps", "2")
    assert f"minigpt sample --run {there} writes more" in elsewhere
    train(*small, "--steps", "1")  # its name is made from the options
    listed = workshop.minigpt("runs").stdout
    assert re.search(r"small +\d\.\d+ +5 +1 × 8 +6 +\d+ s\n", listed)
    assert "layers1-heads2-width8-context6-batch3-text_own_text-solutions" in listed
    for run, name in (("small", "small"), (str(tmp_path / "there"), "there")):
        written = workshop.minigpt("sample", "--run", run, "--length", "20", "--prompt", "to be")
        assert written.returncode == 0, written.stderr
        assert written.stdout.startswith("to be") and f"{name}: " in written.stderr
    unknown = workshop.minigpt("sample", "--run", "large")
    assert unknown.returncode == 1 and "There is no run large" in unknown.stderr


@pytest.mark.slow
def test_task_6_writes_with_any_gpt_that_passes(workshop, own_text):
    """Here with blocks in an `nn.scan`, whose params are stacked."""
    workshop.solve(*TASKS)
    (answer,) = (row for row in bank(TASKS[3]) if row.name.startswith("blocks in an nn.scan, with"))
    workshop.stub(TASKS[3]).write_text(answer.text, encoding="utf-8")
    assert workshop.minigpt("check", "6").returncode == 0
    assert workshop.minigpt("train", "--steps", "2", "--data", str(own_text)).returncode == 0
    sampled = workshop.minigpt("sample", "--length", "20", "--prompt", "to be")
    assert sampled.returncode == 0, sampled.stderr
    assert "by your task 6" in sampled.stderr


@pytest.mark.slow
def test_ctrl_c_keeps_the_step_and_the_run_goes_on(workshop, own_text):
    interruptible = (  # a job in the background of a shell ignores Ctrl-C
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from minigpt_challenge.coach.commands.cli import main; main()"
    )
    command = [sys.executable, "-c", interruptible, "train", "--solutions"]
    command += ["--data", str(own_text), "--name", "long", "--steps", "100000"]
    with subprocess.Popen(
        command,
        cwd=workshop.root,
        env=workshop.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            lines = 0  # at the start, and a few seconds later
            while lines < 2:
                line = process.stdout.readline()
                assert line, process.stderr.read()
                lines += line.startswith("step ")
            process.send_signal(signal.SIGINT)
            rest, error = process.communicate(timeout=60)
        finally:
            process.kill()
    (step,) = re.findall(r"After ([\d,]+) steps", rest)
    assert "The run was stopped and is saved" in rest, error
    resumed = workshop.minigpt("train", "--solutions", "--data", str(own_text), "--name", "long",
                               "--steps", str(int(step.replace(",", "")) + 1))  # fmt: skip
    assert f"Resuming the saved run: {step} steps are done." in resumed.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, message",
    [
        (["--heads", "3"], "3 heads cannot share 128 numbers evenly"),
        (["--preset", "large"], "There is no preset large"),
        (["--name", "a/b"], "A run cannot be called 'a/b'"),
        (["--name", "a", "--output", "b"], "Give either --name or --output"),
        (["--fast", "--learning-rate", "1"], "leave out --learning-rate"),
        (["--learning-rate", "nan"], "Invalid value for '--learning-rate'"),
        (["--learning-rate", "-1"], "Invalid value for '--learning-rate'"),
        (["--until", "inf"], "It has to be a finite number"),
        (["--name", ""], "A run cannot be called"),
    ],
)
def test_training_that_makes_no_sense_is_refused(workshop, options, message):
    refused = workshop.minigpt("train", *options)
    assert refused.returncode in (1, 2)
    assert message in refused.stderr and "Traceback" not in refused.stderr


def test_without_runs_the_list_says_how_to_train_one(workshop):
    assert "`minigpt train` trains one" in workshop.minigpt("runs").stdout


@pytest.mark.slow
def test_without_usable_weights_sampling_says_what_to_do(workshop):
    assert "minigpt train" in workshop.minigpt("sample").stderr
    weights = workshop.root / "my_gpt" / "milestone" / "weights.msgpack"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"not msgpack")
    sampled = workshop.minigpt("sample")
    assert sampled.returncode == 1 and "damaged" in sampled.stderr


@pytest.mark.slow
@pytest.mark.parametrize("text", [None, "", "too short for a block"])
def test_a_missing_empty_or_short_text_is_rejected_without_a_traceback(workshop, tmp_path, text):
    path = tmp_path / "text.txt"
    if text is not None:
        path.write_text(text)
    trained = workshop.minigpt("train", "--solutions", "--steps", "3", "--data", str(path))
    assert trained.returncode == 1
    assert "✗" in trained.stderr and "Traceback" not in trained.stderr
    assert not [*(workshop.root / "my_gpt").rglob("weights*")]


@pytest.mark.slow
def test_start_trains_the_bigram_and_names_the_next_step(workshop, own_text):
    started = workshop.minigpt("start", MINIGPT_DATA=str(own_text))
    assert started.returncode == 0, started.stderr
    assert "own_text.txt" in started.stdout.replace("\n", "")
    assert "fell from" in started.stdout and "minigpt check 1" in started.stdout
    assert "of 2,000 steps" not in started.stdout + started.stderr  # no bar into a pipe


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_named(workshop):
    workshop.solve(EMBEDDING)
    (workshop.root / ".minigpt").write_text("a file where the folder should be")
    checked = workshop.minigpt("check", "1")
    assert "Embedding: passed" in checked.stdout
    assert ".minigpt" in checked.stderr and "Traceback" not in checked.stderr
