"""Mutants that are right answers: by a rule, or as listed by a person in `equivalents.toml`."""

import tomllib
from pathlib import Path

from tests.project.mutants.breeding import Mutant
from tests.project.mutants.sameness import normalized

EQUIVALENTS = Path(__file__).with_name("equivalents.toml")


def why_equivalent(stem: str, mutant: Mutant) -> str:
    """Return why the mutant is a right answer too; empty if it is not known to be one."""
    if is_the_same_program(mutant):
        return "the same program"
    for equivalent in tomllib.loads(EQUIVALENTS.read_text(encoding="utf-8")).get(stem, ()):
        if equivalent["gist"] == mutant.gist:
            return equivalent["why"]
    return ""


def is_the_same_program(mutant: Mutant) -> bool:
    """Whether the mutant and the right answer are equal once normalized."""
    try:
        before, after = (normalized(text) for text in (mutant.before, mutant.data))
    except (SyntaxError, ValueError):
        return False
    return before == after
