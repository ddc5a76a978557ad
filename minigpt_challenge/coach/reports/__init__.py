"""How results look: in a terminal, in a notebook, as a page, as a chart, for Gradescope.

May import `checks/` and what is below it. Knows nothing of `grading/`, its neighbour.
"""
