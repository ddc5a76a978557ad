"""A cause rests on evidence: the settings of each check tell every fault from every other.

Each suite is run on the solution. Where `expect` could claim a cause, the outputs of all single
faults are computed for all settings of the check.
"""

from contextlib import contextmanager
from itertools import combinations
from unittest.mock import patch

import jax
import numpy as np
import pytest

from minigpt_challenge.coach.checks import device_shards, expect
from minigpt_challenge.coach.checks.tolerance import differs
from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading.runner import check_in_this_process

pytestmark = [pytest.mark.slow, pytest.mark.newest]

# A fault that shows in one kind of setting only, and why that is enough.
SHOWS_ONCE = {
    "beyond_float32": "one of the three logits is beyond what float32 can count",
    "one_key_for_all": "it is claimed by other means, in `properties/sampling.py`",
}


class Recorder:
    """What the checks of a suite would take for evidence, by the check's name."""

    def __init__(self):
        self.evidence, self._check = {}, ""

    def pytest_runtest_setup(self, item):
        self._check = item.name

    @contextmanager
    def patches(self):
        """Record the suspects that are given to `expect`, and compare as usual."""
        all_equal, trees_equal, equal = expect.all_equal, expect.trees_equal, expect.equal
        all_hold = device_shards.all_hold

        def recording_all_equal(cases, axes, label, elsewhere=()):
            cases, elsewhere = [*cases], [[*function()] for function in elsewhere]
            self._record(suspects for part in (cases, *elsewhere) for *_, suspects in part)
            all_equal(cases, axes, label)

        def recording_trees_equal(seen, expected, label, evidence=(), elsewhere=()):
            elsewhere = [[*function()] for function in elsewhere]
            self._record(suspects for part in (evidence, *elsewhere) for *_, suspects in part)
            trees_equal(seen, expected, label)

        def recording_equal(seen, expected, axes, label, evidence=()):
            self._record(suspects for _, suspects in evidence)
            equal(seen, expected, axes, label)

        def recording_all_hold(cases):
            cases = [*cases]
            self._record(suspects for *_, suspects in cases)
            all_hold(cases)

        with (
            patch.object(device_shards, "all_hold", recording_all_hold),
            patch.object(expect, "all_equal", recording_all_equal),
            patch.object(expect, "trees_equal", recording_trees_equal),
            patch.object(expect, "equal", recording_equal),
        ):
            yield

    def _record(self, evidence):
        if evidence := [suspects for suspects in evidence if suspects.faults]:
            self.evidence.setdefault(self._check.partition("[")[0], []).append(evidence)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_every_fault_is_told_from_the_reference_and_from_every_other(task):
    recorder = Recorder()
    with recorder.patches():
        report = check_in_this_process(task, task.solution, recorder)
    assert report.verdict is Verdict.PASSED and recorder.evidence
    shown = set()
    for check, all_evidence in recorder.evidence.items():
        shows = {}
        for evidence in all_evidence:
            outputs = outputs_of(evidence)
            reference = outputs.pop("")
            for id, seen in outputs.items():
                number = sum(not same(*pair) for pair in zip(seen, reference, strict=True))
                shows[id] = max(shows.get(id, 0), number)
            claimed = [id for id in outputs if not all(map(same, outputs[id], reference))]
            pairs = combinations(claimed, 2)
            assert not [pair for pair in pairs if all(map(same, *map(outputs.get, pair)))], check
        shown |= {id for id, number in shows.items() if number}
        once = {id for id, number in shows.items() if number == 1} - SHOWS_ONCE.keys()
        assert not once, check
    every = {f.id for parts in recorder.evidence.values() for e in parts for f in e[0].faults}
    assert shown == every


def outputs_of(evidence):
    """The outputs in all settings, by the id of the only fault; "" for the reference."""
    ids = ["", *(fault.id for fault in evidence[0].faults)]
    return {id: [output(suspects, *filter(None, [id])) for suspects in evidence] for id in ids}


def output(suspects, *ids):
    """The output with these faults; None where they leave nothing to compute."""
    try:
        with np.errstate(all="ignore"):
            return suspects.output(frozenset(ids))
    except (ValueError, IndexError, KeyError):
        return None


def same(first, second):
    """Whether either output would be taken for the other: NaN and infinities may be anything."""
    return explains(first, second) or explains(second, first)


def explains(first, second):
    """Whether two outputs are equal where the first is defined."""
    if first is None or second is None:
        return first is second
    first, second = (list(map(np.asarray, jax.tree.leaves(tree))) for tree in (first, second))
    if list(map(np.shape, first)) != list(map(np.shape, second)):
        return False
    return not any(
        differs(b[np.isfinite(a)], a[np.isfinite(a)]).any()
        for a, b in zip(first, second, strict=True)
    )
