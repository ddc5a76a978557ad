"""Right answers with one random edit: how they are made, and that each gets a verdict."""

import ast

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Check, Reason, Report, Verdict
from tests.project.answers.gate import bank
from tests.project.mutants.breeding import Mutant, make_mutants
from tests.project.mutants.equivalence import why_equivalent
from tests.project.mutants.sameness import normalized
from tests.project.mutants.syntax import EDITS
from tests.project.mutants.trial import Outcome, check_mutants

pytestmark = pytest.mark.newest

EMBEDDING, ATTENTION = TASKS[:2]
SOLUTION = EMBEDDING.solution.read_text(encoding="utf-8")


def mutant(text):
    return Mutant("the solution", "by hand", SOLUTION, text.encode())


def test_mutants_differ_from_every_answer_and_depend_on_the_seed():
    mutants = make_mutants(ATTENTION, 3, 80)
    assert mutants == make_mutants(ATTENTION, 3, 80)
    assert mutants != make_mutants(ATTENTION, 4, 80)
    texts = {answer.text.encode() for answer in bank(ATTENTION)} | {m.data for m in mutants}
    assert len(texts) == len(bank(ATTENTION)) + 80
    assert all(m.data != m.before.encode() for m in mutants)


def test_every_edit_of_the_syntax_tree_is_made_and_can_be_parsed():
    mutants = [m for task in TASKS[:3] for m in make_mutants(task, 0, 150)]
    made = {m.edit: m for m in mutants}
    for edit in EDITS:
        ast.parse(made[edit.__name__.replace("_", " ")].data)


@pytest.mark.parametrize(
    "program, other, same",
    [
        ("a = f(x)\nb = g(x)", "b = g(x)\na = f(x)", True),
        ("a = f(x)\nb = g(a)", "b = g(a)\na = f(x)", False),
        ("s.a = f()\nb = s.a", "b = s.a\ns.a = f()", False),
        ("a[0] = 1\nb = a", "b = a\na[0] = 1", False),
        ("x = f(x)", "x = f(x)\nx = f(x)", False),
        ("a = f(x)", "a = f(x)\na = f(x)", True),
        ("o.update(x)", "o.update(x)\no.update(x)", False),
        ("class A:\n  a: int\n  b: int", "class A:\n  b: int\n  a: int", False),
        ("class A:\n  a: int", "class A:\n  'words'\n  a: float", True),
        ("def f(x): return a + b", "def f(x: int):\n  return b + a\n  print(x)", True),
        ("c = a @ b", "c = b @ a", False),
        ("c = a + [b]", "c = [b] + a", False),
        ("if a: raise E('x')\nb = 1", "b = 1\nif a: raise E('y', 2)", True),
        ("if a: b = 2\nb = 1", "b = 1\nif a: b = 2", False),
        ("nn.Embed(3, 4)", "nn.Embed(3, 4, name='x')", True),
        ("nn.Embed(3, 4)", "nn.Embed(3, 4, dtype='x')", False),
        ("f(**a)", "f(**b)", False),
        ("i = nn.initializers.ones(2)\nj = 1", "j = 1\ni = nn.initializers.zeros(3)", True),
        ("self.a = f()", "self.a = f()\nself.a = f()", False),
        ("import a\nimport b\na", "import a\na", True),
        ("import a\na", "a", False),
        ("import a as b\nb", "import b\nb", False),
        ("def f(): return a\nimport a", "import a\ndef f(): return a", False),
        ("class A:\n  a: int\n  def f(): pass", "class A:\n  def f(): pass\n  a: int", True),
    ],
)
def test_programs_are_the_same_if_they_differ_only_in_what_never_matters(program, other, same):
    assert (normalized(program) == normalized(other)) is same


def test_a_listed_equivalent_is_found_by_its_difference():
    compact = next(answer for answer in bank(EMBEDDING) if answer.name == "compact")
    before = ast.unparse(ast.parse(compact.text))

    def why(old, new):
        after = before.replace(old, new, 1).encode()
        return why_equivalent(EMBEDDING.stem, Mutant("compact", "by hand", before, after))

    assert why("if tokens.shape[1]", "if tokens.shape[-1]") == "tokens have two axes"
    assert why("if tokens.shape[1]", "if tokens.shape[0]") == ""
    assert why("if tokens", "if (tokens") == ""
    assert why("if tokens", "if  tokens") == "the same program"


def test_a_failure_of_the_grader_is_no_verdict():
    def verdict(reason):
        check = Check("check", Verdict.COULD_NOT_RUN, reason=reason)
        return Outcome(mutant(""), Report(EMBEDDING, 1.0, (check,)), 1.0, "", False).verdict

    assert verdict(Reason.ERROR) is Verdict.COULD_NOT_RUN
    assert verdict(Reason.SUITE_FAILED) is None
    assert Outcome(mutant(""), None, 1.0, "", False).verdict is None


@pytest.mark.slow
def test_each_mutant_gets_a_verdict_even_if_it_ends_the_process():
    mutants = [
        *make_mutants(EMBEDDING, 0, 10),
        mutant("import os\nos._exit(0)"),
        mutant(SOLUTION + "#"),
    ]
    outcomes = list(check_mutants(EMBEDDING, mutants, processes=1))
    assert [outcome.mutant for outcome in outcomes] == mutants
    assert all(outcome.verdict for outcome in outcomes), [outcome.messages for outcome in outcomes]
    assert [outcome.alone for outcome in outcomes] == [False] * 10 + [True, False]
    assert outcomes[-2].verdict is Verdict.COULD_NOT_RUN
    assert outcomes[-1].verdict is Verdict.PASSED
    for outcome in outcomes:
        if why_equivalent(EMBEDDING.stem, outcome.mutant):
            assert outcome.verdict is Verdict.PASSED, outcome.mutant.difference
