"""A learner's file must not change JAX for everybody else, the reference included."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from minigpt_challenge.coach.runtime.reference_cache import forget
from minigpt_challenge.errors import UserError

SHARED = (
    "builtins",
    "flax.linen",
    "flax.nnx",
    "jax",
    "jax.lax",
    "jax.nn",
    "jax.numpy",
    "jax.random",
    "math",
    "numpy",
    "optax",
)


class Tampered(UserError):
    """Something that all code shares was changed; it has been put back."""


@contextmanager
def nothing_shared_is_changed() -> Iterator[None]:
    """Put back whatever is replaced inside in the modules that all code shares.

    Raises:
        Tampered: something was replaced; the message says what.
    """
    before = {name: dict(vars(sys.modules[name])) for name in SHARED if name in sys.modules}
    try:
        yield
    finally:
        changed = [
            f"{name}.{attribute}"
            for name, attributes in before.items()
            for attribute, value in attributes.items()
            if vars(sys.modules[name]).get(attribute) is not value
        ]
        for name, attributes in before.items():
            vars(sys.modules[name]).update(attributes)
        if changed:
            forget()
            # Whatever else was raised may be no more than a consequence.
            raise Tampered(
                f"Your file replaced {', '.join(changed)}, which all code shares. It has been put "
                "back. Write functions of your own instead."
            )
