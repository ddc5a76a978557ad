"""What JAX's and Flax's own errors mean, in a learner's words."""

# By the name of the error's class, so that none of the libraries need be imported to look it up.
WORDS = {
    "TracerBoolConversionError": (
        "Under `jax.jit` the values are not known yet, only shapes and dtypes, so Python's `if`, "
        "`and` and `while` cannot decide by them. Use `jnp.where`, or decide by a shape."
    ),
    "TracerArrayConversionError": (
        "NumPy was given an array whose values are not known yet. Use `jnp` in place of `np`."
    ),
    "TracerIntegerConversionError": (
        "An index or a size must be known when JAX traces the function: take it from a shape."
    ),
    "ConcretizationTypeError": (
        "Under `jax.jit` the values are not known yet, only shapes and dtypes; something here "
        "wants a value."
    ),
    "UnexpectedTracerError": (
        "A value from inside a traced function was kept for later, in a global or on `self`. "
        "Return it instead."
    ),
    "ScopeParamShapeError": (
        "A layer got an input of another width than it should: its weights do not fit. Compare "
        "the shape before that line with the shape that the picture asks for."
    ),
    "ScopeParamNotFoundError": (
        "The file makes a layer that the given `setup` does not have, or gives one another name."
    ),
    "ScopeCollectionNotFound": (
        "The file makes a layer that the given `setup` does not have, or gives one another name."
    ),
    "CallUnboundModuleError": (
        "A module can be called only inside another module's `setup` and `__call__`, or through "
        "`init` and `apply`."
    ),
    "CallCompactUnboundModuleError": (
        "A module can be called only inside another module's `setup` and `__call__`, or through "
        "`init` and `apply`."
    ),
    "AssignSubModuleError": (
        "A submodule is made in `setup`, or in a `__call__` under `@nn.compact`; nowhere else."
    ),
    "SetAttributeFrozenModuleError": (
        "A module cannot be changed while it runs: set attributes in `setup` only, and keep what "
        "is computed in ordinary variables."
    ),
    "SetAttributeInModuleSetupError": (
        "Inside `setup`, the module's own fields (its sizes) cannot be set anew."
    ),
    "RecursionError": "Something calls itself without end.",
}


def meaning_of(error: BaseException) -> str:
    """What the error means, empty where there is nothing to add to what it says itself."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((WORDS[name] for name in names if name in WORDS), "")
