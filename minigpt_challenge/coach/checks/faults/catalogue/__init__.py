"""The mistakes of each task: for each its id, a description and how to fix it.

May import `checks/diagnosis.py`.
"""
