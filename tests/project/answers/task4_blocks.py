"""Answers to task 4."""

from tests.project.answers.bank import right, wrong

TOP = """
import flax.linen as nn
import jax
import jax.numpy as jnp

from minigpt_challenge.tasks.task1_embedding import TokenAndPositionEmbedding
from minigpt_challenge.tasks.task3_einsum_attention import EinsumMultiHeadAttention


class FeedForward(nn.Module):
    hidden_dim: int

    def setup(self):
        self.up = nn.Dense(4 * self.hidden_dim)
        self.down = nn.Dense(self.hidden_dim)

    def __call__(self, x):
        return self.down(nn.relu(self.up(x)))
"""

SETUP = """

class DecoderBlock(nn.Module):
    hidden_dim: int
    num_heads: int

    def setup(self):
        if self.hidden_dim % self.num_heads != 0:
            raise ValueError("hidden_dim must be a multiple of num_heads")
        head_dim = self.hidden_dim // self.num_heads
        self.attn = EinsumMultiHeadAttention(self.num_heads, head_dim)
        self.ff = FeedForward(self.hidden_dim)
        self.ln1 = nn.LayerNorm()
        self.ln2 = nn.LayerNorm()

    def __call__(self, x):
        x = x + self.attn(self.ln1(x))
        x = x + self.ff(self.ln2(x))
        return x


class MiniGPT(nn.Module):
    vocab_size: int
    hidden_dim: int
    block_size: int
    num_layers: int
    num_heads: int

    def setup(self):
        self.embed = TokenAndPositionEmbedding(self.vocab_size, self.block_size, self.hidden_dim)
        sizes = self.hidden_dim, self.num_heads
        self.layers = [DecoderBlock(*sizes) for _ in range(self.num_layers)]
        self.ln = nn.LayerNorm()
        self.head = nn.Dense(self.vocab_size)

    def __call__(self, tokens):
        h = self.embed(tokens)
        for layer in self.layers:
            h = layer(h)
        h = self.ln(h)
        return self.head(h)
"""

COMPACT = """

class DecoderBlock(nn.Module):
    hidden_dim: int
    num_heads: int

    @nn.compact
    def __call__(self, x):
        if self.hidden_dim % self.num_heads:
            raise ValueError(f"{self.num_heads} heads, {self.hidden_dim} columns")
        y = nn.LayerNorm()(x)
        y = EinsumMultiHeadAttention(
            num_heads=self.num_heads, head_dim=self.hidden_dim // self.num_heads
        )(y)
        x = x + y
        y = nn.LayerNorm()(x)
        y = FeedForward(self.hidden_dim)(y)
        return x + y


class MiniGPT(nn.Module):
    vocab_size: int
    hidden_dim: int
    block_size: int
    num_layers: int
    num_heads: int

    @nn.compact
    def __call__(self, tokens):
        x = TokenAndPositionEmbedding(self.vocab_size, self.block_size, self.hidden_dim)(tokens)
        for _ in range(self.num_layers):
            x = DecoderBlock(self.hidden_dim, self.num_heads)(x)
        x = nn.LayerNorm()(x)
        return nn.Dense(self.vocab_size)(x)
"""


def edited(text: str, *edits: tuple[str, str]) -> str:
    """The file with pieces replaced; each must occur exactly once."""
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return TOP + text


def by_setup(*edits: tuple[str, str]) -> str:
    """The file with `setup`, edited."""
    return edited(SETUP, *edits)


def compact(*edits: tuple[str, str]) -> str:
    """The file with `@nn.compact`, edited."""
    return edited(COMPACT, *edits)


