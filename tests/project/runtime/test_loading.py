"""Any learner's file can be compiled, or the error message says why not."""

import random
from contextlib import suppress

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.grading.judge import message_of
from minigpt_challenge.coach.runtime.loading import compile_source
from tests.project.mutants import text

hypothesis = pytest.importorskip("hypothesis")  # Colab does not have it
strategies = hypothesis.strategies

SOLUTION = TASKS[0].solution.read_text(encoding="utf-8")


def edited(number):
    """The solution with a few random edits."""
    rng, data = random.Random(number), SOLUTION
    for _ in range(rng.randint(1, 4)):
        with suppress(ValueError, IndexError):  # too little text is left for this edit
            data = rng.choice(text.EDITS)(data or "()", rng).decode(errors="replace")
    return data.encode()


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@hypothesis.given(
    strategies.binary() | strategies.text().map(str.encode) | strategies.integers().map(edited)
)
@hypothesis.settings(deadline=None, derandomize=True, database=None, max_examples=300)
def test_any_file_is_compiled_or_the_message_says_why_not(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "answer.py"
    try:
        compile_source(data, str(path))
    except SyntaxError as error:
        message = message_of(error, path)
        assert message.startswith("Python cannot read answer.py")
        assert len(message.splitlines()) in (1, 3)
