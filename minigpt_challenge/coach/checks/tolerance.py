"""When two arrays count as equal."""

from typing import Any

import numpy as np

# Relative to the largest value expected. Both models run in float32 at the highest matmul
# precision; they may add in another order, and mask with -1e9 or -inf. Errors that large code can
# gather stay a factor of ten below this.
TOLERANCE = 1e-4
SMALLEST = 1e-6  # what is smaller than this everywhere counts as 0


def differs(seen: Any, expected: Any) -> np.ndarray:
    """Where `seen` is not `expected`, as an array of booleans; NaN differs from everything.

    Args:
        seen: an array.
        expected: another of the same shape.
    """
    seen, expected = np.asarray(seen), np.asarray(expected)
    with np.errstate(invalid="ignore"):
        scale = max(float(np.abs(expected).max(initial=0)), SMALLEST)
        return ~(np.abs(seen - expected) <= TOLERANCE * scale)
