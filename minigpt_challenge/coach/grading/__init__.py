"""Run one test suite on one file, and turn its errors into a report.

May import `checks/` and the rooms below it, but not `reports/`, its neighbor.
"""
