"""The gate: right answers pass, wrong ones are refused, and no diagnosis is false.

`python -m tests.project.answers` prints the table, in two processes.
"""

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.stubs import cut_stub
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading.runner import check_in_this_process
from tests.project.answers.__main__ import parse_arguments
from tests.project.answers.bank import right, wrong
from tests.project.answers.gate import Outcome, bank, judge_answer, mistakes


@pytest.mark.slow
@pytest.mark.gate
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_the_gate(task):
    assert not mistakes([judge_answer(task, answer) for answer in bank(task)])


@pytest.mark.newest
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_a_stub_is_not_started(task, tmp_path):
    stub = tmp_path / task.stub.name
    stub.write_text(cut_stub(task), encoding="utf-8")
    assert check_in_this_process(task, stub).verdict is Verdict.NOT_STARTED


@pytest.mark.parametrize(
    "answer, verdict, claimed, message",
    [
        (right("r", ""), Verdict.WRONG, (), "r: wrong"),
        (wrong("w", ""), Verdict.PASSED, (), "w: passed"),
        (wrong("w", "", "a"), Verdict.WRONG, ("b",), "diagnosed as ['b'], has ['a']"),
        (wrong("w", "", "a"), Verdict.WRONG, ("a", "b"), "diagnosed as ['a', 'b'], has ['a']"),
        (wrong("w", "", "a"), Verdict.WRONG, (), "single faults named: 0 of 1"),
    ],
)
def test_the_gate_finds_the_graders_mistakes(answer, verdict, claimed, message):
    found = mistakes([Outcome(answer, verdict, frozenset(claimed), "why")])
    assert len(found) == 1 + message.startswith("diagnosed") and message in found[0]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ([], ([task.number for task in TASKS], (1, 1), None)),
        (["6", "8"], ([6, 8], (1, 1), None)),
        (["7", "--part", "2/3", "--anew", "1/10"], ([7], (2, 3), (1, 10))),
    ],
)
def test_arguments_choose_a_part_of_the_bank(arguments, expected):
    options = parse_arguments(arguments)
    assert (options.tasks, options.part, options.anew) == expected


@pytest.mark.parametrize("part", ["0/2", "3/2", "2", "1/x", "-1/2"])
@pytest.mark.parametrize("option", ["part", "anew"])
def test_an_invalid_part_is_refused(option, part, capsys):
    with pytest.raises(SystemExit):
        parse_arguments([f"--{option}={part}"])
    assert "use 1/2 or 2/2, for example" in capsys.readouterr().err


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_the_bank_is_large_and_has_no_answer_twice(task):
    answers = bank(task)
    assert len({answer.text for answer in answers}) == len(answers)
    assert len({answer.name for answer in answers}) == len(answers)
    assert sum(answer.right for answer in answers) > 8
    assert sum(not answer.right for answer in answers) >= 20
