"""When two arrays count as equal."""

from typing import Any

import numpy as np

# Relative to the largest expected value. Both models run in float32 at the highest matmul
# precision; they may add in different orders, and mask with -1e9 or -inf. The rounding errors of
# large models stay a factor of ten below this.
TOLERANCE = 1e-4
# A masked position has weight exactly 0, so what is there changes nothing.
MIN_LEAK = 1e-6
SMALLEST = 1e-6  # arrays whose values are all smaller than this count as 0


def differs(seen: Any, expected: Any) -> np.ndarray:
    """Where `seen` is not `expected`: bool, of their shape. NaN differs from everything."""
    seen, expected = np.asarray(seen), np.asarray(expected)
    with np.errstate(invalid="ignore"):
        scale = max(float(np.abs(expected).max(initial=0)), SMALLEST)
        return ~(np.abs(seen - expected) <= TOLERANCE * scale)
