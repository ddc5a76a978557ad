"""Idioms about arrays: their methods, shapes, devices and gradients."""

import ast
import re

from minigpt_challenge.coach.grading.idioms.idiom import ARRAY, Idiom, Raised

JNP = "jax.numpy"
REDUCTIONS = "sum|mean|max|min|var|std|prod|norm|logsumexp"


def _has_three_axes(raised: Raised) -> bool:
    """Whether `.T` follows the name of an array with more than two axes."""
    names = re.findall(r"\b(\w+)\.T\b", raised.code)
    return any(getattr(raised.values.get(name), "ndim", 0) > 2 for name in names)


def _lacks_one_axis(raised: Raised) -> bool:
    """Whether one of the two shapes in the message is the other without one of its axes."""
    shapes = [
        [int(size) for size in re.findall(r"\d+", shape)]
        for shape in re.findall(r"\(([\d, ]*)\)", raised.text)
    ]
    if len(shapes) != 2:
        return False
    short, long = sorted(shapes, key=len)
    return any(long[:axis] + long[axis + 1 :] == short for axis in range(len(long)))


def _reduces_an_operand(raised: Raised) -> bool:
    """Whether an operand of the statement is a sum or the like over an axis that does not stay."""
    try:
        tree = ast.parse(raised.code)
    except SyntaxError:  # a part of a statement
        return False
    operands = [
        side
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp)
        for side in (node.left, node.right)
    ]
    return any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and re.fullmatch(REDUCTIONS, call.func.attr)
        and (call.args or call.keywords)
        and all(keyword.arg != "keepdims" for keyword in call.keywords)
        for call in operands
    )


def _sets_at_a_number(raised: Raised) -> bool:
    """Whether the statement has `.at[…].set(…)`, with a single number among the indices."""
    match = re.search(r"\.at\[([^\[\]]*)\]\s*\.set\(", raised.code)
    indices = match[1].split(",") if match else []
    values = [raised.values.get(index.strip()) for index in indices]
    return any(isinstance(value, int) or getattr(value, "ndim", None) == 0 for value in values)


def _method(name: str, example: str, instead: str) -> Idiom:
    return Idiom(example, instead, attribute=(ARRAY, name))


def _function(name: str, example: str, instead: str) -> Idiom:
    return Idiom(example, instead, attribute=(JNP, name))


DEVICES = "JAX puts arrays on the accelerator by itself, if there is one. Leave this out."
GRADIENTS = (
    "JAX has no `.backward()`: `jax.value_and_grad(loss_fn)(params, …)` returns the loss and the "
    "gradients with respect to `params`."
)

