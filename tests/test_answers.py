"""The gate: right answers pass, wrong ones are refused, and no diagnosis is false.

`pytest -m gate tests/test_answers.py -s` prints the table.
"""

import importlib
from collections import Counter

import pytest

from minigpt_challenge.coach.checking import check_in_this_process
from minigpt_challenge.coach.curriculum import TASKS
from minigpt_challenge.coach.stubs import cut_stub
from minigpt_challenge.coach.verdict import Verdict
from tests.answers.bank import right


def bank(task):
    """All answers to a task, the solution among them."""
    module = importlib.import_module(f"tests.answers.{task.stem}")
    return [right("the solution", task.solution.read_text(encoding="utf-8")), *module.ANSWERS]


@pytest.mark.slow
@pytest.mark.gate
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_the_gate(task, tmp_path, capsys):
    count, mistakes = Counter(), []
    stub = tmp_path / "stub.py"
    stub.write_text(cut_stub(task), encoding="utf-8")
    assert check_in_this_process(task, stub).verdict is Verdict.NOT_STARTED
    for number, answer in enumerate(bank(task)):
        path = tmp_path / f"answer{number}.py"
        path.write_text(answer.text, encoding="utf-8")
        report = check_in_this_process(task, path)
        claimed = {fault for check in report.checks for fault in check.diagnosis}
        passed = report.verdict is Verdict.PASSED
        count["right" if answer.right else "wrong"] += 1
        count["accepted" if passed else "refused"] += 1
        if passed != answer.right:
            said = [check.message for check in report.checks if check.message]
            mistakes.append(f"{answer.name}: {report.verdict.words} {said[:1]}")
        if claimed - answer.faults:
            count["falsely diagnosed"] += 1
            mistakes.append(f"{answer.name}: called {sorted(claimed)}, has {sorted(answer.faults)}")
        elif answer.faults:
            kind = "single" if len(answer.faults) == 1 else "double"
            count[f"{kind} faults"] += 1
            count[f"{kind} faults named"] += claimed == answer.faults
            if claimed != answer.faults:
                count["not diagnosed"] += 1
    with capsys.disabled():
        print(f"\n{task.stem}: " + ", ".join(f"{what} {n}" for what, n in count.items()))
    assert not mistakes, "\n".join(mistakes)
    assert count["single faults named"] >= 0.9 * count["single faults"]
    assert count["double faults named"] >= 0.75 * count["double faults"]
