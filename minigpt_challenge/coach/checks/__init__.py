"""What a test suite is written with: expectations, random inputs, paired weights, diagnosis.

May import `runtime/`, `records/` and what is below them.
"""
