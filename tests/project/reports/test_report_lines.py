"""What a report shows of each check."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Check, Location, Reason, Report, Verdict
from minigpt_challenge.coach.reports import terminal
from minigpt_challenge.coach.reports.html import check_fragment
from minigpt_challenge.coach.reports.report_lines import MAX_PRINTED, report_lines, root_cause


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


def error_at(name, line):
    place = Location("task2.py", line, "__call__", "x @ y")
    return Check(name, Verdict.COULD_NOT_RUN, reason=Reason.ERROR, seen="E", trace=(place,))


def wrong_at(name, line, **parts):
    """A check that calls an error of the code wrong."""
    trace = error_at(name, line).trace
    parts = dict(reason=Reason.REQUIREMENT, seen="It raised E", about=name, raised="E: 1") | parts
    return Check(name, Verdict.WRONG, trace=trace, **parts)


def values(name, **parts):
    return Check(name, Verdict.WRONG, reason=Reason.VALUES, about=name, seen="It is 2.", **parts)


def not_reached(name):
    seen = "Not reached."
    reason = Reason.NOT_REACHED
    return Check(name, Verdict.COULD_NOT_RUN, reason=reason, about=seen, seen=seen)


def unwritten(name):
    return Check(name, Verdict.NOT_STARTED, reason=Reason.UNWRITTEN, seen="Task 2: write it")


@pytest.mark.parametrize(
    "checks, expected",
    [
        ([error_at(name, 46) for name in "abc"], [("a", "2 other checks stop there, too")]),
        ([error_at("a", 46), error_at("b", 47)], [("a", ""), ("b", "")]),
        (
            [unwritten("a"), Check("b", Verdict.PASSED), unwritten("c")],
            [("a", "1 other check waits for it, too"), ("b", "")],
        ),
        ([failed("a", ""), failed("b", "")], [("a", ""), ("b", "")]),  # about something else
        ([values(name) for name in "ab"], [("a", "In 1 other check values differ, too")]),
        (
            [values(name, diagnosis=("no_mask",)) for name in "abc"],
            [("a", "2 other checks fail in the same way")],
        ),
        (
            [not_reached(name) for name in "abc"],
            [("a", "2 other checks were not reached either")],
        ),
    ],
)
def test_checks_that_fail_in_the_same_way_share_a_line(checks, expected):
    lines = report_lines(Report(TASKS[0], 1.0, tuple(checks)))
    assert [(line.check.name, line.others) for line in lines] == expected


MESSAGE = dict(reason=Reason.REQUIREMENT, seen="It is wrong.")
STOPPED = dict(reason=Reason.ERROR, seen="KeyError: 'x'", raised="KeyError: 'x'")


@pytest.mark.parametrize(
    "checks, expected",
    [
        ([Check("a", Verdict.PASSED)], None),
        ([Check("a", Verdict.WRONG, **MESSAGE, about="a")], "a"),
        # The cause that is known comes first, wherever it is.
        (
            [
                Check("a", Verdict.WRONG, **MESSAGE, about="a"),
                Check("b", Verdict.WRONG, **MESSAGE, about="b", cause="no mask"),
            ],
            "b",
        ),
        # What is wrong because of an error comes after that error, but not after another.
        (
            [
                Check("a", Verdict.WRONG, **MESSAGE, raised="KeyError: 'x'"),
                Check("b", Verdict.COULD_NOT_RUN, **STOPPED),
            ],
            "b",
        ),
        (
            [
                Check("a", Verdict.COULD_NOT_RUN, **STOPPED),
                Check("b", Verdict.WRONG, **MESSAGE, raised="ValueError"),
            ],
            "b",
        ),
        # An error in words of ours, such as about a missing class, has no exception to compare.
        (
            [
                Check("a", Verdict.COULD_NOT_RUN, reason=Reason.ERROR, seen="no such class"),
                Check("b", Verdict.WRONG, **MESSAGE),
            ],
            "b",
        ),
        # A wrong answer tells more than a crash, and a crash more than what is not written.
        (
            [
                Check("a", Verdict.NOT_STARTED, reason=Reason.UNWRITTEN, seen="write it"),
                Check("b", Verdict.COULD_NOT_RUN, **STOPPED),
                Check("c", Verdict.WRONG, **MESSAGE),
            ],
            "c",
        ),
    ],
)
def test_the_failure_to_read_first(checks, expected):
    first = root_cause(report_lines(Report(TASKS[0], 1.0, tuple(checks))))
    assert (first and first.check.name) == expected


def in_a_terminal(*checks):
    console = Console(width=80, highlight=False)
    with console.capture() as output:
        console.print(terminal.report(Report(TASKS[0], 1.0, checks)), crop=False)
    return output.get()


def test_an_error_is_shown_once_and_not_as_what_another_check_says_of_it():
    stopped = replace(error_at("stopped", 46), raised="E: 2", about="E: 2")
    (line,) = report_lines(Report(TASKS[0], 1.0, (wrong_at("refuses", 46), stopped)))
    assert (line.check, line.repeats) == (stopped, ("refuses",))
    for other in (
        wrong_at("refuses", 47),
        wrong_at("refuses", 46, advice="Only more is too many."),
    ):
        assert len(report_lines(Report(TASKS[0], 1.0, (other, stopped)))) == 2


def test_a_table_has_no_spaces_at_the_ends_of_lines_where_there_is_no_terminal():
    shown = {}
    for is_terminal in (True, False):
        file = io.StringIO()
        console = Console(file=file, width=200, force_terminal=is_terminal, color_system=None)
        table = Table(box=None)
        for row in ("a", "a longer one"):
            table.add_row(row)
        terminal.print_table(console, table)
        shown[is_terminal] = [line for line in file.getvalue().splitlines() if line.strip()]
    assert any(line.endswith(" ") for line in shown[True])
    assert [line.rstrip() for line in shown[True]] == shown[False]


def test_a_terminal_names_it_where_another_failure_stands_above_it():
    above = Check("shape", Verdict.WRONG, **MESSAGE, about="a")
    cause = Check("head_value", Verdict.WRONG, **MESSAGE, about="b", cause="no mask")
    assert "Read first: head value" in in_a_terminal(above, cause)
    assert "Read first" not in in_a_terminal(cause, above)


def test_a_terminal_breaks_no_word_and_cuts_nothing_off():
    path = "minigpt_challenge/" + 30 * "folder/" + "task1_embedding.py:12"
    seen = f"An ordinary sentence {20 * 'of words '}\n    x = {path}"
    shown = in_a_terminal(Check("a", Verdict.WRONG, reason=Reason.REQUIREMENT, seen=seen))
    assert path in shown
    first, *_ = shown.split("      An ordinary")[1].splitlines()
    assert len(first) < 80 and f"\n          {path}" in shown
