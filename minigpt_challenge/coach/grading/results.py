"""Where a suite's results go: to a collector in this process, or to a file for another process."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from minigpt_challenge.coach.course.verdict import Check


class Hooks:
    """What the plugin reports; a collector implements it."""

    @pytest.hookspec
    def pytest_minigpt_suite(self, names: Sequence[str]) -> None:
        """The suite is collected: the names of its checks, in order. Called before any of them."""

    @pytest.hookspec
    def pytest_minigpt_check(self, check: Check) -> None:
        """A check has a result."""


class Collector:
    """Collects the results in this process.

    Attributes:
        suite: the names of all checks, empty until they are collected.
        checks: by name, those that have a result.
    """

    def __init__(self) -> None:
        self.suite: tuple[str, ...] = ()
        self.checks: dict[str, Check] = {}

    def pytest_minigpt_suite(self, names: Sequence[str]) -> None:
        self.suite = tuple(names)

    def pytest_minigpt_check(self, check: Check) -> None:
        self.checks[check.name] = check


class Writer:
    """Appends the results to a file, a JSON line each, so that a crash loses none before it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_minigpt_suite(self, names: Sequence[str]) -> None:
        self._append({"suite": list(names)})

    def pytest_minigpt_check(self, check: Check) -> None:
        self._append(check.as_record())

    def _append(self, record: dict) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def read(file: Path) -> Collector:
    """What a `Writer` wrote; empty where there is no file."""
    collector = Collector()
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        record = json.loads(line)
        if "suite" in record:
            collector.pytest_minigpt_suite(record["suite"])
        else:
            collector.pytest_minigpt_check(Check.from_record(record))
    return collector
