"""What common errors of Python, JAX, Flax and Optax mean: the sentences that learners read."""

_NO_KEYBOARD = (
    "A check has no keyboard: nothing in the file can ask for input, or wait at a `breakpoint()`. "
    "To see values, use `print`, or under `jax.jit` `jax.debug.print`."
)

# By the name of the error's class, so that looking it up imports none of the libraries.
BY_CLASS = {
    "TracerBoolConversionError": (
        "While `jax.jit` traces a function, only shapes and dtypes are known, so Python's `if`, "
        "`and` and `while` cannot depend on values. To choose between values, use `jnp.where`; to "
        "run only one of two computations, use `jax.lax.cond`. Conditions on shapes are fine."
    ),
    "TracerArrayConversionError": (
        "A NumPy function got an array whose values are not known while JAX traces. Use `jnp` "
        "instead of `np`."
    ),
    "TracerIntegerConversionError": (
        "An index or a size must be known while JAX traces the function: take it from a shape."
    ),
    "ConcretizationTypeError": (
        "While `jax.jit` traces a function, only shapes and dtypes are known, but here a value is "
        "needed."
    ),
    "UnexpectedTracerError": (
        "A value from inside a traced function was stored outside it, in a global or on `self`. "
        "Return it instead."
    ),
    "ScopeParamShapeError": (
        "A layer's weights were made in the second of the shapes below; for this input they would "
        "have the first. Is its width another one, or does a size depend on it?"
    ),
    **dict.fromkeys(
        ["ScopeParamNotFoundError", "ScopeCollectionNotFound"],
        "The file creates a layer that the given `setup` does not have, or gives one another name.",
    ),
    **dict.fromkeys(
        ["CallUnboundModuleError", "CallCompactUnboundModuleError"],
        "A module can be called only inside another module's `setup` and `__call__`, or through "
        "`init` and `apply`.",
    ),
    "AssignSubModuleError": (
        "Create layers in `setup`, or in a `__call__` with `@nn.compact` above it, and nowhere "
        "else. A layer is created by calling its class: `nn.LayerNorm()`, with parentheses."
    ),
    "SetAttributeFrozenModuleError": (
        "A module cannot be changed while it runs: set attributes in `setup` only, and store "
        "computed values in local variables."
    ),
    "SetAttributeInModuleSetupError": (
        "`setup` cannot assign to the module's own fields: neither to its sizes nor to `name` and "
        "`parent`, which every Flax module has. Use another name."
    ),
    "TraceContextError": (
        "An NNX module was changed inside a transformation of JAX, such as `jax.jit` or "
        "`jax.grad`: use the one of the same name from `nnx`."
    ),
    "ApplyScopeInvalidVariablesStructureError": (
        "The dictionary that `model.init` returned already has the key 'params': pass it to "
        "`apply` as it is."
    ),
    "BdbQuit": _NO_KEYBOARD,
    "FrozenInstanceError": (
        "This object cannot be changed. For a `TrainState`, `state.apply_gradients(grads=…)` "
        "returns a new one: return that."
    ),
    "RecursionError": "A function calls itself without end.",
}

# How JAX names the type of a function, of a method such as `model.apply`, of a compiled function.
_FUNCTIONS = ("<class 'function'>", "<class 'method'>", "<class 'jaxlib._jax.PjitFunction'>")

