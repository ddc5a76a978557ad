"""Runs a learner's file, and then puts the process back as it was.

May import `course/` and what is below it. Knows nothing of `records/`, its neighbour.
"""
