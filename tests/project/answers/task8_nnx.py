"""Answers to task 8."""

from tests.project.answers.bank import right, wrong

TOP = """
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
"""

GIVEN = """

class NNXAttention(nnx.Module):
    def __init__(self, num_heads, head_dim, in_features, *, rngs):
        self.num_heads = num_heads
        self.head_dim = head_dim
        width = num_heads * head_dim
        self.query = nnx.Linear(in_features, width, use_bias=False, rngs=rngs)
        self.key = nnx.Linear(in_features, width, use_bias=False, rngs=rngs)
        self.value = nnx.Linear(in_features, width, use_bias=False, rngs=rngs)
        self.dense = nnx.Linear(width, width, rngs=rngs)

    def __call__(self, x):
        B, T, _ = x.shape
        heads = (B, T, self.num_heads, self.head_dim)
        q, k, v = (layer(x).reshape(heads) for layer in (self.query, self.key, self.value))
        scores = jnp.einsum("BTNH,BSNH->BNTS", q, k) / self.head_dim**0.5
        visible = jnp.tril(jnp.ones((T, T), dtype=bool))
        weights = nnx.softmax(jnp.where(visible, scores, -jnp.inf), axis=-1)
        mixed = jnp.einsum("BNTS,BSNH->BTNH", weights, v)
        return self.dense(mixed.reshape(B, T, -1))


class NNXFeedForward(nnx.Module):
    def __init__(self, hidden_dim, *, rngs):
        self.up = nnx.Linear(hidden_dim, 4 * hidden_dim, rngs=rngs)
        self.down = nnx.Linear(4 * hidden_dim, hidden_dim, rngs=rngs)

    def __call__(self, x):
        return self.down(nnx.relu(self.up(x)))
"""

MODEL = """

class NNXEmbedding(nnx.Module):
    def __init__(self, vocab_size, block_size, hidden_dim, *, rngs):
        self.longest = block_size
        self.wpe = nnx.Embed(block_size, hidden_dim, rngs=rngs)
        self.wte = nnx.Embed(vocab_size, hidden_dim, rngs=rngs)

    def __call__(self, idx):
        B, T = idx.shape
        if T > self.longest:
            raise ValueError("too long")
        here = jnp.arange(T)
        return self.wte(idx) + self.wpe(here)


class NNXDecoderBlock(nnx.Module):
    def __init__(self, hidden_dim, num_heads, *, rngs):
        if hidden_dim % num_heads:
            raise ValueError("uneven heads")
        size = hidden_dim // num_heads
        self.attn = NNXAttention(num_heads, size, hidden_dim, rngs=rngs)
        self.ff = NNXFeedForward(hidden_dim, rngs=rngs)
        self.ln1 = nnx.LayerNorm(hidden_dim, rngs=rngs)
        self.ln2 = nnx.LayerNorm(hidden_dim, rngs=rngs)

    def __call__(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.ff(self.ln2(x))


class NNXMiniGPT(nnx.Module):
    def __init__(self, vocab_size, hidden_dim, block_size, num_layers, num_heads, *, rngs):
        self.embed = NNXEmbedding(vocab_size, block_size, hidden_dim, rngs=rngs)
        layers = [NNXDecoderBlock(hidden_dim, num_heads, rngs=rngs) for _ in range(num_layers)]
        self.layers = nnx.Sequential(*layers)
        self.ln = nnx.LayerNorm(hidden_dim, rngs=rngs)
        self.head = nnx.Linear(hidden_dim, vocab_size, rngs=rngs)

    def __call__(self, idx):
        h = self.embed(idx)
        h = self.layers(h)
        h = self.ln(h)
        return self.head(h)
"""

LOAD = """

def linear(layer, weights):
    layer.kernel[...] = weights["kernel"]
    if "bias" in weights:
        layer.bias[...] = weights["bias"]


def norm(layer, weights):
    layer.scale[...] = weights["scale"]
    layer.bias[...] = weights["bias"]


def load_block(block, weights):
    attn = weights["attention"]
    linear(block.attn.query, attn["query"])
    linear(block.attn.key, attn["key"])
    linear(block.attn.value, attn["value"])
    linear(block.attn.dense, attn["dense"])
    linear(block.ff.up, weights["feed_forward"]["up"])
    linear(block.ff.down, weights["feed_forward"]["down"])
    norm(block.ln1, weights["attention_norm"])
    norm(block.ln2, weights["feed_forward_norm"])


def load_linen_params(model, params):
    tree = params["params"]
    tables = tree["embedding"]
    model.embed.wte.embedding[...] = tables["token_embedding"]["embedding"]
    model.embed.wpe.embedding[...] = tables["position_embedding"]["embedding"]
    for i, block in enumerate(model.layers.layers):
        load_block(block, tree[f"blocks_{i}"])
    norm(model.ln, tree["norm"])
    linear(model.head, tree["dense"])
"""

STEPS = """

def nnx_loss_fn(model, x, y):
    logits = model(x)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
    return losses.mean()


@nnx.jit
def nnx_train_step(model, optimizer, x, y):
    loss, grads = nnx.value_and_grad(nnx_loss_fn)(model, x, y)
    optimizer.update(model, grads)
    return loss


@nnx.jit
def nnx_eval_step(model, x, y):
    return nnx_loss_fn(model, x, y)
"""

FILE = TOP + GIVEN + MODEL + LOAD + STEPS


def edited(*edits: tuple[str, str]) -> str:
    """The file with pieces replaced; each must occur exactly once."""
    text = FILE
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


