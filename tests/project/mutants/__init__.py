"""Mutants: right answers with one random edit each, to test the grader."""