METHODS = (
    Idiom(
        "x.view(B, T, N, H)", "`view` is `reshape` in JAX.", raises=r"view\(\)", code=r"\.view\("
    ),
    Idiom(
        "x.transpose(-2, -1)",
        "JAX's `transpose` takes all axes in their new order. To swap two, call `swapaxes` with "
        "these two numbers; `x.mT` swaps the last two.",
        raises="transpose",
        code=r"\.transpose\(\s*-?\d+\s*,\s*-?\d+\s*\)",
    ),
    Idiom(
        "x @ x.T",
        "`.T` reverses all axes. To swap the last two, write `x.mT` or `x.swapaxes(-2, -1)`.",
        raises="matmul|contracting|shapes for broadcasting",
        code=r"\.T\b",
        when=_has_three_axes,
    ),
    Idiom(
        "x.size(0)",
        "`x.size` is the number of values, without parentheses. The sizes of the axes are in "
        "`x.shape`: `B, T, C = x.shape`.",
        raises="'int' object is not callable",
        code=r"\.size\(",
    ),
    Idiom(
        "B, T, C = x.shape()",
        "`x.shape` is a tuple: write it without parentheses.",
        raises="'tuple' object is not callable",
        code=r"\.shape\(",
    ),
    _method(
        "masked_fill",
        "x.masked_fill(x > 0, -1e9)",
        "`x.masked_fill(mask, value)` is `jnp.where(mask, value, x)` in JAX.",
    ),
    _method("contiguous", "x.contiguous()", "Arrays of JAX are contiguous: leave it out."),
    _method("to", 'x.to("cuda")', f"{DEVICES} To change the dtype, write `x.astype(…)`."),
    _method("cuda", "x.cuda()", DEVICES),
    _method("cpu", "x.cpu()", "`np.asarray(x)` gives a NumPy array."),
    _method("numpy", "x.numpy()", "`np.asarray(x)` gives a NumPy array."),
    _method("backward", "x.sum().backward()", GRADIENTS),
    _method(
        "detach", "x.detach()", "`x.detach()` is `jax.lax.stop_gradient(x)`; it is rarely needed."
    ),
    _method("float", "x.float()", "Write `x.astype(jnp.float32)`."),
    _method("long", "x.long()", "Write `x.astype(jnp.int32)`."),
    _method("unsqueeze", "x.unsqueeze(1)", "Write `x[:, None]` or `jnp.expand_dims(x, 1)`."),
    _method("permute", "x.permute(0, 2, 1)", "`permute` is `transpose` in JAX."),
    _method("expand", "x.expand(2, 3, 4)", "Write `jnp.broadcast_to(x, shape)`."),
    _method("softmax", "x.softmax(-1)", "Write `jax.nn.softmax(x, axis=-1)`."),
    _method("tril", "x.tril()", "Write `jnp.tril(x)`."),
    _method("topk", "x.topk(2)", "Write `jax.lax.top_k(x, k)`: it returns values and indices."),
    Idiom(
        "jax.jit(lambda x: x.sum().item())(x)",
        "Under `jax.jit` a value is not known yet, so leave `.item()` out: a number in JAX is an "
        "array of shape ().",
        raises="ConcretizationTypeError|TracerArrayConversionError",
        code=r"\.item\(\)",
    ),
    Idiom(
        "jax.jit(lambda x: float(x.sum()))(x)",
        "Under `jax.jit` a value is not known yet, so it cannot become a Python number: leave "
        "`float()` and `int()` out. A number in JAX is an array of shape ().",
        raises="arose with the `(float|int)` function",
    ),
    Idiom(
        "jax.jit(lambda i: jnp.arange(i, i + 3))(1)",
        "The length of an `arange` is a shape, which has to be known while JAX traces. To count "
        "from a value that is not, write `start + jnp.arange(T)`.",
        raises=r"jnp\.arange argument",
    ),
    Idiom(
        "jax.jit(lambda x, i: x.at[:, i].set(x[:, :1]))(x, 1)",
        "A single number as an index removes its axis. Several values in a row, from a position "
        "on, are written by `jax.lax.dynamic_update_slice_in_dim`.",
        raises="Cannot broadcast to shape with fewer dimensions|ncompatible shapes for broadcast",
        when=_sets_at_a_number,
    ),
    Idiom(
        "jax.lax.top_k(x, 12)",
        "No more values can be taken than there are: `min(k, x.shape[-1])`.",
        raises="k argument to top_k must be no larger",
    ),
    Idiom(
        "if x > 0: pass",
        "An array of several values is neither true nor false. To choose for each of them, write "
        "`jnp.where(condition, a, b)`.",
        raises="truth value of an array with more than one element",
    ),
    Idiom(
        "x[:, 0] = 0.0",
        "A JAX array cannot be changed in place. `x.at[index].set(value)` returns a changed copy; "
        "with a mask, `jnp.where(mask, value, x)` does.",
        raises=r"JAX arrays are immutable|(ArrayImpl|Tracer)' object does not support item",
    ),
)

