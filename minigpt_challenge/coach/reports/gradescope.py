"""The file that Gradescope reads: `results.json`, with one test for each check.

The format: https://gradescope-autograders.readthedocs.io/en/latest/specs/ (section "Output
Format").
"""

from collections.abc import Sequence
from typing import Any

from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.reports.report_lines import readable_name

POINTS = 10  # for each task, divided evenly among its checks


def gradescope_results(reports: Sequence[tuple[Report, bool]]) -> dict[str, Any]:
    """The object to write to `results.json`.

    Args:
        reports: each task's report, and whether the checked file is a copy of the reference.
    """
    copies = [report.task.stem for report, is_reference in reports if is_reference]
    return {
        "tests": [test for report, _ in reports for test in _tests(report)],
        "execution_time": round(sum(report.seconds for report, _ in reports), 1),
        "output": _summary(copies),
        "extra_data": {"same_as_the_reference": copies},
    }


def _tests(report: Report) -> list[dict[str, Any]]:
    task = report.task
    points = POINTS / max(len(report.checks), 1)
    return [
        {
            "number": f"{task.number}.{index}",
            "name": f"{task.title}: {readable_name(check.name)}",
            "max_score": points,
            "score": points if check.verdict is Verdict.PASSED else 0,
            "status": "passed" if check.verdict is Verdict.PASSED else "failed",
            "output": "\n".join(filter(None, [check.verdict.words, check.message])),
            "output_format": "text",
            "tags": list(check.diagnosis),
        }
        for index, check in enumerate(report.checks, 1)
    ]


def _summary(copies: list[str]) -> str:
    if not copies:
        return "No file equals the reference."
    return (
        f"Equal to the reference apart from comments and layout: {', '.join(copies)}. (A short "
        "task has few good answers, so this alone proves nothing.)"
    )
