"""Mutants: right answers, each with one random edit, to see what the grader makes of them."""
