"""Idioms of PyTorch and NumPy that raise an error in JAX or Flax, and what to write instead.

`arrays` and `modules` hold the rows, `idiom` their type and how an error is recognized.
"""
