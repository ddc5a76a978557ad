"""The file that Gradescope reads: `results.json`, a test for each check.

The format: https://gradescope-autograders.readthedocs.io/en/latest/specs/ (section "Output
Format").
"""

from collections.abc import Sequence

from minigpt_challenge.coach.course.verdict import Report, Verdict
from minigpt_challenge.coach.reports.report_lines import sentence

POINTS = 10  # a task's, shared evenly by its checks


def gradescope_results(reports: Sequence[tuple[Report, bool]]) -> dict:
    """The object to write to `results.json`.

    Args:
        reports: each task's report, and whether what was checked is the reference.
    """
    borrowed = [report.task.stem for report, is_reference in reports if is_reference]
    return {
        "tests": [test for report, _ in reports for test in _tests(report)],
        "execution_time": round(sum(report.seconds for report, _ in reports), 1),
        "output": _words(borrowed),
        "extra_data": {"same_as_the_reference": borrowed},
    }


def _tests(report: Report) -> list[dict]:
    task = report.task
    points = POINTS / max(len(report.checks), 1)
    return [
        {
            "number": f"{task.number}.{place}",
            "name": f"{task.title}: {sentence(check.name)}",
            "max_score": points,
            "score": points if check.verdict is Verdict.PASSED else 0,
            "status": "passed" if check.verdict is Verdict.PASSED else "failed",
            "output": "\n".join(filter(None, [check.verdict.words, check.message])),
            "output_format": "text",
            "tags": list(check.diagnosis),
        }
        for place, check in enumerate(report.checks, 1)
    ]


def _words(borrowed: list[str]) -> str:
    if not borrowed:
        return "No file is the same as the reference."
    return (
        f"The same as the reference, but for comments and layout: {', '.join(borrowed)}. (A short "
        "task has few good answers; it is for you to weigh.)"
    )
