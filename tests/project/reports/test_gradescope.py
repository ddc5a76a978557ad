"""What teachers rely on: all tasks at once, the files for Gradescope and JUnit, own work or not."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from minigpt_challenge.coach.course.curriculum import GPT_TASKS, TASKS
from minigpt_challenge.coach.course.verdict import Check, Report, Verdict
from minigpt_challenge.coach.reports.gradescope import POINTS, gradescope_results

pytestmark = pytest.mark.newest

EMBEDDING = TASKS[0]
MIXED = Report(
    EMBEDDING,
    2.5,
    (
        Check("a_thing_holds", Verdict.PASSED),
        Check("steps_agree[Adam]", Verdict.WRONG, seen="0 is not 1.", diagnosis=("scale_missing",)),
        Check("another", Verdict.NOT_STARTED, seen="Task 1: write it"),
        Check("last", Verdict.COULD_NOT_RUN, seen="TypeError"),
    ),
)


def test_gradescope_gets_one_test_for_each_check_and_ten_points_for_each_task():
    results = gradescope_results([(MIXED, False)])
    tests = results["tests"]
    assert [test["score"] for test in tests] == [POINTS / 4, 0, 0, 0]
    assert sum(test["max_score"] for test in tests) == pytest.approx(POINTS)
    assert [test["status"] for test in tests] == ["passed", "failed", "failed", "failed"]
    assert tests[1]["name"] == f"{EMBEDDING.title}: steps agree, Adam"
    assert "0 is not 1." in tests[1]["output"] and tests[1]["tags"] == ["scale_missing"]
    assert "not started" in tests[2]["output"]
    assert results["extra_data"] == {"same_as_the_reference": []}
    assert json.loads(json.dumps(results)) == results


def test_a_copy_of_the_reference_is_reported():
    results = gradescope_results([(MIXED, True)])
    assert results["extra_data"] == {"same_as_the_reference": [EMBEDDING.stem]}
    assert EMBEDDING.stem in results["output"]


@pytest.mark.slow
@pytest.mark.newest
def test_the_command_line_writes_the_file_for_all_tasks(workshop):
    workshop.solve(EMBEDDING)
    file = workshop.root / "out" / "results.json"
    done = workshop.minigpt("check", "--all", "--json", "--gradescope", str(file))
    verdicts = [json.loads(line)["verdict"] for line in done.stdout.splitlines()]
    assert verdicts == ["passed"] + ["not_started"] * (len(GPT_TASKS) - 1)
    results = json.loads(file.read_text(encoding="utf-8"))
    assert sum(test["score"] for test in results["tests"]) == pytest.approx(POINTS)
    assert results["extra_data"]["same_as_the_reference"] == [EMBEDDING.stem]
    assert workshop.minigpt("check", "--all", "1").returncode == 2


@pytest.mark.slow
@pytest.mark.newest
def test_junit_distinguishes_not_started_from_failed(workshop):
    workshop.stub(EMBEDDING).write_text("class TokenAndPositionEmbedding: pass", encoding="utf-8")
    suites = [str(task.tests.relative_to(task.tests.parents[1])) for task in TASKS[:2]]
    workshop.python("-m", "pytest", "-q", "--junit-xml=results.xml", *suites)
    cases = ElementTree.parse(workshop.root / "results.xml").getroot().iter("testcase")
    outcomes = {}
    for case in cases:
        kinds = {child.tag for child in case} - {"properties"}
        outcomes.setdefault(case.get("classname").split(".")[-1], set()).update(kinds or {"passed"})
    assert outcomes["test_task2_attention"] == {"skipped"}
    assert outcomes["test_task1_embedding"] <= {"failure", "error"}
