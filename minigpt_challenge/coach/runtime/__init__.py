"""Runs a learner's file, and then restores the state of the process.

May import `course/` and the layers below it, but not its sibling `records/`.
"""
