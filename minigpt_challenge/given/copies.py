"""Copies of arrays, since a step may donate what it is given (`donate_argnums`)."""

from typing import Any

import jax


def copies(tree: Any) -> Any:
    """The same tree with a copy of each JAX array, with the same sharding.

    Hand over copies of all that you use again: a donated array is deleted.
    """
    return jax.tree.map(lambda leaf: leaf.copy() if isinstance(leaf, jax.Array) else leaf, tree)
