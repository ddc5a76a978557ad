"""Runs one test suite on one file, and turns what it raised into a report.

May import `checks/` and what is below it. Knows nothing of `reports/`, its neighbour.
"""
