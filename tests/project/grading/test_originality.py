"""The reference is recognized, whatever it is dressed as, and nobody's own work is taken for it."""

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.grading.originality import is_the_reference

EMBEDDING = TASKS[0]
SOLUTION = EMBEDDING.solution.read_text(encoding="utf-8")
NAME = "TokenAndPositionEmbedding"


@pytest.mark.parametrize(
    "text",
    [
        SOLUTION,
        SOLUTION.replace("# (B, T, C)", "# mine").replace('"""', '"""Mine. ', 1),
        f"from solutions.task1_embedding import {NAME}",
        f"from solutions import task1_embedding\n{NAME} = task1_embedding.{NAME}",
        f"import solutions.task1_embedding as given\n{NAME} = given.{NAME}",
        "from minigpt_challenge.coach.runtime.loading import solution\n"
        f"{NAME} = solution(1).{NAME}",
        "import importlib\nfor name in ['solutions.task1_embedding']:\n"
        "    globals().update(vars(importlib.import_module(name)))",
        "exec(open('../../solutions/task1_embedding.py').read())",
    ],
)
def test_the_reference_is_recognized(tmp_path, text):
    answer = tmp_path / "answer.py"
    answer.write_text(text, encoding="utf-8")
    assert is_the_reference(EMBEDDING, answer)


@pytest.mark.parametrize(
    "text",
    [
        SOLUTION.replace("what + where", "where + what"),
        '"""I looked at solutions/task1_embedding.py."""\nx = 1',
        "from my_solutions import task1\nfrom solution_ideas import other",
        "raise ValueError('there are two solutions')",
        "def f(:",
    ],
)
def test_other_code_is_not_taken_for_it(tmp_path, text):
    answer = tmp_path / "answer.py"
    answer.write_text(text, encoding="utf-8")
    assert not is_the_reference(EMBEDDING, answer)


def test_a_missing_file_is_not_the_reference(tmp_path):
    assert not is_the_reference(EMBEDDING, tmp_path / "missing.py")