SUM = "self.wte(idx) + self.wpe(here)"
HERE = "here = jnp.arange(T)"
TOO_LONG = '        if T > self.longest:\n            raise ValueError("too long")\n'
UNEVEN = '        if hidden_dim % num_heads:\n            raise ValueError("uneven heads")\n'
FIRST = "        x = x + self.attn(self.ln1(x))\n"
SECOND = "        return x + self.ff(self.ln2(x))\n"
NORM_2 = "        self.ln2 = nnx.LayerNorm(hidden_dim, rngs=rngs)\n"
LAYERS = "[NNXDecoderBlock(hidden_dim, num_heads, rngs=rngs) for _ in range(num_layers)]"
HELD = "self.layers = nnx.Sequential(*layers)"
THROUGH = "h = self.layers(h)"
FINAL_NORM = "        self.ln = nnx.LayerNorm(hidden_dim, rngs=rngs)\n"
NORMED = "        h = self.ln(h)\n"
HEAD = "nnx.Linear(hidden_dim, vocab_size, rngs=rngs)"
LOGITS = "return self.head(h)"

KERNEL = 'layer.kernel[...] = weights["kernel"]'
BIAS = '    if "bias" in weights:\n        layer.bias[...] = weights["bias"]\n'
SCALE = 'layer.scale[...] = weights["scale"]\n    layer.bias[...] = weights["bias"]\n'
QUERY = 'linear(block.attn.query, attn["query"])'
KEY = 'linear(block.attn.key, attn["key"])'
VALUE = 'linear(block.attn.value, attn["value"])'
NORMS = """\
    norm(block.ln1, weights["attention_norm"])
    norm(block.ln2, weights["feed_forward_norm"])
"""
TOKENS = '    model.embed.wte.embedding[...] = tables["token_embedding"]["embedding"]\n'
POSITIONS = '    model.embed.wpe.embedding[...] = tables["position_embedding"]["embedding"]\n'
LOOP = """\
    for i, block in enumerate(model.layers.layers):
        load_block(block, tree[f"blocks_{i}"])
"""
LAST_NORM = '    norm(model.ln, tree["norm"])\n'
LAST_LINEAR = '    linear(model.head, tree["dense"])\n'
TREE = 'tree = params["params"]'
LOAD_BODY = LOAD[LOAD.index("    tree = params") :]

LOSSES = "losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)"
MEAN = "return losses.mean()"
JIT_TRAIN = "@nnx.jit\ndef nnx_train_step"
JIT_EVAL = "@nnx.jit\ndef nnx_eval_step"
GRAD = "    loss, grads = nnx.value_and_grad(nnx_loss_fn)(model, x, y)\n"
UPDATE = "    optimizer.update(model, grads)\n"
RETURN = "    return loss\n"
EVAL = "    return nnx_loss_fn(model, x, y)\n"

query_key = (
    QUERY + "\n    " + KEY,
    'linear(block.attn.query, attn["key"])\n    linear(block.attn.key, attn["query"])',
)
key_value = (
    KEY + "\n    " + VALUE,
    'linear(block.attn.key, attn["value"])\n    linear(block.attn.value, attn["key"])',
)
norms_swapped = (
    NORMS,
    '    norm(block.ln1, weights["feed_forward_norm"])\n'
    '    norm(block.ln2, weights["attention_norm"])\n',
)
reversed_layers = (
    LOOP,
    LOOP.replace("enumerate(model.layers.layers)", "enumerate(model.layers.layers[::-1])"),
)
all_first = (LOOP, LOOP.replace('f"blocks_{i}"', '"blocks_0"'))
only_first = (LOOP, '    load_block(model.layers.layers[0], tree["blocks_0"])\n')
no_linear_bias = (BIAS, "")
no_embedding = (TOKENS + POSITIONS, "")
no_positions = (POSITIONS, "")
no_output = (LAST_LINEAR, "")
no_last_norm = (LAST_NORM, "")
transposed = (
    KERNEL,
    'kernel = weights["kernel"]\n'
    "    square = kernel.shape[0] == kernel.shape[1]\n"
    "    layer.kernel[...] = kernel.T if square else kernel",
)
post_norm = (
    FIRST + SECOND,
    "        x = self.ln1(x + self.attn(x))\n        return self.ln2(x + self.ff(x))\n",
)
no_residual = (SECOND, "        return self.ff(self.ln2(x))\n")
no_final_norm = ((FINAL_NORM, ""), (NORMED, ""), no_last_norm)
summed = (MEAN, "return losses.sum()")
labels_are_inputs = (LOSSES, LOSSES.replace("y)", "x)"))
negated = (MEAN, "return -losses.mean()")
softmax_twice = ("logits = model(x)", "logits = nnx.softmax(model(x))")
no_update = (UPDATE, "")
by_jax = (JIT_TRAIN, JIT_TRAIN.replace("nnx.jit", "jax.jit"))
on_a_copy = (UPDATE, "    optimizer.update(nnx.clone(model), grads)\n")
new_optimizer = (
    UPDATE,
    "    optimizer = nnx.Optimizer(model, optimizer.tx, wrt=nnx.Param)\n" + UPDATE,
)
ascent = (UPDATE, "    optimizer.update(model, jax.tree.map(jnp.negative, grads))\n")
twice = (UPDATE, 2 * UPDATE)
by_hand = (
    UPDATE,
    "    weights = nnx.state(model, nnx.Param)\n"
    "    nnx.update(model, jax.tree.map(lambda p, g: p - 0.1 * g, weights, grads))\n",
)
loss_after_update = (RETURN, "    return nnx_loss_fn(model, x, y)\n")