# By a part of "class: message", for errors that are a plain TypeError or ValueError. A library may
# change its wording; then the error is shown without an explanation.
BY_PHRASE = {
    **dict.fromkeys(
        ["must have static start/stop/step", "Slice entries must be static integers"],
        "Under `jax.jit` the bounds of this slice are not known yet. To write there, use "
        "`jax.lax.dynamic_update_slice_in_dim`; to read, `jax.lax.dynamic_slice_in_dim`.",
    ),
    "must have equal output types": (
        "Both functions of `jax.lax.cond` must return the same number of values, in the same "
        "order, with the same shapes and dtypes."
    ),
    "carry input and carry output must have": (
        "`step` returns two values, the carry and an output. The carry must have the structure, "
        "the shapes and the dtypes of the one that it got."
    ),
    "for matmul": (
        "The last axis of the left array and the second to last of the right are summed over, so "
        "they must have the same size."
    ),
    "requires contracting dimensions": "The axes that are summed over must have the same size.",
    "and requested type=": (
        "An array stands where one of another shape is needed: the message has both shapes. (A "
        "kernel has the shape (in, out) in Linen as in NNX, so it is never transposed.)"
    ),
    "incompatible with its sharding annotation": (
        "An argument cannot be split as `in_shardings` says. There is one sharding for each "
        "argument: the state is whole on every device, only x and y are split by rows."
    ),
    "shapes for broadcasting": (
        "The shapes of two arrays do not fit together: from the last axis backwards, sizes must be "
        "equal, or one of them 1."
    ),
    "cannot reshape array": (
        "A reshape keeps the number of values: the product of the new sizes must be that of the "
        "old ones. Is each letter the size that you mean?"
    ),
    "Einstein sum subscript": (
        "In an einsum each operand has as many letters as it has axes: compare its letters with "
        "its shape."
    ),
    "KeyError: ','": "Is there an extra comma in an einsum? Commas go between operands only.",
    "Gradient only defined for scalar-output": (
        "`jax.grad` needs a function that returns one number and nothing else. What is the loss of "
        "a whole batch?"
    ),
    "np.inexact), but got int": (
        "A gradient is taken with respect to floats, but this argument holds integers. Is it a "
        "whole state, or x? Take the gradient with respect to the params alone; `allow_int` is not "
        "what you need."
    ),
    "argument of type 'TrainState' is not": (
        "Params, or gradients of the same structure, were expected, but a `TrainState` was passed. "
        "Is the gradient taken with respect to `state.params`, or to the whole state?"
    ),
    "with a float0 array": (
        "A float0 array stands for the gradient with respect to integers, which does not exist. "
        "Take the gradient with respect to the params alone, without `allow_int`."
    ),
    "aux output to return a two-element tuple": (
        "`has_aux=True` is for a function that returns (loss, more). If yours returns only the "
        "loss, leave it out."
    ),
    **dict.fromkeys(
        [f"value is of type {function}" for function in _FUNCTIONS],
        "A function under `jax.jit` takes arrays and trees of arrays, but this one got a function. "
        "If it is `loss_fn`, leave it undecorated: `train_step` compiles whatever it calls.",
    ),
    **dict.fromkeys(
        [f"of type {function} is not a valid JAX type" for function in _FUNCTIONS],
        "JAX expects arrays or trees of arrays here, not a function. If this is a gradient, take "
        "it with respect to the params alone; `apply_fn` is a separate argument.",
    ),
    "Expected a callable": (
        "A function is expected here, but a value was passed. Pass the function itself, without "
        "calling it; then call the function that you get back."
    ),
    "Array.__contains__": (
        "A tree of gradients was expected, but an array was passed. `jax.value_and_grad` returns "
        "the value first, the gradients second. Are they taken with respect to the params?"
    ),
    "subdtype of <class 'numpy.floating'>": (
        "Logits were expected, but integers were passed: the logits come first, the labels second."
    ),
    "NameError": "Is `self.` missing before the name, or an import?",
    "__init__() takes 1 positional argument": (
        "Flax makes a module's `__init__` from the fields at the top of its class; create "
        "submodules in `setup`."
    ),
    "__init__() takes ": (
        "The fields at the top of a Flax module are its arguments: is there one too few, or one "
        "too many?"
    ),
    'has no attribute "__call__"': (
        "Is `def __call__` missing, or indented so that it belongs to something else?"
    ),
    "1D sequences of concrete values of integer type": (
        "A size must be an integer: `//` divides to an integer, `/` to a float."
    ),
    "Subscripts can only contain one '->'": "An einsum has one arrow, written `->`.",
    "lists must contain either Ellipsis or": (
        "In `jnp.einsum` the letters come first, then the arrays."
    ),
    "object has no attribute 'dtype'": (
        "An array is expected here; `jnp.arange(T)` holds the integers from 0 to T - 1."
    ),
    "reading from stdin while output is captured": _NO_KEYBOARD,
    "unsupported format string passed to": (
        "Under `jax.jit` a value is not known yet, so Python cannot print it: use "
        "`jax.debug.print`."
    ),
    "assigned to static attribute": (
        "NNX must know which lists hold modules. Use `nnx.List(blocks)`, or "
        "`nnx.Sequential(*blocks)`, which stores them in `.layers`."
    ),
    "required keyword-only argument: 'rngs'": (
        "An NNX layer creates its weights at once, so it needs random numbers: pass `rngs=rngs`."
    ),
    "required positional argument: 'num_features'": (
        "A normalization layer of NNX needs the width of its input."
    ),
    "required positional argument: 'out_features'": (
        "`nnx.Linear` needs two widths: of its input and of its output."
    ),
    "has no attribute 'apply'": (
        "An NNX model holds its weights and has no `apply`: call it, as in `model(x)`."
    ),
    "apply_gradients() takes 1 positional": "It takes a keyword argument: `grads=…`.",
}

# By a phrase as above, and the function of Optax in which the error was raised.
BY_OPTAX_FUNCTION = {
    ("softmax_cross_entropy", "shapes for broadcasting"): (
        "`optax.softmax_cross_entropy` expects labels of the logits' shape, such as one-hot ones. "
        "For integer labels use `optax.softmax_cross_entropy_with_integer_labels`."
    ),
}
