"""Whatever a learner's file holds, it is read, or refused in words."""

import random

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.grading.judge import message_of
from minigpt_challenge.coach.runtime.loading import readable
from tests.project.mutants import text

hypothesis = pytest.importorskip("hypothesis")  # Colab has none
strategies = hypothesis.strategies

SOLUTION = TASKS[0].solution.read_text(encoding="utf-8")


def edited(number):
    """The solution with a few slips of the hand."""
    source, data = random.Random(number), SOLUTION
    for _ in range(source.randint(1, 4)):
        data = source.choice(text.EDITS)(data or "()", source).decode(errors="replace")
    return data.encode()


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@hypothesis.given(
    strategies.binary() | strategies.text().map(str.encode) | strategies.integers().map(edited)
)
@hypothesis.settings(deadline=None, derandomize=True, database=None, max_examples=300)
def test_whatever_the_file_holds_it_is_read_or_refused_in_words(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "answer.py"
    try:
        readable(data, str(path))
    except SyntaxError as error:
        said = message_of(error, path)
        assert said.startswith("Python cannot read answer.py")
        assert len(said.splitlines()) in (1, 3)
