"""Models of mistakes: for each task the reference in NumPy, with a switch for each mistake.

May import `checks/faults/catalogue/` and `checks/`.
"""
