"""Show results: in a terminal, in a notebook, as a page, as a chart, for Gradescope.

May import `checks/` and the rooms below it, but not `grading/`, its neighbor.
"""
