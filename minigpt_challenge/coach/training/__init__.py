"""Runs that take a while: the warm-up, the rungs of the ladder, the milestone.

May import `grading/`, `reports/` and the layers below them.
"""
