"""`minigpt read`: the lesson of a notebook in a terminal."""

import io

import pytest
from rich.console import Console

from minigpt_challenge.coach.commands import lesson
from minigpt_challenge.coach.course.curriculum import ROAD, ROOT, TASKS

pytestmark = pytest.mark.newest


def shown(task, terminal):
    output = io.StringIO()
    lesson.show(Console(file=output, force_terminal=terminal, width=80, color_system=None), task)
    return output.getvalue()


@pytest.mark.parametrize("task", ROAD, ids=lambda task: task.stem)
def test_it_has_nothing_that_means_something_in_a_notebook_only(task):
    text = lesson.lesson(task)
    lines = text.splitlines()
    assert task.title in lines[0]
    assert not any(line.startswith(("%", "# %", "# @title", "{{", "<")) for line in lines)
    assert "Save a copy in Drive" not in text and "colab-badge" not in text


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_it_says_where_to_write_and_what_to_run(task):
    text = lesson.lesson(task)
    assert task.stub.relative_to(ROOT).as_posix() in text
    assert f"minigpt check {task.number}" in text


def test_answers_to_questions_stand_at_the_end():
    question, answers = lesson.lesson(TASKS[1]).split("## Folded in the notebook")
    assert "*(Answer: number 1 at the end.)*" in question and "each *row* sums to 1" in answers


def test_a_terminal_gets_it_rendered_with_formulas_as_they_are_and_a_pipe_gets_markdown():
    rendered, piped = shown(TASKS[1], terminal=True), shown(TASKS[1], terminal=False)
    assert "## The idea" in piped and "## The idea" not in rendered and "The idea" in rendered
    assert r"w_{ts}\, v_s" in " ".join(rendered.split()) and "minigpt hint 2" in rendered