LIKE_LINEN = """

class NNXEmbedding(nnx.Module):
    def __init__(self, vocab_size, block_size, hidden_dim, *, rngs):
        self.token_embedding = nnx.Embed(vocab_size, hidden_dim, rngs=rngs)
        self.position_embedding = nnx.Embed(
            num_embeddings=block_size, features=hidden_dim, rngs=rngs
        )

    def __call__(self, tokens):
        table = self.position_embedding.embedding[...]
        if tokens.shape[-1] > len(table):
            raise ValueError(tokens.shape)
        return self.token_embedding(tokens) + table[: tokens.shape[-1]]


class NNXDecoderBlock(nnx.Module):
    def __init__(self, hidden_dim, num_heads, *, rngs):
        if hidden_dim % num_heads:
            raise ValueError("uneven heads")
        self.attention = NNXAttention(
            num_heads=num_heads, head_dim=hidden_dim // num_heads, in_features=hidden_dim, rngs=rngs
        )
        self.feed_forward = NNXFeedForward(hidden_dim, rngs=rngs)
        self.attention_norm = nnx.LayerNorm(num_features=hidden_dim, rngs=rngs)
        self.feed_forward_norm = nnx.LayerNorm(num_features=hidden_dim, rngs=rngs)

    def __call__(self, x):
        x += self.attention(self.attention_norm(x))
        x += self.feed_forward(self.feed_forward_norm(x))
        return x


class NNXMiniGPT(nnx.Module):
    def __init__(self, vocab_size, hidden_dim, block_size, num_layers, num_heads, *, rngs):
        self.embedding = NNXEmbedding(vocab_size, block_size, hidden_dim, rngs=rngs)
        for i in range(num_layers):
            setattr(self, f"blocks_{i}", NNXDecoderBlock(hidden_dim, num_heads, rngs=rngs))
        self.num_layers = num_layers
        self.norm = nnx.LayerNorm(hidden_dim, rngs=rngs)
        self.dense = nnx.Linear(hidden_dim, vocab_size, rngs=rngs)

    def __call__(self, tokens):
        x = self.embedding(tokens)
        for i in range(self.num_layers):
            x = getattr(self, f"blocks_{i}")(x)
        return self.dense(self.norm(x))
"""


def named_like_linen(load: str) -> str:
    """A file whose modules are named as in Linen, blocks_0 and blocks_1 included."""
    return TOP + GIVEN + LIKE_LINEN + load + STEPS


STACKED = """

class NNXMiniGPT(nnx.Module):
    def __init__(self, vocab_size, hidden_dim, block_size, num_layers, num_heads, *, rngs):
        self.embed = NNXEmbedding(vocab_size, block_size, hidden_dim, rngs=rngs)

        @nnx.split_rngs(splits=num_layers)
        @nnx.vmap(in_axes=(0,), out_axes=0)
        def make(rngs):
            return NNXDecoderBlock(hidden_dim, num_heads, rngs=rngs)

        self.layers = make(rngs)
        self.ln = nnx.LayerNorm(hidden_dim, rngs=rngs)
        self.head = nnx.Linear(hidden_dim, vocab_size, rngs=rngs)

    def __call__(self, idx):
        @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        def through(h, layer):
            return layer(h)

        return self.head(self.ln(through(self.embed(idx), self.layers)))
"""

