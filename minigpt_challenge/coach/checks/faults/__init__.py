"""Fault models: each task's reference in NumPy, with a switch for each mistake.

May import `checks/faults/catalogue/` and `checks/`.
"""
