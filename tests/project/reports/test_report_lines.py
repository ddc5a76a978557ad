"""What a report shows of each check."""

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Check, Reason, Report, Verdict
from minigpt_challenge.coach.reports.html import check_fragment
from minigpt_challenge.coach.reports.report_lines import MAX_PRINTED, report_lines


def failed(name, printed):
    return Check(name, Verdict.WRONG, reason=Reason.REQUIREMENT, about=name, printed=printed)


def messages(*checks):
    return [line.message for line in report_lines(Report(TASKS[0], 1.0, checks))]


def test_what_the_code_printed_is_shown_for_the_first_failure_only():
    passed = Check("passed", Verdict.PASSED, printed="quiet")
    shown = messages(passed, failed("first", "(2, 3)\nhere\n"), failed("second", "again"))
    assert shown == ["", "Your code printed:\n    (2, 3)\n    here", ""]


def test_a_notebook_shows_it_too():
    page = check_fragment(Report(TASKS[0], 1.0, (failed("first", "<here>\n"),)))
    assert "Your code printed:" in page and "&lt;here&gt;" in page


def test_of_much_output_the_last_lines_are_shown():
    (message,) = messages(failed("first", "\n".join(map(str, range(30)))))
    assert message.splitlines()[1:3] == ["    … 10 lines before …", "    10"]
    assert len(message.splitlines()) == MAX_PRINTED + 2
