"""The mistakes themselves: for each its id, what it is in words, and how to fix it.

May import `checks/diagnosis.py`.
"""