# In the file with `setup`.
FIRST = "x = x + self.attn(self.ln1(x))"
SECOND = "x = x + self.ff(self.ln2(x))"
BOTH = f"{FIRST}\n        {SECOND}\n        return x"
NORMS = "self.ln1 = nn.LayerNorm()\n        self.ln2 = nn.LayerNorm()"
FINAL_NORM = "self.ln = nn.LayerNorm()"
HEAD = "self.head = nn.Dense(self.vocab_size)"
SIZES = "sizes = self.hidden_dim, self.num_heads"
LAYERS = "[DecoderBlock(*sizes) for _ in range(self.num_layers)]"
LOOP = "for layer in self.layers:\n            h = layer(h)"
NORMED = "        h = self.ln(h)\n"
LOGITS = "return self.head(h)"
EMBED = "TokenAndPositionEmbedding(self.vocab_size, self.block_size, self.hidden_dim)"
CHECK = (
    "        if self.hidden_dim % self.num_heads != 0:\n"
    '            raise ValueError("hidden_dim must be a multiple of num_heads")\n'
)

# In the file with `@nn.compact`.
COMPACT_CHECK = COMPACT[COMPACT.index("        if self") : COMPACT.index("        y = nn.Layer")]
COMPACT_SUBLAYERS = COMPACT[COMPACT.index("        y = nn.LayerNorm()(x)\n        y = Einsum") :]
COMPACT_SUBLAYERS = COMPACT_SUBLAYERS[: COMPACT_SUBLAYERS.index("\n\n\n")]
COMPACT_ATTENTION = """EinsumMultiHeadAttention(
            num_heads=self.num_heads, head_dim=self.hidden_dim // self.num_heads
        )(y)"""
COMPACT_STACK = """        for _ in range(self.num_layers):
            x = DecoderBlock(self.hidden_dim, self.num_heads)(x)
        x = nn.LayerNorm()(x)
"""

post_norm = (
    BOTH,
    """x = self.ln1(x + self.attn(x))
        return self.ln2(x + self.ff(x))""",
)
norm_after = (
    BOTH,
    """x = x + self.ln1(self.attn(x))
        return x + self.ln2(self.ff(x))""",
)
no_first_norm = (FIRST, "x = x + self.attn(x)")
no_second_norm = (SECOND, "x = x + self.ff(x)")
shared_norm = (SECOND, "x = x + self.ff(self.ln1(x))")
no_first_residual = (FIRST, "x = self.attn(self.ln1(x))")
no_second_residual = (SECOND, "x = self.ff(self.ln2(x))")
swapped = (BOTH, f"{SECOND}\n        {FIRST}\n        return x")
parallel = (BOTH, "return x + self.attn(self.ln1(x)) + self.ff(self.ln2(x))")
from_input = (BOTH, "h = x + self.attn(self.ln1(x))\n        return x + self.ff(self.ln2(h))")
no_final_norm = (NORMED, "")
swapped_heads = (
    "EinsumMultiHeadAttention(self.num_heads, head_dim)",
    "EinsumMultiHeadAttention(head_dim, self.num_heads)",
)
one_shared_block = (
    "self.layers = " + LAYERS,
    "self.layers = [DecoderBlock(self.hidden_dim, self.num_heads)] * self.num_layers",
)
first_block_repeated = (LOOP, "for _ in self.layers:\n            h = self.layers[0](h)")
softmax = (LOGITS, "return jax.nn.softmax(self.head(h))")
log_softmax = (LOGITS, "return nn.log_softmax(self.head(h), axis=-1)")
with_residual = ("h = layer(h)", "h = h + layer(h)")
no_bias = (HEAD, "self.head = nn.Dense(self.vocab_size, use_bias=False)")


def all_norms(norm: str) -> tuple[tuple[str, str], ...]:
    """Edits that replace every norm: those of the block first, then the last norm."""
    return (
        (NORMS, f"self.ln1 = {norm}\n        self.ln2 = {norm}"),
        (FINAL_NORM, f"self.ln = {norm}"),
    )


zero_head = (HEAD, "self.head = nn.Dense(self.vocab_size, kernel_init=nn.initializers.zeros)")

