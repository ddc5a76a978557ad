"""The course as data: its tasks, their stubs, notebooks and hints, the verdicts and errors.

May import `given/` and `files.py`.
"""
