"""A check's result is reused only for answers in which the code that it uses is the same."""

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from tests.project.answers import gate
from tests.project.answers.bank import right, wrong
from tests.project.answers.gate import judge_answer
from tests.project.answers.known_checks import Code, KnownChecks, Recorder

pytestmark = pytest.mark.newest

ATTENTION = TASKS[1]
ALL = {"uses", "helper", "other", "Derived", "Base"}
TEXT = """
import jax
SIZE = 3
def helper(x): return x + SIZE
def decorate(f): return f
@decorate
def uses(x): return helper(x)
def other(x): return x
class Base:
    def method(self): return 1
class Derived(Base):
    def method(self): return uses(2)
"""


@pytest.mark.parametrize(
    "old, new, changed",
    [
        ("x + SIZE", "x - SIZE", {"uses", "helper", "Derived"}),
        ("return f\n", "return print(f)\n", ALL),
        ("SIZE = 3", "SIZE = 4", ALL),
        ("def other(x): return x", "def other(x): return 1", {"other"}),
        ("return 1", "return 2", ALL),
        ("return uses(2)", "return uses(3)", {"Derived"}),
        ("def other(x)", "def other(x, kept=[])", ALL),
        (
            "(x): return x\n",
            "(x):\n    global SIZE\n",
            ALL,
        ),
        ("@decorate", "@cache", ALL),
        ("@decorate", "@jax.jit", ALL),
        ("return x\n", "Base.kept = x\n", ALL),
    ],
)
def test_the_code_behind_a_name_is_all_that_it_can_run(old, new, changed):
    assert old in TEXT
    before, after = Code(TEXT), Code(TEXT.replace(old, new))
    assert changed == {name for name in ALL if _differs(before, after, name)}


def _differs(before: Code, after: Code, name: str) -> bool:
    return before.behind(frozenset({name})) != after.behind(frozenset({name}))


def test_what_cannot_be_parsed_is_taken_as_a_whole():
    assert Code("def f(:").behind(frozenset()) == "def f(:"


def changed_solution(task, old, new):
    solution = task.solution.read_text(encoding="utf-8")
    assert old in solution
    return solution.replace(old, new)


@pytest.mark.slow
def test_an_answer_is_judged_as_without_what_is_known(monkeypatch):
    recorders = []

    def recorder(*arguments):
        recorders.append(Recorder(*arguments))
        return recorders[-1]

    monkeypatch.setattr(gate, "Recorder", recorder)
    known = KnownChecks()
    reversed_heads = changed_solution(
        ATTENTION, "for head in self.heads", "for head in self.heads[::-1]"
    )
    no_mask = changed_solution(ATTENTION, "jnp.where(visible, scores, -jnp.inf)", "scores")
    answers = [
        right("the solution", ATTENTION.solution.read_text(encoding="utf-8")),
        wrong("reversed heads", reversed_heads),
        wrong("no mask", no_mask),
    ]
    for answer in answers:
        with_known, alone = judge_answer(ATTENTION, answer, known), judge_answer(ATTENTION, answer)
        assert (with_known.verdict, with_known.claimed) == (alone.verdict, alone.claimed)
        assert with_known.accepted == answer.right
    solution, heads, mask = recorders[::2]
    assert not solution.known and len(solution.suite) == 14
    assert len(heads.known) == 11 and all(
        check.verdict is Verdict.PASSED for check in heads.known.values()
    )
    assert len(mask.known) == 0
