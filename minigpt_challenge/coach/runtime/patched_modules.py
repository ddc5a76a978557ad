"""Undo a learner's changes to modules such as JAX, which the reference uses too."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from minigpt_challenge.coach.runtime.reference_cache import clear_all
from minigpt_challenge.errors import UserError

SHARED_MODULES = (
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


class PatchedModule(UserError):
    """The learner's code replaced an attribute of a shared module; it has been restored."""


@contextmanager
def restore_patched_modules() -> Iterator[None]:
    """On exit, restore every attribute of a shared module that was replaced inside.

    Raises:
        PatchedModule: something was replaced; the message says what.
    """
    before = {name: dict(vars(sys.modules[name])) for name in SHARED_MODULES if name in sys.modules}
    try:
        yield
    finally:
        replaced = [
            f"{name}.{attribute}"
            for name, attributes in before.items()
            for attribute, value in attributes.items()
            if vars(sys.modules[name]).get(attribute) is not value
        ]
        for name, attributes in before.items():
            vars(sys.modules[name]).update(attributes)
        if replaced:
            clear_all()
            # This replaces any other error, which may be a mere consequence.
            raise PatchedModule(
                f"Your file replaced {', '.join(replaced)}, which all other code uses too. It has "
                "been restored. Write functions of your own instead."
            )
