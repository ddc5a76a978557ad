"""Files that Python cannot read, and code that misbehaves, get a verdict too."""

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading.judge import printable
from minigpt_challenge.coach.grading.runner import check_in_this_process

EMBEDDING = TASKS[0]
SOLUTION = EMBEDDING.solution.read_text(encoding="utf-8")
FIRST_LINE = "        T = tokens.shape[-1]"


def with_line(line):
    """The solution with this line at the start of `__call__`."""
    assert FIRST_LINE in SOLUTION
    return SOLUTION.replace(FIRST_LINE, f"        {line}\n{FIRST_LINE}").encode()


BROKEN_ERROR = (
    b"class Broken(Exception):\n    def __str__(self):\n        return self.missing\n\n\n"
)
BROKEN = {
    "NUL": (with_line("\0"), "contains NUL characters"),
    "UTF-16": (SOLUTION.encode("utf-16"), "Save it as UTF-8"),
    "not UTF-8": (with_line("a = 1 #").replace(b"#", b"\xff"), "can't decode byte 0xff"),
    "an unknown encoding": (b"# coding: klingon\n" + SOLUTION.encode(), "unknown encoding"),
    "nested too deeply": (SOLUTION.encode() + b"x = " + b"-" * 100_000 + b"1", "too deeply"),
    "an error that cannot be printed": (BROKEN_ERROR + with_line("raise Broken"), "Broken\n"),
    "an error with a control character": (with_line(r"raise ValueError('\x1b[2J')"), ": \ufffd[2J"),
    "an error with half a character": (with_line(r"raise ValueError('\ud800')"), ": \ufffd\n"),
    "a syntax error of its own": (with_line("raise SyntaxError('odd', (__file__, *'\0' * 3))"), ""),
    "pytest.skip": (with_line("import pytest; pytest.skip('later')"), "Skipped: later"),
    "pytest.exit": (with_line("import pytest; pytest.exit('now')"), "exit code 2"),
    "stdout closed": (with_line("import sys; sys.stdout.close()"), "closed file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_there_is_a_verdict_and_a_message(name, tmp_path):
    answer = tmp_path / "answer.py"
    data, message = BROKEN[name]
    answer.write_bytes(data)
    report = check_in_this_process(EMBEDDING, answer)
    messages = "\n".join(check.message for check in report.checks)
    assert report.verdict is Verdict.COULD_NOT_RUN
    assert message in messages
    assert messages == printable(messages)
    assert "INTERNALERROR" not in messages and "exit code 3" not in messages


@pytest.mark.parametrize("name", ["NUL", "UTF-16", "pytest.skip"])
def test_the_command_line_gives_the_same_message(name, workshop):
    data, message = BROKEN[name]
    workshop.stub(EMBEDDING).write_bytes(data)
    done = workshop.minigpt("check", "1")
    assert done.returncode == 1
    assert message in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout + done.stderr
