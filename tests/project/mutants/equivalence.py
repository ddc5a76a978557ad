"""Mutants that pass since they are right: by a rule, or by what a person found and wrote down."""

import tomllib
from pathlib import Path

from tests.project.mutants.breeding import Mutant
from tests.project.mutants.sameness import normalised

FOUND = Path(__file__).with_name("equivalents.toml")


def why_equivalent(stem: str, mutant: Mutant) -> str:
    """Why the mutant is a right answer, too; empty where that is not known."""
    if is_the_same_program(mutant):
        return "the same program"
    for found in tomllib.loads(FOUND.read_text(encoding="utf-8")).get(stem, ()):
        if found["gist"] == mutant.gist:
            return found["why"]
    return ""


def is_the_same_program(mutant: Mutant) -> bool:
    """Whether the two differ in nothing that runs, or in what the tasks leave free."""
    try:
        before, after = (normalised(text) for text in (mutant.before, mutant.data))
    except (SyntaxError, ValueError):
        return False
    return before == after
