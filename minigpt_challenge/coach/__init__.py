"""The machinery: you never need to open it, but you may.

Dependencies point one way: `coach` knows `tasks`, `given`, `solutions` and `tests`; none of them
knows `coach`, save for the tests.
"""
