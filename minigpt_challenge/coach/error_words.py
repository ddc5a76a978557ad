"""What JAX's and Flax's own errors mean, in a learner's words."""

import re
from itertools import chain

# By the name of the error's class, so that none of the libraries need be imported to look it up.
WORDS = {
    "TracerBoolConversionError": (
        "Under `jax.jit` the values are not known yet, only shapes and dtypes, so Python's `if`, "
        "`and` and `while` cannot decide by them. Use `jnp.where`, or decide by a shape. "
        "Where only one of two computations should run, use `jax.lax.cond`."
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
        "A submodule is made in `setup`, or in a `__call__` under `@nn.compact`; nowhere else. Or "
        "are its brackets missing, as in `nn.LayerNorm()`?"
    ),
    "SetAttributeFrozenModuleError": (
        "A module cannot be changed while it runs: set attributes in `setup` only, and keep what "
        "is computed in ordinary variables."
    ),
    "SetAttributeInModuleSetupError": (
        "Inside `setup`, the module's own fields cannot be set anew: neither its sizes nor `name` "
        "and `parent`, which every Flax module has. Take another name."
    ),
    "TraceContextError": (
        "A module of NNX was changed inside a function of JAX's own, such as `jax.jit` or "
        "`jax.grad`: take the one of the same name from `nnx`."
    ),
    "RecursionError": "Something calls itself without end.",
}


# By a part of what the error says, for errors that are a plain TypeError or ValueError. A wording
# may change with the library; then the error stands there without an explanation.
PHRASES = {
    "must have static start/stop/step": (
        "Under `jax.jit` that place is not known yet, so no slice can name it. Write there with "
        "`jax.lax.dynamic_update_slice_in_dim`, read with `jax.lax.dynamic_slice_in_dim`."
    ),
    "must have equal output types": (
        "Both functions of `jax.lax.cond` must return the same: as many things, in the same order, "
        "of the same shapes and dtypes."
    ),
    "carry input and carry output must have": (
        "What `step` returns as the carry must have the shapes and dtypes of what it got."
    ),
    "for matmul": (
        "The last axis of the left array and the last but one of the right are summed over, so "
        "they must be of one size. Write both shapes beside the line."
    ),
    "requires contracting dimensions": (
        "The axes that are summed over must be of one size. Write both shapes beside the line."
    ),
    "shapes for broadcasting": (
        "Two arrays meet whose shapes do not fit: from the last axis backwards, sizes must be "
        "equal, or one of them 1. Write both shapes beside the line."
    ),
    "Einstein sum subscript": (
        "In an einsum each operand has as many letters as it has axes: compare with its shape."
    ),
    "KeyError: ','": "Is there a comma too many in an einsum? Commas stand between operands only.",
    "Gradient only defined for scalar-output": (
        "`jax.grad` wants a function that returns one number: what is the loss of a whole batch?"
    ),
    "Expected a callable": (
        "A function is wanted here, and a value came. Hand over the function itself, without "
        "calling it; then call what you get back."
    ),
    "Array.__contains__": (
        "An array came where a tree of gradients was wanted. `jax.value_and_grad` gives the value "
        "first, the gradients second."
    ),
    "subdtype of <class 'numpy.floating'>": (
        "Integers came where logits were wanted: the logits come first, the labels second."
    ),
    "NameError": "Is a `self.`, or an import, missing before the name?",
    "__init__() takes 1 positional argument": (
        "A Flax module gets its `__init__` from the fields at its top; submodules are made in "
        "`setup`."
    ),
    "__init__() takes ": (
        "The fields at the top of a Flax module are its arguments: is one of them missing?"
    ),
    'has no attribute "__call__"': (
        "Is its `def __call__` missing, or indented so that it belongs to something else?"
    ),
    "'tuple' object is not callable": (
        "A list of modules made in `setup` becomes a tuple: call its members, one by one."
    ),
    "1D sequences of concrete values of integer type": (
        "A size has to be an integer: `//` divides to an integer, `/` to a float."
    ),
    "Subscripts can only contain one '->'": "An einsum has one arrow, written `->`.",
    "lists must contain either Ellipsis or": (
        "In `jnp.einsum` the letters come first, then the arrays."
    ),
    "object has no attribute 'dtype'": "An array is wanted here; `jnp.arange(T)` counts up to T.",
    "unsupported format string passed to": (
        "Under `jax.jit` a value is not known yet, so it cannot be printed: `jax.debug.print` can."
    ),
    "assigned to static attribute": (
        "NNX wants to be told which lists hold modules: `nnx.Sequential(*blocks)` holds them, and "
        "keeps them in `.layers`; so does `nnx.List(blocks)`."
    ),
    "required keyword-only argument: 'rngs'": (
        "In NNX a layer makes its weights at once: hand it random numbers, `rngs=rngs`."
    ),
    "required positional argument: 'num_features'": (
        "In NNX a norm has to be told the width of what it will norm."
    ),
    "required positional argument: 'out_features'": (
        "An `nnx.Linear` wants two widths: of what comes in, and of what goes out."
    ),
    "has no attribute 'apply'": (
        "A model of NNX holds its weights and has no `apply`: call it, as in `model(x)`."
    ),
    "apply_gradients() takes 1 positional": "It wants a keyword: `grads=…`.",
}


def said_by(error: BaseException) -> str:
    """What the error says; empty where it fails to, as a learner's own may."""
    try:
        return str(error)
    except Exception:
        return ""


def in_one_line(error: BaseException) -> str:
    """The error's kind and the first line of what it says, without the address of a manual."""
    said = re.sub(r" \(https?://\S+\)", "", said_by(error).strip().split("\n")[0])
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def meaning_of(error: BaseException) -> str:
    """What the error means, empty where there is nothing to add to what it says itself."""
    names = [kind.__name__ for kind in type(error).__mro__]
    by_name = (WORDS[name] for name in names if name in WORDS)
    said = f"{names[0]}: {said_by(error)}"
    by_phrase = (words for phrase, words in PHRASES.items() if phrase in said)
    return next(chain(by_name, by_phrase), "")
