"""What errors of Python, JAX, Flax and Optax mean to a learner: a table of sentences."""

from itertools import chain
from pathlib import Path
from traceback import walk_tb

from minigpt_challenge.coach.runtime.error_text import message_text

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
    "ApplyScopeInvalidVariablesStructureError": (
        "What `model.init` returned has the key 'params' inside: hand it to `apply` as it is."
    ),
    "FrozenInstanceError": (
        "This cannot be changed. A `TrainState` has `state.apply_gradients(grads=…)`, which "
        "returns a new one: return that."
    ),
    "RecursionError": "Something calls itself without end.",
}


# How JAX names the type of a function, of a method such as `model.apply`, of a compiled function.
FUNCTIONS = ("<class 'function'>", "<class 'method'>", "<class 'jaxlib._jax.PjitFunction'>")

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
        "`jax.grad` wants a function that returns one number, and nothing beside it: what is the "
        "loss of a whole batch?"
    ),
    "np.inexact), but got int": (
        "A gradient is taken with respect to floats, and this holds integers: is it a whole state, "
        "or x? Take it with respect to the params alone; `allow_int` is not what you need."
    ),
    "argument of type 'TrainState' is not": (
        "A `TrainState` came where the params, or gradients like them, were wanted. Is the "
        "gradient taken with respect to `state.params`, or to the whole state?"
    ),
    "with a float0 array": (
        "A float0 stands for the gradient with respect to integers, and there is none. Take it "
        "with respect to the params alone, without `allow_int`."
    ),
    "aux output to return a two-element tuple": (
        "`has_aux=True` is for a function that returns (loss, more). If yours returns the loss "
        "alone, leave it out."
    ),
    **dict.fromkeys(
        [f"value is of type {function}" for function in FUNCTIONS],
        "A function under `jax.jit` takes arrays, and trees of them; this one got a function. If "
        "it is `loss_fn`, leave it undecorated: `train_step` compiles what it calls.",
    ),
    **dict.fromkeys(
        [f"of type {function} is not a valid JAX type" for function in FUNCTIONS],
        "JAX takes arrays, and trees of them, and a function came. If a gradient is taken: it is "
        "with respect to the params alone, and `apply_fn` is an argument of its own.",
    ),
    "Expected a callable": (
        "A function is wanted here, and a value came. Hand over the function itself, without "
        "calling it; then call what you get back."
    ),
    "Array.__contains__": (
        "An array came where a tree of gradients was wanted. `jax.value_and_grad` gives the value "
        "first, the gradients second. Is it the params that they are taken with respect to?"
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


# The same, by the function of Optax in which it was raised as well.
IN_OPTAX = {
    ("softmax_cross_entropy", "shapes for broadcasting"): (
        "`optax.softmax_cross_entropy` wants labels of the logits' shape, such as one-hot ones. "
        "For integers there is `optax.softmax_cross_entropy_with_integer_labels`."
    ),
}


def explanation_of(error: BaseException) -> str:
    """What the error means, empty where there is nothing to add to what it says itself."""
    names = [kind.__name__ for kind in type(error).__mro__]
    by_name = (WORDS[name] for name in names if name in WORDS)
    said = f"{names[0]}: {message_text(error)}"
    in_optax = {
        frame.f_code.co_name
        for frame, _ in walk_tb(error.__traceback__)
        if "optax" in Path(frame.f_code.co_filename).parts
    }
    by_function = (
        words
        for (function, phrase), words in IN_OPTAX.items()
        if function in in_optax and phrase in said
    )
    by_phrase = (words for phrase, words in PHRASES.items() if phrase in said)
    return next(chain(by_name, by_function, by_phrase), "")
