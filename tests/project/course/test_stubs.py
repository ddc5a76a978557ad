"""Stubs are cut from the solutions."""

import ast

import pytest

from minigpt_challenge.coach.course import curriculum
from minigpt_challenge.coach.course.curriculum import TASKS, task_by_number
from minigpt_challenge.coach.course.stubs import (
    BEGIN,
    END,
    BadSource,
    cut_stub,
    is_started,
    is_untouched,
    remove_solutions,
)

SOURCE = f'''class Model:
    """What it does."""

    def setup(self):
        self.size = 3

    def __call__(self, x):
        """Doubles x."""
        # TODO: double it.
        {BEGIN}
        return 2 * x
        {END}


def loss(x):
    {BEGIN}
    if x:
        return x
    return 0
    {END}
'''


def test_a_region_becomes_an_error_that_names_the_function_to_write():
    stub = remove_solutions(SOURCE, "source.py", number=4)
    assert "return" not in stub
    assert '        raise NotImplementedError("Task 4: write Model.__call__")' in stub
    assert '    raise NotImplementedError("Task 4: write loss")' in stub
    ast.parse(stub)


def test_text_outside_the_regions_is_unchanged():
    lines = ['"""What it does."""', "self.size = 3", '"""Doubles x."""', "# TODO: double it."]
    stub = remove_solutions(SOURCE, "source.py", number=4)
    assert all(line in stub for line in lines)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f():\n    return 1\n", "has no"),
        (f"def f():\n    {BEGIN}\n    return 1\n", "line 2: '### BEGIN SOLUTION' without"),
        (f"def f():\n    {END}\n    return 1\n", "line 2: '### END SOLUTION' without"),
        (
            f"def f():\n    {BEGIN}\n    {BEGIN}\n    {END}\n    pass\n",
            "line 3: nested solution region",
        ),
        (f"{BEGIN}\nx = 1\n{END}\n", "line 1: solution region outside any function"),
    ],
)
def test_a_malformed_source_is_an_error_that_names_the_line(source, message):
    with pytest.raises(BadSource, match=message):
        remove_solutions(source, "source.py", number=1)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_every_stub_says_what_to_write_and_contains_no_solution(task):
    solution, stub = task.solution.read_text(encoding="utf-8"), cut_stub(task)
    ast.parse(stub)
    assert stub.count("# TODO") == stub.count("raise NotImplementedError(")
    inside = False
    for line in solution.splitlines():
        if line.strip() in (BEGIN, END):
            inside = line.strip() == BEGIN
        elif inside and len(line.strip()) > 12:
            assert line not in stub.splitlines(), line


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_every_stub_defines_all_names_of_its_task(task):
    names = {node.name for node in ast.parse(cut_stub(task)).body if hasattr(node, "name")}
    assert set(task.writes) <= names


CACHE = task_by_number(6)
ERROR = 'raise NotImplementedError("Task 6: write sample_token")'


def without_function(text, name):
    """The text without this function or class."""
    tree = ast.parse(text)
    tree.body = [node for node in tree.body if getattr(node, "name", "") != name]
    return ast.unparse(tree)


STUBS = {  # an edit of the stub, and whether the result is untouched
    "as given": (lambda stub: stub, True),
    "older comments": (lambda stub: stub.replace("# TODO", "# Your turn"), True),
    "an older error": (lambda stub: stub.replace("Task 6: write", "Task 6: implement"), True),
    "fewer functions": (lambda stub: without_function(stub, "generate_fast"), False),
    "replaced by an assignment": (
        lambda stub: without_function(stub, "generate_fast") + "\n\ngenerate_fast = make()\n",
        False,
    ),
    "an extra function": (lambda stub: f"{stub}\n\ndef old():\n    {ERROR}\n", True),
    "one written": (lambda stub: stub.replace(ERROR, "return 0"), False),
    "one written, one missing": (
        lambda stub: without_function(stub, "generate_fast").replace(
            ast.unparse(ast.parse(ERROR)), "return 0"
        ),
        False,
    ),
    "commented out": (lambda stub: stub.replace(ERROR, f"# {ERROR}\n    return 0"), False),
    "another error": (lambda stub: stub.replace("NotImplementedError", "ValueError"), False),
    "a syntax error": (lambda stub: f"{stub}\n(", False),
    "empty": (lambda stub: "", False),
}


@pytest.mark.parametrize("name", STUBS)
def test_a_stub_of_any_version_is_untouched_until_something_is_written(name):
    change, untouched = STUBS[name]
    stub = cut_stub(CACHE)
    assert is_untouched(change(stub), CACHE) is untouched
    assert (change(stub) == stub) is (name == "as given")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_a_stub_is_untouched_and_a_solution_is_not(task):
    assert is_untouched(cut_stub(task), task)
    assert not is_untouched(task.solution.read_text(encoding="utf-8"), task)


def test_a_task_is_started_once_something_is_written_in_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(curriculum, "TASKS_FOLDER", tmp_path)
    assert not is_started(CACHE)  # the file is missing in an older clone
    CACHE.stub.write_text(cut_stub(CACHE).replace("# TODO", "# Your turn"), encoding="utf-8")
    assert not is_started(CACHE)
    CACHE.stub.write_text(without_function(cut_stub(CACHE), "generate_fast"), encoding="utf-8")
    assert not is_started(CACHE)  # a clone from before the task had this function
    CACHE.stub.write_text(cut_stub(CACHE).replace(ERROR, "return 0"), encoding="utf-8")
    assert is_started(CACHE)
