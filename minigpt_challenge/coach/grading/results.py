"""A suite's results: collected in this process, or written to a file for another process."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from minigpt_challenge.coach.course.verdict import Check, Reason, Verdict
from minigpt_challenge.coach.grading.redact_paths import redact_paths
from minigpt_challenge.coach.runtime.given_files import changed_files


class Hooks:
    """The hooks that the plugin calls; `Collector` and `Writer` implement them."""

    @pytest.hookspec
    def pytest_minigpt_suite(self, names: Sequence[str], none_chosen: bool) -> None:
        """Called with the names of the checks that will run, in order, before any of them does.

        `none_chosen` is true if there are none because of `--only`.
        """

    @pytest.hookspec
    def pytest_minigpt_check(self, check: Check) -> None:
        """Called with the result of a check."""


class Collector:
    """Collects the results in this process.

    Attributes:
        suite: the names of all checks; empty until pytest has collected them.
        none_chosen: whether `--only` matches no check.
        checks: the results so far, by the check's name.
    """

    def __init__(self) -> None:
        self.suite: tuple[str, ...] = ()
        self.none_chosen = False
        self.checks: dict[str, Check] = {}

    def pytest_minigpt_suite(self, names: Sequence[str], none_chosen: bool) -> None:
        self.suite, self.none_chosen = tuple(names), none_chosen

    def pytest_minigpt_check(self, check: Check) -> None:
        self.checks[check.name] = check


class Writer:
    """Appends each result to a file as a line of JSON, so that a crash loses no earlier result."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_minigpt_suite(self, names: Sequence[str], none_chosen: bool) -> None:
        self._append({"suite": list(names), "none_chosen": none_chosen})

    def pytest_minigpt_check(self, check: Check) -> None:
        self._append(check.as_record())

    def _append(self, record: dict[str, Any]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def read(file: Path) -> Collector:
    """Read what a `Writer` wrote; empty if there is no file."""
    collector = Collector()
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        record = json.loads(line)
        if "suite" in record:
            collector.pytest_minigpt_suite(record["suite"], record["none_chosen"])
        else:
            collector.pytest_minigpt_check(Check.from_record(record))
    return collector


def checks_in_order(
    collected: Collector, reason: Reason, ending: str, output: str
) -> tuple[Check, ...]:
    """The checks in the suite's order; those without a result could not run.

    Empty if `--only` matches none.

    Args:
        collected: the reported results.
        reason: why the suite ended.
        ending: the same as a sentence.
        output: what pytest printed.
    """
    if collected.none_chosen:
        return ()
    if not collected.suite:
        last_lines = "\n".join(output.strip().splitlines()[-12:])
        check = Check(
            "the_suite_starts",
            Verdict.COULD_NOT_RUN,
            reason=Reason.SUITE_FAILED,
            seen=ending,
            advice="\n".join(filter(None, [changed_files(), redact_paths(last_lines)])),
        )
        return (check,)
    checks = []
    for name in collected.suite:
        if name in collected.checks:
            checks.append(collected.checks[name].with_texts(redact_paths))
            continue
        seen = f"This check was running. {ending}"
        if reason is Reason.NOT_REACHED:
            seen = "Not reached."
        checks.append(Check(name, Verdict.COULD_NOT_RUN, reason=reason, about=seen, seen=seen))
        reason = Reason.NOT_REACHED
    return tuple(checks)
