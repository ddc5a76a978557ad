"""Runs that take a while: the warm-up, the rungs of the ladder, the milestone.

May import `grading/`, `reports/` and what is below them.
"""
