"""What every right answer to a task must do, whatever it computes.

May import `checks/faults/` and `checks/`.
"""
