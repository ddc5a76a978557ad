"""Idioms about modules, parameters and optimizers."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from minigpt_challenge.coach.grading.idioms.arrays import GRADIENTS
from minigpt_challenge.coach.grading.idioms.idiom import Idiom, Raised

LINEN, NNX = "flax.linen", "flax.nnx"
LAYERS = "Dense|Embed|Linear|LayerNorm"


def _is_a_method_forward(raised: Raised) -> bool:
    owner = getattr(raised.error, "obj", None)
    return getattr(raised.error, "name", "") == "__call__" and hasattr(owner, "forward")


def _is_of_an_optimizer(raised: Raised) -> bool:
    return "GradientTransformation" in type(getattr(raised.error, "obj", None)).__name__


def _is_read_only(raised: Raised) -> bool:
    """Whether the statement sets a field of a named tuple."""
    match = re.match(r"\s*(\w+)\.\w+\s*=[^=]", raised.code)
    value: Any = raised.values.get(match[1]) if match else None
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _has_params_inside(raised: Raised) -> bool:
    """Whether the missing key is asked of a tree that has only the key "params"."""
    key = re.escape(repr(raised.error.args[0])[1:-1]) if raised.error.args else ""
    names = re.findall(rf"\b(\w+)\[['\"]{key}['\"]\]", raised.code)
    trees = [raised.values.get(name) for name in names]
    return any(isinstance(tree, Mapping) and list(tree) == ["params"] for tree in trees)


def _linen(name: str, example: str, instead: str) -> Idiom:
    return Idiom(example, instead, attribute=(LINEN, name))


def _is_local_to_setup(raised: Raised) -> bool:
    """Whether a local variable of `setup` is used in another method."""
    setup = getattr(type(raised.values.get("self")), "setup", None)
    code = getattr(inspect.unwrap(setup), "__code__", None) if setup else None
    return code is not None and getattr(raised.error, "name", None) in code.co_varnames


def _calls_a_tuple(raised: Raised) -> bool:
    """Whether an attribute of the module that is a tuple is called."""
    names = re.findall(r"\bself\.(\w+)\(", raised.code)
    return any(isinstance(getattr(raised.values.get("self"), n, None), tuple) for n in names)


def _calls_apply_with_an_array_first(raised: Raised) -> bool:
    names = re.findall(r"\bapply(?:_fn)?\(\s*(\w+)\s*,", raised.code)
    return any(hasattr(raised.values.get(name), "aval") for name in names)


LISTS = (
    "In Linen a plain list of modules, assigned in `setup`, is enough: "
    "`self.blocks = [Block() for _ in range(n)]`."
)
LOSS = "Optax has the loss functions: `optax.softmax_cross_entropy_with_integer_labels(logits, y)`."

NAMES = (
    _linen(
        "Embedding",
        "nn.Embedding(5, 4)",
        "`nn.Embedding` is `nn.Embed(num_embeddings, features)` in Flax.",
    ),
    _linen(
        "Linear",
        "nn.Linear(4, 3)",
        "`nn.Linear` is `nn.Dense(features)` in Linen: it finds the width of its input by itself.",
    ),
    _linen("ModuleList", "nn.ModuleList([])", LISTS),
    _linen("ReLU", "nn.ReLU()", "`ReLU` is a function in Flax: `nn.relu(x)`."),
    _linen("GELU", "nn.GELU()", "`GELU` is a function in Flax: `nn.gelu(x)`."),
    _linen(
        "Softmax", "nn.Softmax(-1)", "`Softmax` is a function in Flax: `nn.softmax(x, axis=-1)`."
    ),
    _linen("functional", "nn.functional.relu", "Flax has the functions in `nn` itself: `nn.relu`."),
    _linen("CrossEntropyLoss", "nn.CrossEntropyLoss()", LOSS),
    _linen(
        "Parameter",
        "nn.Parameter(x)",
        "In Linen a parameter is made in `setup` by `self.param(name, init_fn, shape)`.",
    ),
    Idiom(
        "nnx.Embedding(5, 4)",
        "`Embedding` is `nnx.Embed(num_embeddings, features, rngs=rngs)` in Flax.",
        attribute=(NNX, "Embedding"),
    ),
    Idiom(
        "nnx.Dense(3)",
        "Linen's `Dense` is `nnx.Linear(in_features, out_features, rngs=rngs)` in NNX.",
        attribute=(NNX, "Dense"),
    ),
    Idiom(
        "nnx.ModuleList([])",
        "`ModuleList` is `nnx.List([…])` in NNX; a plain list does in older versions.",
        attribute=(NNX, "ModuleList"),
    ),
    Idiom(
        "optax.Adam(0.1)",
        "Optax's optimizers are functions: `optax.adam(learning_rate)`.",
        attribute=("optax", "Adam"),
    ),
)

MODULES = (
    Idiom(
        """
        class M(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.dense = nn.Dense(width)
        M(4).init(key, x)
        """,
        "A Linen module has no `__init__` of its own: its arguments are the fields at the top of "
        "the class, and its layers are made in `setup`.",
        raises="IncorrectPostInitOverrideError",
    ),
    Idiom(
        """
        class M(nn.Module):
            def forward(self, x):
                return x
        M().init(key, x)
        """,
        "In Flax the method is called `__call__`, not `forward`.",
        when=_is_a_method_forward,
    ),
    Idiom(
        """
        class NNXModel(nnx.Module):
            def forward(self, x):
                return x
        NNXModel()(x)
        """,
        "There is no `__call__`. In Flax the method is called that, not `forward`.",
        raises=r"TypeError: 'NNX\w+' object is not callable",
    ),
    Idiom(
        "for block in nnx.Sequential(nnx.Linear(3, 3, rngs=nnx.Rngs(0))): pass",
        "The layers of a `Sequential` are in its `.layers`.",
        raises="'Sequential' object is not (iterable|subscriptable)",
    ),
    Idiom(
        "nn.Dense(3, bias=False)",
        "Flax calls it `use_bias`.",
        raises="unexpected keyword argument 'bias'",
    ),
    Idiom(
        "nn.Embed(5, 4)[tokens]",
        "A layer is called, as in `self.layer(tokens)`.",
        raises=rf"'({LAYERS})' object is not subscriptable",
    ),
    Idiom(
        "x @ nn.Dense(4)",
        "A layer is called, as in `self.query(x)`: it multiplies by its weights.",
        raises=rf"unsupported operand.*'({LAYERS})'",
    ),
    Idiom(
        """
        class M(nn.Module):
            def setup(self):
                self.blocks = []
                self.blocks.append(nn.Dense(4))
            def __call__(self, x):
                return x
        M().init(key, x)
        """,
        "Linen turns a list into a tuple when it is assigned in `setup`. Make the whole list at "
        "once: `self.blocks = [Block() for _ in range(n)]`.",
        raises="'tuple' object has no attribute 'append'",
        code=r"self\.\w+\.append\(",
    ),
    Idiom(
        """
        class M(nn.Module):
            def setup(self):
                tok = nn.Dense(4)
            def __call__(self, x):
                return tok(x)
        M().init(key, x)
        """,
        "A layer made in `setup` is kept only if it is assigned to `self`, as in "
        "`self.layer = nn.Dense(…)`.",
        raises="NameError",
        when=_is_local_to_setup,
    ),
    Idiom(
        """
        class M(nn.Module):
            def setup(self):
                self.blocks = [nn.Dense(4), nn.Dense(4)]
            def __call__(self, x):
                return self.blocks(x)
        M().init(key, x)
        """,
        "Linen turns a list of modules in `setup` into a tuple: call its modules one by one.",
        raises="'tuple' object is not callable",
        when=_calls_a_tuple,
    ),
    Idiom(
        """
        class M(nn.Module):
            def setup(self):
                self.blocks = nn.Sequential(*[nn.Dense(4), nn.Dense(4)])
            def __call__(self, x):
                return self.blocks(x)
        M().init(key, x)
        """,
        "Linen's `nn.Sequential` takes one list, without the `*`: `nn.Sequential([a, b])`.",
        raises=r"__init__\(\) takes|'layers' must be a sequence",
        code=r"\bnn\.Sequential\(\s*[^\[\s]",  # anything but a list
    ),
    Idiom(
        """
        class M(nn.Module):
            def setup(self):
                self.register_buffer("positions", jnp.arange(3))
            def __call__(self, x):
                return x
        M().init(key, x)
        """,
        "A constant needs no buffer in JAX: compute it where it is used.",
        raises="has no attribute .register_buffer",
    ),
    Idiom(
        "tree = nn.Dense(3).init(key, x); tree['kernel']",
        "What `init` returned has one key, 'params', and the layers are inside: "
        '`params["params"]`.',
        raises="KeyError",
        when=_has_params_inside,
    ),
)

TRAINING = (
    Idiom(
        "nnx.Optimizer(nnx.Linear(3, 3, rngs=nnx.Rngs(0)), optax.sgd(0.1), wrt=nnx.Param)"
        ".update({})",
        "The model comes first, then the gradients: `optimizer.update(model, grads)`.",
        raises="Missing required argument `grads`|missing 1 required positional argument: 'grads'",
        code=r"\.update\(",
    ),
    Idiom("optax.sgd(0.1).zero_grad()", GRADIENTS, when=_is_of_an_optimizer, code=r"\.zero_grad\("),
    Idiom(
        "optax.sgd(0.1).step()",
        "With a `TrainState`, `state.apply_gradients(grads=grads)` returns the state after a step.",
        when=_is_of_an_optimizer,
        code=r"\.step\(",
    ),
    Idiom(
        "optax.adam(lr=0.1)",
        "Optax calls it `learning_rate`.",
        raises=r"\b(sgd|adam|adamw|lion|muon)\(\) got an unexpected keyword argument 'lr'",
    ),
    Idiom(
        "params - 0.1 * params",
        "Params and gradients are trees of arrays. `jax.tree.map(lambda p, g: …, params, grads)` "
        "computes for each pair of arrays; the optimizer does it for you.",
        raises=r"unsupported operand type\(s\) for .*'(dict|State)'",
    ),
    Idiom(
        "nn.Dense(3).apply(x, params)",
        "The params come first: `apply_fn(params, x)`.",
        raises=r"Array\.__contains__|ApplyScopeInvalidVariablesTypeError|attribute 'items'",
        when=_calls_apply_with_an_array_first,
    ),
    Idiom(
        """
        cache = KeyValueCache(x, x)
        cache.key = x
        """,
        "A named tuple cannot be changed: make a new one, `KeyValueCache(key, value)`.",
        raises="can't set attribute",
        when=_is_read_only,
    ),
    Idiom(
        "raise NotImplementedError",
        "This line stands for code to be written. Is it below? Then delete the line, since nothing "
        "below it is reached.",
        raises="NotImplementedError",
        code="^raise NotImplementedError",
    ),
)

ROWS = (*NAMES, *MODULES, *TRAINING)