FUNCTIONS = (
    Idiom(
        "jnp.ones(3, 3)",
        "A shape is one argument, a tuple: `jnp.ones((T, T))`.",
        raises=r"as a data type|(ones|zeros)\(\) takes",
        code=r"\.(ones|zeros)\(\s*[\w.\[\]-]+\s*,\s*[\w.\[\]-]+\s*[,)]",
    ),
    Idiom(
        "nn.softmax(x, dim=-1)",
        "PyTorch's `dim=` is `axis=` in JAX.",
        raises=rf"\b_?({REDUCTIONS}|(log_)?softmax|concatenate|stack|argmax|argmin|cumsum)\(\) got "
        "an unexpected keyword argument 'dim'",
    ),
    Idiom(
        "x.mean(axis=-1, keepdim=True)",
        "PyTorch's `keepdim=` is `keepdims=` in JAX.",
        raises=rf"\b_?({REDUCTIONS})\(\) got an unexpected keyword argument 'keepdim'",
    ),
    Idiom(
        "x / x.sum(axis=-1)",
        "A sum or mean over an axis removes that axis. With `keepdims=True` the axis stays, with "
        "size 1, and the result can be broadcast.",
        raises="ncompatible shapes for broadcasting|could not be broadcast together",
        when=lambda raised: _lacks_one_axis(raised) and _reduces_an_operand(raised),
    ),
    Idiom(
        "jnp.einsum('bth,bth->btt', x, x)",
        "Two axes need two letters, even if they have the same size: queries are at t, keys at s.",
        raises="appeared more than once in the output",
        code=r"\beinsum\(",
    ),
    _function("softmax", "jnp.softmax(x)", "Write `jax.nn.softmax`, which is `nn.softmax` too."),
    _function("relu", "jnp.relu(x)", "Write `jax.nn.relu`, which is `nn.relu` too."),
    _function("gelu", "jnp.gelu(x)", "Write `jax.nn.gelu`, which is `nn.gelu` too."),
    _function("cat", "jnp.cat([x, x])", "`cat` is `jnp.concatenate([…], axis=…)` in JAX."),
    _function("tensor", "jnp.tensor([1, 2])", "Write `jnp.array([…])`."),
    _function("masked_fill", "jnp.masked_fill(x)", "Write `jnp.where(mask, value, x)`."),
    _function(
        "multinomial",
        "jnp.multinomial(x, 1)",
        "`jax.random.categorical(key, logits)` draws from the logits; no softmax is needed.",
    ),
    _function(
        "random",
        "jnp.random.normal(3)",
        "Random numbers are in `jax.random`, and each call needs a key: "
        "`jax.random.normal(key, shape)`.",
    ),
    Idiom(
        "F.cross_entropy(x, tokens)",
        "In Optax it is `softmax_cross_entropy_with_integer_labels`, one loss for each label.",
        raises="NameError: name 'F' is not defined",
        code="cross_entropy",
    ),
    Idiom(
        "F.softmax(x, -1)",
        "PyTorch's functions of `F` are in `jax.nn`, which `flax.linen` has too: `nn.softmax`.",
        raises="NameError: name 'F' is not defined",
    ),
    Idiom(
        "jax.no_grad()",
        "There is nothing to switch off: JAX computes gradients only where `jax.grad` asks for it.",
        attribute=("jax", "no_grad"),
    ),
    Idiom(
        "jax.nn.scaled_dot_product_attention(x, x, x)",
        "JAX calls it `jax.nn.dot_product_attention`, and its arrays have the axes (B, T, N, H).",
        attribute=("jax.nn", "scaled_dot_product_attention"),
    ),
    Idiom(
        "torch.tril(x)",
        "The challenge uses JAX. Functions on arrays, such as `tril`, are in `jnp`; `softmax`, "
        "`relu` and the like are in `nn`; layers are in `nn` too, some under another name.",
        raises="name 'torch' is not defined|No module named 'torch'",
    ),
    Idiom(
        "jax.device_put(x, PartitionSpec('data'))",
        "A `PartitionSpec` names axes of a mesh, but does not say which mesh: "
        "`NamedSharding(mesh, PartitionSpec(…))` does.",
        raises="set a mesh|non-empty mesh in context",
    ),
    Idiom(
        "jax.jit(lambda x: jax.lax.pmean(x, 'data'))(x)",
        "A collective such as `pmean` needs the name of a mesh axis, which exists only inside "
        "`jax.shard_map`.",
        raises="unbound axis name",
    ),
    Idiom(
        "f = jax.jit(lambda x: x + 1, donate_argnums=0); f(x); x + 1",
        "An argument named in `donate_argnums` is given away: its memory holds the result now. Use "
        "the result, or do not donate it.",
        raises="Array has been deleted",
    ),
)

ROWS = (*METHODS, *FUNCTIONS)