ANSWERS = [
    right("setup, other names, attention first", by_setup()),
    right("compact", compact()),
    right(
        "uneven heads refused when the module is made",
        by_setup(
            (CHECK, ""),
            (
                "    num_heads: int\n\n    def setup(self):\n        head_dim",
                "    num_heads: int\n\n    def __post_init__(self):\n"
                + CHECK
                + "        super().__post_init__()\n\n    def setup(self):\n        head_dim",
            ),
            (
                "    num_heads: int\n\n    def setup(self):\n        self.embed",
                "    num_heads: int\n\n    def __post_init__(self):\n"
                + CHECK
                + "        super().__post_init__()\n\n    def setup(self):\n        self.embed",
            ),
        ),
    ),
    right(
        "compact, everything named, norms created first and in reverse",
        compact(
            (
                COMPACT_SUBLAYERS,
                """        late = nn.LayerNorm(name="ln_a")
        early = nn.LayerNorm(name="ln_b")
        think = FeedForward(self.hidden_dim, name="a_mlp")
        talk = EinsumMultiHeadAttention(
            self.num_heads, self.hidden_dim // self.num_heads, name="z_attention"
        )
        x = talk(early(x)) + x
        return think(late(x)) + x""",
            )
        ),
    ),
    right(
        "nn.Sequential of the blocks",
        by_setup(
            ("self.layers = " + LAYERS, "self.layers = nn.Sequential(" + LAYERS + ")"),
            (LOOP, "h = self.layers(h)"),
        ),
    ),
    right(
        "one nn.Sequential for the whole model",
        compact(
            (
                COMPACT[COMPACT.index("        x = TokenAnd") :],
                """        return nn.Sequential([
            TokenAndPositionEmbedding(self.vocab_size, self.block_size, self.hidden_dim),
            *(DecoderBlock(self.hidden_dim, self.num_heads) for _ in range(self.num_layers)),
            nn.LayerNorm(),
            nn.Dense(self.vocab_size),
        ])(tokens)
""",
            )
        ),
    ),
    right(
        "blocks by setattr",
        by_setup(
            (
                "self.layers = " + LAYERS,
                """for i in range(self.num_layers):
            setattr(self, f"layer{i}", DecoderBlock(self.hidden_dim, self.num_heads))""",
            ),
            (
                LOOP,
                "for i in range(self.num_layers):\n            h = getattr(self, f'layer{i}')(h)",
            ),
        ),
    ),
    right(
        "norms in a list, sublayers in a list",
        by_setup(
            (NORMS, "self.norms = [nn.LayerNorm(), nn.LayerNorm()]"),
            (
                BOTH,
                """for norm, layer in zip(self.norms, (self.attn, self.ff)):
            x = x + layer(norm(x))
        return x""",
            ),
        ),
    ),
    right(
        "a dictionary of blocks",
        by_setup(
            (
                "self.layers = " + LAYERS,
                """self.layers = {
            f"number_{i}": DecoderBlock(self.hidden_dim, self.num_heads)
            for i in range(self.num_layers)
        }""",
            ),
            (
                LOOP,
                "for i in range(self.num_layers):\n            h = self.layers[f'number_{i}'](h)",
            ),
        ),
    ),
    right(
        "blocks named last to first",
        compact(
            (
                COMPACT_STACK,
                """        blocks = [
            DecoderBlock(self.hidden_dim, self.num_heads, name=f"b{self.num_layers - i}")
            for i in range(self.num_layers)
        ]
        for block in blocks:
            x = block(x)
        x = nn.LayerNorm(epsilon=1e-6, use_fast_variance=False, name="b0")(x)
""",
            )
        ),
    ),
    right(
        "norms created last to first, uneven heads refused at the end",
        by_setup(
            (CHECK, "        assert self.hidden_dim\n"),
            ("head_dim = self", "head_dim, rest = divmod(self"),
            (".hidden_dim // self.num_heads\n", ".hidden_dim, self.num_heads)\n"),
            (
                NORMS,
                "self.ln2 = nn.LayerNorm()\n        self.ln1 = nn.LayerNorm()\n"
                '        if rest:\n            raise ValueError("uneven heads")',
            ),
        ),
    ),
    right(
        "a helper for the sublayers, norms from a generator",
        by_setup(
            (NORMS, "self.ln1, self.ln2 = (nn.LayerNorm() for _ in range(2))"),
            (
                BOTH,
                """def around(x, norm, layer):
            return jnp.add(x, layer(norm(x)))

        return around(around(x, self.ln1, self.attn), self.ln2, self.ff)""",
            ),
        ),
    ),
    right(
        "a separate module for each sublayer",
        TOP
        + """

class PreNorm(nn.Module):
    inner: nn.Module

    @nn.compact
    def __call__(self, x):
        return x + self.inner(nn.LayerNorm()(x))


class DecoderBlock(nn.Module):
    hidden_dim: int
    num_heads: int

    def setup(self):
        H, rest = divmod(self.hidden_dim, self.num_heads)
        if rest > 0:
            raise ValueError
        self.talk = PreNorm(EinsumMultiHeadAttention(self.num_heads, H))
        self.think = PreNorm(FeedForward(self.hidden_dim))

    def __call__(self, x):
        return self.think(self.talk(x))
"""
        + SETUP[SETUP.index("\n\nclass MiniGPT") :],
    ),
    right(
        "blocks rematerialised",
        compact(
            (
                COMPACT_STACK,
                """        for _ in range(self.num_layers):
            x = nn.remat(DecoderBlock)(self.hidden_dim, self.num_heads)(x)
        x = nn.LayerNorm()(x)
""",
            )
        ),
    ),
    right(
        "blocks in an nn.scan, with stacked weights",
        compact(
            (
                COMPACT_STACK,
                """        def one(block, x, _):
            return block(x), None

        scan = nn.scan(
            one,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=self.num_layers,
        )
        x, _ = scan(DecoderBlock(self.hidden_dim, self.num_heads), x, None)
        x = nn.LayerNorm()(x)
""",
            )
        ),
    ),
    wrong(
        "blocks in an nn.scan, no last norm",
        compact(
            (
                COMPACT_STACK,
                """        def one(block, x, _):
            return block(x), None

        scan = nn.scan(
            one,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=self.num_layers,
        )
        x, _ = scan(DecoderBlock(self.hidden_dim, self.num_heads), x, None)
""",
            )
        ),
        "final_norm_missing",
    ),
    right(
        "blocks inlined in the model",
        TOP
        + COMPACT[: COMPACT.index("\n\nclass MiniGPT")]
        + """

class MiniGPT(nn.Module):
    vocab_size: int
    hidden_dim: int
    block_size: int
    num_layers: int
    num_heads: int

    @nn.compact
    def __call__(self, tokens):
        H, rest = divmod(self.hidden_dim, self.num_heads)
        if rest:
            raise ValueError("heads")
        x = TokenAndPositionEmbedding(self.vocab_size, self.block_size, self.hidden_dim)(tokens)
        for _ in range(self.num_layers):
            x += EinsumMultiHeadAttention(self.num_heads, H)(nn.LayerNorm()(x))
            x += FeedForward(self.hidden_dim)(nn.LayerNorm()(x))
        return nn.Dense(self.vocab_size)(nn.LayerNorm()(x))
""",
    ),
    right(
        "the last norm by hand",
        by_setup(
            (
                FINAL_NORM,
                'self.g = self.param("g", nn.initializers.ones, (self.hidden_dim,))\n'
                '        self.b = self.param("b", nn.initializers.zeros, (1, 1, self.hidden_dim))',
            ),
            (
                NORMED,
                "        h = h - h.mean(-1, keepdims=True)\n"
                "        h = h * jax.lax.rsqrt(jnp.var(h, -1, keepdims=True) + 1e-6)\n"
                "        h = h * self.g + self.b\n",
            ),
        ),
    ),
    right(
        "keyword arguments, layers applied by reduce",
        by_setup(
            (
                LAYERS,
                "tuple(DecoderBlock(num_heads=self.num_heads, hidden_dim=self.hidden_dim) "
                "for _ in range(self.num_layers))",
            ),
            (
                LOOP + "\n" + NORMED + "        " + LOGITS,
                """from functools import reduce

        return self.head(self.ln(reduce(lambda x, f: f(x), self.layers, h)))""",
            ),
        ),
    ),
    # The block.
    wrong("post-norm", by_setup(post_norm), "post_norm"),
    wrong(
        "post-norm, compact",
        compact(
            (
                COMPACT_SUBLAYERS,
                f"""        y = x
        x = nn.LayerNorm()(x + {COMPACT_ATTENTION})
        return nn.LayerNorm()(x + FeedForward(self.hidden_dim)(x))""",
            )
        ),
        "post_norm",
    ),
    wrong("norm after the sublayer", by_setup(norm_after), "norm_after_sublayer"),
    wrong(
        "normed x on the residual connection",
        by_setup(
            (
                BOTH,
                """x = self.ln1(x)
        x = x + self.attn(x)
        x = self.ln2(x)
        x = x + self.ff(x)
        return x""",
            )
        ),
        "residual_normed",
    ),
    wrong("no norm before attention", by_setup(no_first_norm), "attention_norm_missing"),
    wrong("no norm before feed-forward", by_setup(no_second_norm), "feed_forward_norm_missing"),
    wrong(
        "no norm before feed-forward, created and unused",
        compact(
            (
                "y = nn.LayerNorm()(x)\n        y = FeedForward(self.hidden_dim)(y)",
                "y = nn.LayerNorm()(x)\n        y = FeedForward(self.hidden_dim)(x)",
            )
        ),
    ),
    wrong(
        "no norms in the block",
        by_setup(no_first_norm, no_second_norm),
        "attention_norm_missing",
        "feed_forward_norm_missing",
    ),
    wrong("norms shared", by_setup(shared_norm), "norms_shared"),
    wrong(
        "norms shared, by assignment",
        by_setup((NORMS, "self.ln1 = self.ln2 = nn.LayerNorm()")),
        "norms_shared",
    ),
    wrong(
        "no residual around attention", by_setup(no_first_residual), "attention_residual_missing"
    ),
    wrong(
        "no residual around feed-forward",
        compact(("        return x + y", "        return y")),
        "feed_forward_residual_missing",
    ),
    wrong(
        "no residuals",
        by_setup(no_first_residual, no_second_residual),
        "attention_residual_missing",
        "feed_forward_residual_missing",
    ),
    wrong("second sum starts from the block's input", by_setup(from_input), "residual_from_input"),
    wrong(
        "one residual connection around both",
        by_setup((BOTH, "return x + self.ff(self.ln2(self.attn(self.ln1(x))))")),
        "residual_from_input",
        "attention_residual_missing",
    ),
    wrong("feed-forward first", by_setup(swapped), "sublayers_swapped"),
    wrong("sublayers in parallel", by_setup(parallel), "sublayers_parallel"),
    wrong(
        "sublayers in parallel, one norm",
        by_setup((BOTH, "y = self.ln1(x)\n        return x + self.attn(y) + self.ff(y)")),
        "sublayers_parallel",
        "norms_shared",
    ),
    wrong(
        "post-norm, one norm",
        by_setup((BOTH, "x = self.ln1(x + self.attn(x))\n        return self.ln1(x + self.ff(x))")),
        "post_norm",
        "norms_shared",
    ),
    wrong(
        "feed-forward first, no norm before it",
        by_setup((BOTH, f"x = x + self.ff(x)\n        {FIRST}\n        return x")),
        "sublayers_swapped",
        "feed_forward_norm_missing",
    ),
    wrong("attention missing", by_setup((FIRST, "x = x")), "attention_missing"),
    wrong("feed-forward missing", by_setup((SECOND, "x = x")), "feed_forward_missing"),
    wrong("num_heads and head_dim swapped", by_setup(swapped_heads), "heads_swapped"),
    wrong(
        "num_heads and head_dim swapped, feed-forward first",
        by_setup(swapped_heads, swapped),
        "heads_swapped",
        "sublayers_swapped",
    ),
    wrong("RMSNorm", by_setup(*all_norms("nn.RMSNorm()")), "rms_norm"),
    wrong(
        "norms without bias",
        by_setup(*all_norms("nn.LayerNorm(use_bias=False)")),
        "norm_without_bias",
    ),
    wrong(
        "norms without scale",
        by_setup(*all_norms("nn.LayerNorm(use_scale=False)")),
        "norm_without_scale",
    ),
    wrong(
        "norms without either",
        by_setup(*all_norms("nn.LayerNorm(use_scale=False, use_bias=False)")),
        "norm_without_scale",
        "norm_without_bias",
    ),
    wrong(
        "hidden_dim as epsilon",
        by_setup(*all_norms("nn.LayerNorm(self.hidden_dim)")),
        "norm_epsilon_is_hidden_dim",
    ),
    wrong(
        "hidden_dim as epsilon in the block",
        by_setup(all_norms("nn.LayerNorm(self.hidden_dim)")[0]),
        "norm_epsilon_is_hidden_dim",
    ),
    wrong("epsilon 1e-5", by_setup(*all_norms("nn.LayerNorm(epsilon=1e-5)")), "norm_epsilon"),
    wrong(
        "epsilon 1e-5 in the block", by_setup(all_norms("nn.LayerNorm(1e-5)")[0]), "norm_epsilon"
    ),
    wrong(
        "epsilon 1e-5 in the last norm",
        by_setup((FINAL_NORM, "self.ln = nn.LayerNorm(1e-5)")),
        "norm_epsilon",
    ),
    wrong("epsilon 1e-8", by_setup(*all_norms("nn.LayerNorm(epsilon=1e-8)"))),
    # The whole model.
    wrong("one block", by_setup((LOOP, "h = self.layers[0](h)")), "first_block_only"),
    wrong("one block reused", by_setup(first_block_repeated), "blocks_shared"),
    wrong("one block reused, in a list", by_setup(one_shared_block), "blocks_shared"),
    wrong(
        "every block reads the embedding",
        by_setup(("h = layer(h)", "y = layer(h)"), (NORMED, "        h = self.ln(y)\n")),
        "blocks_unchained",
    ),
    wrong(
        "residual connections around the blocks", by_setup(with_residual), "blocks_with_residual"
    ),
    wrong("no last norm", by_setup(no_final_norm), "final_norm_missing"),
    wrong(
        "last norm before the blocks",
        by_setup(
            (NORMED, ""),
            ("h = self.embed(tokens)", "h = self.ln(self.embed(tokens))"),
        ),
        "final_norm_first",
    ),
    wrong(
        "last norm in the loop",
        by_setup((NORMED, "            h = self.ln(h)\n")),
        "final_norm_in_loop",
    ),
    wrong("no last Dense", by_setup((LOGITS, "return h")), "dense_missing"),
    wrong(
        "neither last norm nor last Dense",
        by_setup(no_final_norm, (LOGITS, "return h")),
        "final_norm_missing",
        "dense_missing",
    ),
    wrong("last Dense without bias", by_setup(no_bias), "dense_without_bias"),
    wrong(
        "token table as the last Dense",
        by_setup((LOGITS, "return self.embed.token_embedding.attend(h)")),
        "dense_tied",
    ),
    wrong("softmax", by_setup(softmax), "softmax_at_the_end"),
    wrong("log_softmax", by_setup(log_softmax), "log_softmax_at_the_end"),
    wrong(
        "softmax, no last norm",
        by_setup(softmax, no_final_norm),
        "softmax_at_the_end",
        "final_norm_missing",
    ),
    wrong(
        "post-norm, no last norm: the original Transformer",
        by_setup(post_norm, no_final_norm),
        "post_norm",
        "final_norm_missing",
    ),
    wrong(
        "one block reused, no last norm",
        by_setup(one_shared_block, no_final_norm),
        "blocks_shared",
        "final_norm_missing",
    ),
    wrong(
        "softmax, no residual around attention",
        by_setup(softmax, no_first_residual),
        "softmax_at_the_end",
        "attention_residual_missing",
    ),
    wrong(
        "token table only",
        by_setup(
            (
                "self.embed = " + EMBED,
                "self.embed = nn.Embed(self.vocab_size, self.hidden_dim)",
            )
        ),
        "positions_forgotten",
    ),
    # Mistakes that the fault model does not cover.
    wrong(
        "a custom embedding that accepts any length",
        by_setup(
            (
                "self.embed = " + EMBED,
                "self.what = nn.Embed(self.vocab_size, self.hidden_dim)\n"
                "        self.where = nn.Embed(self.block_size, self.hidden_dim)",
            ),
            ("self.embed(tokens)", "self.what(tokens) + self.where(jnp.arange(tokens.shape[1]))"),
        ),
    ),
    wrong("uneven heads not refused", by_setup((CHECK, ""))),
    wrong(
        "uneven heads asserted",
        by_setup((CHECK, "        assert self.hidden_dim % self.num_heads == 0\n")),
    ),
    wrong(
        "uneven heads refused in the model only",
        compact(
            (
                COMPACT_CHECK,
                "",
            ),
            (
                "        x = TokenAnd",
                "        if self.hidden_dim % self.num_heads:\n"
                "            raise ValueError\n"
                "        x = TokenAnd",
            ),
        ),
    ),
    wrong(
        "uneven heads refused with a TypeError", by_setup(("raise ValueError(", "raise TypeError("))
    ),
    wrong("two layers, whatever num_layers", by_setup(("range(self.num_layers)", "range(2)"))),
    wrong("one layer too many", by_setup(("range(self.num_layers)", "range(self.num_layers + 1)"))),
    wrong(
        "num_layers heads in the model",
        by_setup((SIZES, SIZES.replace("num_heads", "num_layers"))),
    ),
    wrong(
        "always three heads",
        by_setup(("num_heads, head_dim)", "num_heads * 0 + 3, self.hidden_dim // 3)")),
    ),
    wrong("three heads in the model", by_setup((SIZES, SIZES.replace("self.num_heads", "3")))),
    wrong("GELU instead of ReLU", by_setup().replace("nn.relu", "nn.gelu")),
    wrong("activation missing", by_setup().replace("nn.relu(self.up(x))", "self.up(x)")),
    wrong("feed-forward twice as wide", by_setup().replace("4 * self", "8 * self")),
    wrong("zeros", by_setup((LOGITS, "return 0 * self.head(h)"))),
    wrong("nothing returned from the model", by_setup((LOGITS, "self.head(h)"))),
    wrong("nothing returned from the block", by_setup((BOTH, f"{FIRST}\n        {SECOND}"))),
    wrong("logits transposed", by_setup((LOGITS, "return self.head(h).swapaxes(1, 2)"))),
    wrong("last position only", by_setup((LOGITS, "return self.head(h)[:, -1]"))),
    wrong("a tuple", by_setup((LOGITS, "return self.head(h), h"))),
    wrong("half precision", by_setup((LOGITS, "return self.head(h).astype(jnp.bfloat16)"))),
    wrong("half precision inside", by_setup((LOGITS, "return self.head(h.astype(jnp.bfloat16))"))),
    wrong(
        "half precision in the block",
        by_setup((SECOND, "x = x + self.ff(self.ln2(x)).astype(jnp.float16)")),
    ),
    wrong(
        "no gradient through attention",
        by_setup((FIRST, "x = x + jax.lax.stop_gradient(self.attn(self.ln1(x)))")),
    ),
    wrong(
        "no gradient between the blocks",
        by_setup(("h = layer(h)", "h = layer(jax.lax.stop_gradient(h))")),
    ),
    wrong("sublayers scaled", by_setup((FIRST, "x = x + 0.5 * self.attn(self.ln1(x))"))),
    wrong("x added twice", by_setup((SECOND, "x = x + x + self.ff(self.ln2(x))"))),
    wrong(
        "mean over positions subtracted",
        by_setup((LOGITS, "return self.head(h - h.mean(1, keepdims=True))")),
    ),
    wrong(
        "an extra norm",
        by_setup(("h = self.embed(tokens)", "h = nn.LayerNorm()(self.embed(tokens))")),
    ),
    wrong(
        "an extra norm in the block",
        compact(("        return x + y", "        return nn.LayerNorm()(x + y)")),
    ),
    wrong(
        "wrong for a batch of one",
        by_setup((FIRST, "x = x + self.attn(self.ln1(x)) * min(x.shape[0] - 1, 1)")),
    ),
    wrong("wrong for a single position", by_setup((FIRST, f"{FIRST} * min(x.shape[1] - 1, 1)"))),
    wrong("axes of size 1 squeezed", by_setup((LOGITS, "return self.head(h).squeeze()"))),
    wrong("logits clipped", by_setup((LOGITS, "return jnp.clip(self.head(h), -3, 3)"))),
    wrong(
        "tanh of the block's output",
        by_setup((BOTH, f"{FIRST}\n        {SECOND}\n        return jnp.tanh(x)")),
    ),
    wrong("batch norm", by_setup(*all_norms("nn.BatchNorm(use_running_average=True)"))),
    wrong(
        "norm over the positions too",
        by_setup((NORMS, NORMS.replace("LayerNorm()", "LayerNorm(reduction_axes=(-2, -1))"))),
    ),
    wrong("no MiniGPT", TOP + SETUP[: SETUP.index("\n\nclass MiniGPT")]),
    right(
        "every norm by hand, bare parameters in another order",
        by_setup(
            (
                NORMS,
                """zeros, ones = nn.initializers.zeros, nn.initializers.ones
        shape = (self.hidden_dim,)
        self.beta1 = self.param("beta1", zeros, shape)
        self.beta2 = self.param("beta2", zeros, shape)
        self.gamma1 = self.param("gamma1", ones, shape)
        self.gamma2 = self.param("gamma2", ones, shape)""",
            ),
            (
                BOTH,
                """x = x + self.attn(norm(x, self.gamma1, self.beta1))
        x = x + self.ff(norm(x, self.gamma2, self.beta2))
        return x""",
            ),
            (
                FINAL_NORM,
                """self.beta = self.param("beta", nn.initializers.zeros, (self.hidden_dim,))
        self.gamma = self.param("gamma", nn.initializers.ones, (self.hidden_dim,))""",
            ),
            ("h = self.ln(h)", "h = norm(h, self.gamma, self.beta)"),
        )
        + """

def norm(x, gamma, beta):
    x = x - x.mean(-1, keepdims=True)
    return x / jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * gamma + beta
""",
    ),
    right(
        "the last Dense initialized to zero",
        by_setup(
            (HEAD, "self.head = nn.Dense(self.vocab_size, kernel_init=nn.initializers.zeros)")
        ),
    ),
    wrong(
        "the third block reads the embedding",
        by_setup(
            (
                LOOP,
                "came = h\n        for i, layer in enumerate(self.layers):\n"
                "            h = layer(h if i < 2 else came)",
            )
        ),
    ),
    wrong(
        "last norm's scale and last Dense both initialized to zero",
        by_setup(
            (FINAL_NORM, "self.ln = nn.LayerNorm(scale_init=nn.initializers.zeros)"),
            zero_head,
        ),
    ),
    wrong(
        "float16 in the last Dense",
        by_setup((HEAD, "self.head = nn.Dense(self.vocab_size, param_dtype=jnp.float16)")),
    ),
    # Sizes that stand in the code, and more.
    wrong(
        "the blocks' results are not used", by_setup(("h = layer(h)", "layer(h)")), "blocks_ignored"
    ),
    wrong(
        "six blocks at most",
        by_setup(("for layer in self.layers:", "for layer in self.layers[:6]:")),
    ),
    wrong("head_dim 4", by_setup(("head_dim = self.hidden_dim // self.num_heads", "head_dim = 4"))),
    wrong(
        "the embedding added to the last block's output",
        by_setup(
            (
                LOOP,
                f"e = h\n        {LOOP}\n        h = h + e",
            )
        ),
    ),
    wrong(
        "logits divided by the root of C",
        by_setup((LOGITS, "return self.head(h) / self.hidden_dim**0.5")),
    ),
    wrong("half of the residual", by_setup((FIRST, "x = 0.5 * x + self.attn(self.ln1(x))"))),
    wrong(
        "the norm of the second sublayer reads the block's input",
        by_setup((BOTH, "y = x + self.attn(self.ln1(x))\n        return y + self.ff(self.ln2(x))")),
        "sublayers_parallel",
    ),
]