ANSWERS = [
    right("other names, explicit loading", FILE),
    right(
        "Linen's names, nnx.update with the tree",
        named_like_linen("""

def load_linen_params(model, params):
    nnx.update(model, params["params"])
"""),
    ),
    right(
        "Linen's names, replace_by_pure_dict",
        named_like_linen("""

def load_linen_params(model, params):
    state = nnx.state(model, nnx.Param)
    nnx.replace_by_pure_dict(state, jax.tree.map(jnp.array, params["params"]))
    nnx.update(model, state)
"""),
    ),
    right(
        "Linen's names, path by path",
        named_like_linen("""

def load_linen_params(model, params):
    for path, array in jax.tree_util.tree_leaves_with_path(params["params"]):
        part = model
        for step in path:
            part = getattr(part, step.key)
        part[...] = array
"""),
    ),
    right(
        "nnx.List if available, a loop",
        edited(
            (HELD, "self.layers = nnx.List(layers) if hasattr(nnx, 'List') else layers"),
            (THROUGH, "for layer in self.layers:\n            h = layer(h)"),
            (LOOP, LOOP.replace("model.layers.layers", "model.layers")),
        ),
    ),
    right(
        "nnx.data of a list",
        edited(
            (HELD, "self.layers = nnx.data(layers)"),
            (THROUGH, "for layer in self.layers:\n            h = layer(h)"),
            (LOOP, LOOP.replace("model.layers.layers", "model.layers")),
        ),
    ),
    right(
        "nnx.data of a dictionary of norms",
        edited(
            (
                "        self.ln1 = nnx.LayerNorm(hidden_dim, rngs=rngs)\n" + NORM_2,
                "        norms = {n: nnx.LayerNorm(hidden_dim, rngs=rngs) for n in 'ab'}\n"
                "        self.norms = nnx.data(norms)\n",
            ),
            (
                FIRST + SECOND,
                "        x = self.attn(self.norms['b'](x)) + x\n"
                "        return self.ff(self.norms['a'](x)) + x\n",
            ),
            (
                NORMS,
                '    norm(block.norms["b"], weights["attention_norm"])\n'
                '    norm(block.norms["a"], weights["feed_forward_norm"])\n',
            ),
        ),
    ),
    right(
        "everything in one nnx.Sequential",
        edited(
            (HELD, "self.all = nnx.Sequential(self.embed, *layers)"),
            ("        h = self.embed(idx)\n        " + THROUGH, "        h = self.all(idx)"),
            (LOOP, LOOP.replace("model.layers.layers", "model.all.layers[1:]")),
        ),
    ),
    right(
        "new Params instead of new values",
        edited(
            (KERNEL, 'layer.kernel = nnx.Param(weights["kernel"])'),
            (
                SCALE,
                'layer.scale = nnx.Param(jnp.asarray(weights["scale"]))\n'
                '    layer.bias = nnx.Param(jnp.asarray(weights["bias"]))\n',
            ),
        ),
    ),
    right(
        "values set through .value",
        edited((KERNEL, 'layer.kernel.value = weights["kernel"]')),
    ),
    right(
        "layers stacked by nnx.vmap, run by nnx.scan, loaded by stacking",
        (
            TOP + GIVEN + MODEL[: MODEL.index("\n\nclass NNXMiniGPT")] + STACKED + LOAD + STEPS
        ).replace(
            LOOP,
            "    count = len([name for name in tree if name.startswith('blocks_')])\n"
            "    each = [tree[f'blocks_{i}'] for i in range(count)]\n"
            "    load_block(model.layers, jax.tree.map(lambda *a: jnp.stack(a), *each))\n",
        ),
    ),
    right(
        "bare Params for the tables, one of another shape",
        edited(
            (
                "        self.wpe = nnx.Embed(block_size, hidden_dim, rngs=rngs)\n"
                "        self.wte = nnx.Embed(vocab_size, hidden_dim, rngs=rngs)\n",
                "        drawn = jax.random.normal(rngs.params(), (vocab_size, hidden_dim))\n"
                "        self.what = nnx.Param(0.02 * drawn)\n"
                "        drawn = jax.random.normal(rngs.params(), (1, block_size, hidden_dim))\n"
                "        self.where = nnx.Param(0.02 * drawn)\n",
            ),
            (SUM, "self.what[...][idx] + self.where[...][:, :T]"),
            (HERE, "B += 0"),
            (TOKENS, TOKENS.replace("wte.embedding", "what")),
            (
                POSITIONS,
                '    model.embed.where[...] = tables["position_embedding"]["embedding"][None]\n',
            ),
        ),
    ),
    right(
        "loss and gradient in two passes",
        edited(
            (
                GRAD,
                "    loss = nnx_loss_fn(model, x, y)\n"
                "    grads = nnx.grad(nnx_loss_fn)(model, x, y)\n",
            )
        ),
    ),
    right(
        "a nested function, logits as auxiliary output",
        edited(
            (
                GRAD,
                """    def both(m):
        logits = m(x)
        losses = -jax.nn.log_softmax(logits)
        picked = jnp.take_along_axis(losses, y[..., None], axis=-1)
        return picked.mean(), logits

    (loss, _), grads = nnx.value_and_grad(both, has_aux=True)(model)
""",
            ),
            (EVAL, "    return jnp.asarray(nnx_loss_fn(model, x, y))\n"),
        ),
    ),
    right(
        "jax.jit around split and merge, nnx.update outside",
        edited(
            (
                JIT_TRAIN,
                """@partial(jax.jit, static_argnums=0)
def _step(graphdef, state, x, y):
    model, optimizer = nnx.merge(graphdef, state)
    loss = _plain(model, optimizer, x, y)
    return loss, nnx.state((model, optimizer))


def nnx_train_step(model, optimizer, x, y):
    graphdef, state = nnx.split((model, optimizer))
    loss, state = _step(graphdef, state, x, y)
    nnx.update((model, optimizer), state)
    return loss


def _plain""",
            ),
        ),
    ),
    right(
        "model and optimizer donated",
        edited(
            (JIT_TRAIN, JIT_TRAIN.replace("@nnx.jit", "@partial(nnx.jit, donate_argnums=(0, 1))"))
        ),
    ),
    wrong(
        "epsilon 1e-5 in the last norm",
        edited((FINAL_NORM, FINAL_NORM.replace("dim,", "dim, epsilon=1e-5,"))),
        "norm_epsilon",
    ),
    right("eval_step by jax.jit", edited((JIT_EVAL, JIT_EVAL.replace("nnx.jit", "jax.jit")))),
    right(
        "jit by call, train mode set",
        edited(
            (JIT_TRAIN, "def _train"),
            (
                JIT_EVAL,
                "nnx_train_step = nnx.jit(_train)\n\n\n@partial(nnx.jit)\ndef nnx_eval_step",
            ),
            (GRAD, "    model.train()\n" + GRAD),
        ),
    ),
    wrong(
        "no position",
        edited((SUM, "self.wte(idx) + 0 * self.wpe(here)")),
        "position_forgotten",
        "positions_forgotten",
    ),
    wrong("positions from 1", edited((HERE, "here = jnp.arange(T) + 1")), "positions_shifted"),
    wrong("product of the tables", edited((SUM, SUM.replace("+", "*"))), "tables_multiplied"),
    wrong("too long is not refused", edited((TOO_LONG, ""))),
    wrong("uneven heads are not refused", edited((UNEVEN, ""))),
    wrong(
        "uneven heads are refused when the block is called",
        edited(
            (UNEVEN, "        self.uneven = hidden_dim % num_heads\n"),
            (
                FIRST,
                '        if self.uneven:\n            raise ValueError("uneven heads")\n' + FIRST,
            ),
        ),
    ),
    right(
        "rngs and a dropout kept in the model",
        edited(
            (
                FINAL_NORM,
                FINAL_NORM
                + "        self.rngs = rngs\n        self.dropout = nnx.Dropout(0.0, rngs=rngs)\n",
            ),
            (NORMED, NORMED + "        h = self.dropout(h)\n"),
        ),
    ),
    wrong("a full block is refused", edited(("T > self", "T >= self"))),
    wrong("post-norm", edited(post_norm), "post_norm"),
    wrong(
        "no residual connection around feed-forward",
        edited(no_residual),
        "feed_forward_residual_missing",
    ),
    wrong(
        "one norm for both",
        edited(
            (NORM_2, ""),
            (SECOND, SECOND.replace("ln2", "ln1")),
            (NORMS, NORMS.split("\n")[0] + "\n"),
        ),
        "norms_shared",
    ),
    wrong(
        "heads swapped",
        edited(("NNXAttention(num_heads, size,", "NNXAttention(size, num_heads,")),
        "heads_swapped",
    ),
    wrong(
        "PyTorch's epsilon",
        edited(
            (
                "self.ln1 = nnx.LayerNorm(hidden_dim,",
                "self.ln1 = nnx.LayerNorm(hidden_dim, epsilon=1e-5,",
            ),
            (
                "self.ln2 = nnx.LayerNorm(hidden_dim,",
                "self.ln2 = nnx.LayerNorm(hidden_dim, epsilon=1e-5,",
            ),
        ),
        "norm_epsilon",
    ),
    wrong(
        "one block reused",
        edited((LAYERS, "[NNXDecoderBlock(hidden_dim, num_heads, rngs=rngs)] * num_layers")),
        "blocks_shared",
    ),
    wrong(
        "one block in a loop",
        edited(
            (LAYERS, "num_layers"),
            (
                HELD,
                "self.layers = layers\n        self.block = NNXDecoderBlock(\n"
                "            hidden_dim, num_heads, rngs=rngs\n        )",
            ),
            (THROUGH, "for _ in range(self.layers):\n            h = self.block(h)"),
            (LOOP, '    load_block(model.block, tree["blocks_0"])\n'),
        ),
        "blocks_shared",
    ),
    wrong(
        "new rngs for every block",
        edited((LAYERS, LAYERS.replace("rngs=rngs", "rngs=nnx.Rngs(0)"))),
        "rngs_reused",
    ),
    wrong(
        "rngs copied for every block",
        edited((LAYERS, LAYERS.replace("rngs=rngs", "rngs=nnx.clone(rngs)"))),
        "rngs_reused",
    ),
    wrong(
        "rngs ignored",
        edited((HEAD, HEAD.replace("rngs=rngs", "rngs=nnx.Rngs(42)"))),
        "rngs_ignored",
    ),
    wrong("no last norm", edited(*no_final_norm), "final_norm_missing"),
    wrong(
        "log_softmax",
        edited((LOGITS, "return nnx.log_softmax(self.head(h))")),
        "log_softmax_at_the_end",
    ),
    wrong(
        "last Linear without bias",
        edited(
            (HEAD, HEAD.replace("rngs=rngs", "use_bias=False, rngs=rngs")),
            (LAST_LINEAR, '    model.head.kernel[...] = tree["dense"]["kernel"]\n'),
        ),
        "dense_without_bias",
    ),
    wrong("query and key swapped", edited(query_key), "query_key_swapped"),
    wrong("key and value swapped", edited(key_value), "key_value_swapped"),
    wrong("norms swapped in loading", edited(norms_swapped), "norms_swapped"),
    wrong(
        "norms swapped in use",
        edited((FIRST, FIRST.replace("ln1", "ln2")), (SECOND, SECOND.replace("ln2", "ln1"))),
        "norms_swapped",
    ),
    wrong(
        "scale and bias swapped",
        edited(
            (SCALE, 'layer.scale[...] = weights["bias"]\n    layer.bias[...] = weights["scale"]\n')
        ),
        "scale_bias_swapped",
    ),
    wrong("layers reversed", edited(reversed_layers), "layers_reversed"),
    wrong("all layers from blocks_0", edited(all_first), "layers_all_first"),
    wrong(
        "all layers from the last",
        edited(
            (
                LOOP,
                "    for i in range(len(model.layers.layers)):\n"
                "        for block in model.layers.layers:\n"
                '            load_block(block, tree[f"blocks_{i}"])\n',
            )
        ),
        "layers_all_last",
    ),
    wrong(
        "layers sorted by name",
        edited(
            (
                LOOP,
                "    names = sorted(name for name in tree if name.startswith('blocks_'))\n"
                "    for name, block in zip(names, model.layers.layers):\n"
                "        load_block(block, tree[name])\n",
            )
        ),
        "layers_sorted_as_text",
    ),
    wrong("first layer only", edited(only_first), "first_layer_only"),
    wrong(
        "last layer not loaded",
        edited(
            (
                LOOP,
                "    for i in range(len(model.layers.layers) - 1):\n"
                '        load_block(model.layers.layers[i], tree[f"blocks_{i}"])\n',
            )
        ),
        "last_layer_left_behind",
    ),
    wrong("blocks not loaded", edited((LOOP, "")), "blocks_left_behind"),
    wrong("biases of Linears not loaded", edited(no_linear_bias), "linear_biases_left_behind"),
    wrong(
        "biases of norms not loaded",
        edited((SCALE, 'layer.scale[...] = weights["scale"]\n')),
        "norm_biases_left_behind",
    ),
    wrong(
        "no biases loaded",
        edited(no_linear_bias, (SCALE, 'layer.scale[...] = weights["scale"]\n')),
        "biases_left_behind",
    ),
    wrong("norms not loaded", edited((SCALE, "pass\n")), "norms_left_behind"),
    wrong("embedding not loaded", edited(no_embedding), "embedding_left_behind"),
    wrong("position table not loaded", edited(no_positions), "positions_left_behind"),
    wrong("token table not loaded", edited((TOKENS, "")), "tokens_left_behind"),
    wrong(
        "feed-forward network not loaded",
        edited(
            (
                '    linear(block.ff.up, weights["feed_forward"]["up"])\n'
                '    linear(block.ff.down, weights["feed_forward"]["down"])\n',
                "",
            )
        ),
        "feed_forward_left_behind",
    ),
    wrong(
        "up not loaded", edited(('    linear(block.ff.up, weights["feed_forward"]["up"])\n', ""))
    ),
    wrong(
        "first two layers swapped",
        edited((LOOP, LOOP.replace('f"blocks_{i}"', 'f"blocks_{1 - i if i < 2 else i}"'))),
    ),
    wrong(
        "query and key swapped in the first layer",
        edited(
            (
                LOOP,
                LOOP
                + "    attn = model.layers.layers[0].attn\n"
                + '    linear(attn.query, tree["blocks_0"]["attention"]["key"])\n'
                + '    linear(attn.key, tree["blocks_0"]["attention"]["query"])\n',
            )
        ),
    ),
    wrong(
        "a block's norm loaded as the last norm",
        edited((LAST_NORM, '    norm(model.ln, tree["blocks_0"]["attention_norm"])\n')),
    ),
    wrong(
        "last bias not loaded",
        edited((LAST_LINEAR, '    model.head.kernel[...] = tree["dense"]["kernel"]\n')),
    ),
    wrong("last Linear not loaded", edited(no_output), "output_left_behind"),
    wrong("last norm not loaded", edited(no_last_norm), "final_norm_left_behind"),
    wrong("kernels transposed", edited(transposed), "attention_kernels_transposed"),
    wrong(
        "loaded into a copy",
        edited((TREE, TREE + "\n    model = nnx.clone(model)")),
        "nothing_loaded",
    ),
    wrong(
        "loaded into a split-off state",
        named_like_linen("""

def load_linen_params(model, params):
    graphdef, state = nnx.split(model)
    nnx.replace_by_pure_dict(state, params["params"])
    return nnx.merge(graphdef, state)
"""),
        "nothing_loaded",
    ),
    wrong("nothing loaded", edited((LOAD_BODY, "    pass\n")), "nothing_loaded"),
    wrong(
        "arrays instead of Params",
        edited((SCALE, SCALE.replace("scale[...] =", "scale =").replace("bias[...] =", "bias ="))),
        "params_replaced",
    ),
    wrong(
        "arrays instead of the kernels' Params",
        edited((KERNEL, KERNEL.replace("kernel[...] =", "kernel ="))),
        "params_replaced",
    ),
    wrong(
        "the params are modified",
        edited(
            (TREE, 'tree = params["params"]\n    tree.pop("x", tree.pop("norm"))'), (LAST_NORM, "")
        ),
    ),
    wrong("weights halved", edited((KERNEL, KERNEL + " / 2"))),
    wrong(
        "one kernel shifted",
        edited((LAST_LINEAR, LAST_LINEAR + "    model.head.kernel[...] += 1e-2\n")),
    ),
    wrong(
        "shape of a norm changed",
        edited(
            (
                SCALE,
                SCALE.replace('weights["scale"]', 'weights["scale"][:1]').replace(
                    "layer.scale[...]", "layer.scale.value"
                ),
            )
        ),
    ),
    wrong(
        "state stored on self",
        edited((THROUGH, "self.seen = getattr(self, 'seen', 0) + 1\n        " + THROUGH)),
    ),
    wrong(
        "half precision",
        edited((HEAD, HEAD.replace("rngs=rngs", "param_dtype=jnp.bfloat16, rngs=rngs"))),
    ),
    wrong(
        "gradient stopped in the block",
        edited(
            (
                FIRST,
                FIRST.replace("self.attn(", "jax.lax.stop_gradient(self.attn(").replace(
                    "\n", ")\n"
                ),
            )
        ),
    ),
    wrong("loss summed", edited(summed), "loss_summed"),
    wrong("x as labels", edited(labels_are_inputs), "labels_are_inputs"),
    wrong(
        "labels shifted again",
        edited((LOSSES, LOSSES.replace("logits, y", "logits[:, :-1], y[:, 1:]"))),
        "labels_shifted",
    ),
    wrong("loss negated", edited(negated), "sign_turned"),
    wrong("softmax twice", edited(softmax_twice), "softmax_twice"),
    wrong(
        "log of the softmax, unstable",
        edited(
            (
                LOSSES,
                "log_probs = jnp.log(nnx.softmax(logits))\n"
                "    losses = -jnp.take_along_axis(log_probs, y[..., None], -1)",
            )
        ),
    ),
    wrong("update missing", edited(no_update), "update_lost"),
    wrong("jax.jit", edited(by_jax), "jax_jit"),
    wrong("a copy is updated", edited(on_a_copy), "params_unchanged"),
    wrong(
        "model and optimizer copied first",
        edited((GRAD, "    model, optimizer = nnx.clone((model, optimizer))\n" + GRAD)),
        "update_lost",
    ),
    wrong("a new optimizer at every step", edited(new_optimizer), "optimizer_created_anew"),
    wrong("update twice", edited(twice), "update_twice"),
    wrong("update by hand", edited(by_hand), "by_hand_0.1"),
    wrong("gradient ascent", edited(ascent), "gradient_ascent"),
    wrong(
        "gradient clipped",
        edited(
            (
                UPDATE,
                "    grads, _ = optax.clip_by_global_norm(1.0).update(grads, optax.EmptyState())\n"
                + UPDATE,
            )
        ),
        "gradients_clipped",
    ),
    wrong("loss after the update", edited(loss_after_update), "loss_after_update"),
    wrong(
        "update with the weights instead of the gradients",
        edited((UPDATE, "    optimizer.update(model, nnx.state(model, nnx.Param))\n")),
    ),
    wrong("update without the model", edited((UPDATE, "    optimizer.update(grads)\n"))),
    wrong("train_step without jit", edited((JIT_TRAIN, "def nnx_train_step"))),
    wrong("train_step under remat", edited((JIT_TRAIN, "@nnx.remat\ndef nnx_train_step"))),
    wrong(
        "only the loss jitted",
        edited((JIT_TRAIN, "nnx_loss_fn = nnx.jit(nnx_loss_fn)\n\n\ndef nnx_train_step")),
    ),
    wrong("eval_step without jit", edited((JIT_EVAL, "def nnx_eval_step"))),
    wrong(
        "jit created at every call",
        edited(
            (
                JIT_TRAIN,
                "def nnx_train_step(*given):\n"
                "    return nnx.jit(lambda *a: _step(*a))(*given)\n\n\ndef _step",
            )
        ),
    ),
    wrong("loss not returned", edited((RETURN, ""))),
    wrong(
        "model and optimizer returned too", edited((RETURN, "    return model, optimizer, loss\n"))
    ),
    wrong("gradients returned", edited((RETURN, "    return loss, grads\n"))),
    wrong(
        "eval_step trains", edited((EVAL, "    model.bias[...] = model.bias[...] - 0.1\n" + EVAL))
    ),
    wrong(
        "eval_step learns after the loss",
        edited(
            (
                EVAL,
                "    loss = nnx_loss_fn(model, x, y)\n"
                "    model.bias[...] = model.bias[...] - 0.1\n"
                "    return loss\n",
            )
        ),
    ),
    wrong(
        "eval_step with model.apply", edited((EVAL, "    return nnx_loss_fn(model.apply, x, y)\n"))
    ),
    wrong(
        "query and key swapped, layers reversed",
        edited(query_key, reversed_layers),
        "query_key_swapped",
        "layers_reversed",
    ),
    wrong(
        "norms swapped, last norm not loaded",
        edited(norms_swapped, no_last_norm),
        "norms_swapped",
        "final_norm_left_behind",
    ),
    wrong(
        "position table and biases of Linears not loaded",
        edited(no_positions, no_linear_bias),
        "positions_left_behind",
        "linear_biases_left_behind",
    ),
    wrong(
        "all layers from blocks_0, last Linear not loaded",
        edited(all_first, no_output),
        "layers_all_first",
        "output_left_behind",
    ),
    wrong(
        "first layer only, kernels transposed",
        edited(only_first, transposed),
        "first_layer_only",
        "attention_kernels_transposed",
    ),
    wrong(
        "post-norm, key and value swapped",
        edited(post_norm, key_value),
        "post_norm",
        "key_value_swapped",
    ),
    wrong(
        "no last norm, heads swapped",
        edited(*no_final_norm, ("NNXAttention(num_heads, size,", "NNXAttention(size, num_heads,")),
        "final_norm_missing",
        "heads_swapped",
    ),
    wrong(
        "no residual connection, softmax",
        edited(no_residual, (LOGITS, "return nnx.softmax(self.head(h))")),
        "feed_forward_residual_missing",
        "softmax_at_the_end",
    ),
    wrong("summed, gradient ascent", edited(summed, ascent), "loss_summed", "gradient_ascent"),
    wrong(
        "x as labels, update missing",
        edited(labels_are_inputs, no_update),
        "labels_are_inputs",
        "update_lost",
    ),
    wrong("softmax twice, jax.jit", edited(softmax_twice, by_jax), "softmax_twice", "jax_jit"),
    wrong("loss negated, update twice", edited(negated, twice), "sign_turned", "update_twice"),
    wrong(
        "new optimizer, loss after the update",
        edited(new_optimizer, loss_after_update),
        "optimizer_created_anew",
        "loss_after_update",
    ),
    wrong(
        "new rngs for every block, layers reversed",
        edited((LAYERS, LAYERS.replace("rngs=rngs", "rngs=nnx.Rngs(0)")), reversed_layers),
        "rngs_reused",
        "layers_reversed",
    ),
    wrong(
        "summed, query and key swapped",
        edited(summed, query_key),
        "loss_summed",
        "query_key_swapped",
    ),
    wrong(
        "jax.jit, nothing loaded",
        edited(by_jax, (TREE, TREE + "\n    model = nnx.clone(model)")),
        "jax_jit",
        "nothing_loaded",
    ),
    wrong(
        "layers and heads exchanged",
        edited(
            (
                "layers = " + LAYERS,
                "num_layers, num_heads = num_heads, num_layers\n        layers = " + LAYERS,
            )
        ),
    ),
    wrong(
        "one layer too few",
        edited((LAYERS, LAYERS.replace("range(num_layers)", "range(num_layers - 1)"))),
    ),
    wrong(
        "one layer too many",
        edited((LAYERS, LAYERS.replace("range(num_layers)", "range(num_layers + 1)"))),
    ),
    wrong(
        "blocks run backwards",
        edited((THROUGH, "for layer in self.layers.layers[::-1]:\n            h = layer(h)")),
        "layers_reversed",
    ),
    wrong(
        "only the last block runs",
        edited((THROUGH, "h = self.layers.layers[-1](h)")),
        "blocks_unchained",
    ),
    wrong(
        "embedding added again at the end",
        edited((NORMED, "        h = self.ln(h + self.embed(idx))\n")),
    ),
    wrong(
        "embedding times √C",
        edited((SUM, "self.wte(idx) * self.wte.embedding.shape[-1] ** 0.5 + self.wpe(here)")),
        "token_scaled",
    ),
    wrong(
        "positions counted from the end",
        edited((HERE, "here = jnp.arange(T)[::-1]")),
        "positions_reversed",
    ),
    wrong("position 0 for all", edited((HERE, "here = jnp.zeros(T, int)")), "position_zero"),
    wrong("positions added twice", edited((SUM, "self.wte(idx) + 2 * self.wpe(here)"))),
    wrong(
        "tables exchanged",
        edited(("self.wte(idx) + self.wpe(here)", "self.wpe(idx % self.longest) + self.wte(here)")),
        "tables_swapped",
    ),
    wrong("residual added twice", edited((FIRST, "        x = 2 * x + self.attn(self.ln1(x))\n"))),
    wrong(
        "feed-forward before attention",
        edited(
            (
                FIRST + SECOND,
                "        x = x + self.ff(self.ln2(x))\n        return x + self.attn(self.ln1(x))\n",
            )
        ),
        "sublayers_swapped",
    ),
    wrong(
        "both branches from the same input",
        edited(
            (FIRST + SECOND, "        return x + self.attn(self.ln1(x)) + self.ff(self.ln2(x))\n")
        ),
        "sublayers_parallel",
    ),
    wrong("attention twice", edited((FIRST, FIRST + FIRST))),
    wrong(
        "norm after each branch",
        edited(
            (
                FIRST + SECOND,
                "        x = x + self.ln1(self.attn(x))\n        return x + self.ln2(self.ff(x))\n",
            )
        ),
        "norm_after_sublayer",
    ),
    wrong(
        "no norm before attention",
        edited((FIRST, "        x = x + self.attn(x)\n")),
        "attention_norm_missing",
    ),
    wrong("no feed-forward", edited((SECOND, "        return x\n")), "feed_forward_missing"),
    wrong(
        "a norm after the last Linear",
        edited(
            (
                LOGITS,
                "logits = self.head(h)\n        return (logits - logits.mean(-1, keepdims=True)) "
                "/ logits.std(-1, keepdims=True)",
            )
        ),
    ),
    wrong("a ReLU at the end", edited((LOGITS, "return nnx.relu(self.head(h))"))),
    wrong(
        "gradients divided by the batch",
        edited((UPDATE, "    grads = jax.tree.map(lambda g: g / x.shape[0], grads)\n" + UPDATE)),
    ),
    wrong(
        "weight decay",
        edited(
            (
                UPDATE,
                "    grads = jax.tree.map(lambda g, p: g + 0.1 * p, grads, nnx.state(model, "
                "nnx.Param))\n" + UPDATE,
            )
        ),
    ),
    wrong(
        "label smoothing",
        edited(
            (
                LOSSES,
                "losses = optax.softmax_cross_entropy(logits, "
                "optax.smooth_labels(jax.nn.one_hot(y, logits.shape[-1]), 0.1))",
            )
        ),
    ),
    wrong(
        "loss of the last position only",
        edited((MEAN, "return losses[:, -1].mean()")),
        "last_position_only",
    ),
    wrong("last position left out", edited((MEAN, "return losses[:, :-1].mean()"))),
    wrong(
        "entropy of the prediction",
        edited((LOSSES, "p = nnx.softmax(logits)\n    losses = -(p * jnp.log(p)).sum(-1)")),
    ),
    wrong(
        "token 0 taken for padding",
        edited((MEAN, "return (losses * (y != 0)).sum() / (y != 0).sum()")),
        "token_0_ignored",
    ),
    wrong("accuracy", edited((EVAL, "    return (model(x).argmax(-1) == y).mean()\n"))),
    wrong("indexed by y", edited((LOSSES, "losses = -jnp.log(nnx.softmax(logits)[y])"))),
    wrong(
        "first block not loaded",
        edited((LOOP, LOOP.replace("        load_block", "        if i: load_block"))),
    ),
    wrong(
        "tables exchanged when loaded",
        edited(
            (TOKENS + POSITIONS, TOKENS.replace("wte", "wpe") + POSITIONS.replace("wpe", "wte"))
        ),
    ),
    # Sizes that stand in the code, and more.
    wrong(
        "the blocks' results are not used", edited((THROUGH, "self.layers(h)")), "blocks_ignored"
    ),
    wrong(
        "two layers loaded",
        edited(
            (
                "for i, block in enumerate(model.layers.layers):",
                "for i, block in enumerate(model.layers.layers[:2]):",
            )
        ),
    ),
    wrong(
        "six layers at most",
        edited((THROUGH, "for layer in self.layers.layers[:6]:\n            h = layer(h)")),
    ),
    wrong("positions up to 63 only", edited((HERE, "here = jnp.minimum(jnp.arange(T), 63)"))),
    wrong("loss of the first 8 positions", edited((MEAN, "return losses[:, :8].mean()"))),
    wrong(
        "the optimizer gets no gradients of norms",
        edited((UPDATE, "    grads = jax.tree.map(lambda g: g * (g.ndim > 1), grads)\n" + UPDATE)),
    ),
    wrong("the blocks are never called", edited((f"        {THROUGH}\n", "")), "blocks_ignored"),
]
