"""Answers to task 1."""

from tests.project.answers.bank import right, wrong

SETUP = """
import flax.linen as nn
import jax
import jax.numpy as jnp


class TokenAndPositionEmbedding(nn.Module):
    vocab_size: int
    block_size: int
    hidden_dim: int

    def setup(self):
        self.wpe = nn.Embed(self.block_size, self.hidden_dim)
        self.wte = nn.Embed(self.vocab_size, self.hidden_dim)

    def __call__(self, idx):
        B, T = idx.shape
        if T > self.block_size:
            raise ValueError("too long")
        where = self.wpe(jnp.arange(T))
        what = self.wte(idx)
        return what + where
"""

COMPACT = """
import flax.linen as nn
import jax
import jax.numpy as jnp


class TokenAndPositionEmbedding(nn.Module):
    vocab_size: int
    block_size: int
    hidden_dim: int

    @nn.compact
    def __call__(self, tokens):
        if tokens.shape[1] > self.block_size:
            raise ValueError(f"at most {{self.block_size}} tokens")
{body}
"""


def edited(*edits: tuple[str, str]) -> str:
    """The file with pieces replaced; each must occur exactly once."""
    text = SETUP
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def compact(body: str) -> str:
    """A file with `@nn.compact` and this body after the length check."""
    lines = [f"        {line}".rstrip() for line in body.strip().splitlines()]
    return COMPACT.format(body="\n".join(lines))


TABLES = """\
        self.wpe = nn.Embed(self.block_size, self.hidden_dim)
        self.wte = nn.Embed(self.vocab_size, self.hidden_dim)
"""
REFUSAL = """\
        if T > self.block_size:
            raise ValueError("too long")
"""
HERE = "jnp.arange(T)"
WHERE = "where = self.wpe(jnp.arange(T))"
WHAT = "what = self.wte(idx)"
SUM = "return what + where"

no_position = (SUM, "return what")
no_token = (SUM, "return jnp.broadcast_to(where, (B, T, self.hidden_dim))")
product = (SUM, "return what * where")
difference = (SUM, "return what - where")
backwards = (HERE, "jnp.arange(T)[::-1]")
from_one = (HERE, "jnp.arange(1, T + 1)")
by_batch = (HERE, "jnp.arange(B)[:, None]")
first_everywhere = (HERE, "jnp.zeros_like(idx)")
by_token = (HERE, "idx")
last_rows = (HERE, "jnp.arange(self.block_size - T, self.block_size)")
through = (HERE, "jnp.arange(B * T).reshape(B, T)")
token_by_place = (WHAT, "what = self.wte(jnp.broadcast_to(jnp.arange(T), idx.shape))")
mean = (SUM, "return (what + where) / 2")
scaled_token = (WHAT, "what = self.wte(idx) * self.hidden_dim ** 0.5")
scaled = (SUM, "return (what + where) * jnp.sqrt(self.hidden_dim)")

ANSWERS = [
    right("setup, nanoGPT's names, position table first", edited()),
    right(
        "compact",
        compact("""
x = nn.Embed(self.vocab_size, self.hidden_dim)(tokens)
return x + nn.Embed(self.block_size, self.hidden_dim)(jnp.arange(tokens.shape[1]))
"""),
    ),
    right(
        "compact, positions first, broadcast over the batch",
        compact("""
places = jnp.broadcast_to(jnp.arange(tokens.shape[1])[None], tokens.shape)
p = nn.Embed(num_embeddings=self.block_size, features=self.hidden_dim, name="where")(places)
t = nn.Embed(num_embeddings=self.vocab_size, features=self.hidden_dim, name="what")(tokens)
return jnp.add(p, t)
"""),
    ),
    right(
        "bare parameters, sliced table",
        compact("""
init = nn.initializers.normal(0.02)
pos = self.param("pos_emb", init, (1, self.block_size, self.hidden_dim))
tok = self.param("tok_emb", init, (self.vocab_size, self.hidden_dim))
return tok[tokens] + pos[:, : tokens.shape[1]]
"""),
    ),
    right(
        "one-hot vectors through a Dense without bias",
        compact("""
one_hot = jax.nn.one_hot(tokens, self.vocab_size)
what = nn.Dense(self.hidden_dim, use_bias=False)(one_hot)
table = nn.Embed(self.block_size, self.hidden_dim)
return what + table(jnp.arange(self.block_size))[: tokens.shape[1]]
"""),
    ),
    right(
        "one-hot vectors times both tables",
        compact("""
T = tokens.shape[-1]
a = self.param("a", nn.initializers.lecun_normal(), (self.vocab_size, self.hidden_dim))
b = self.param("b", nn.initializers.zeros, (self.block_size, self.hidden_dim))
return jnp.einsum("btv,vc->btc", jax.nn.one_hot(tokens, self.vocab_size), a) + (
    jnp.eye(T, self.block_size) @ b
)
"""),
    ),
    right(
        "a list of tables",
        edited(
            (
                TABLES,
                "        sizes = self.vocab_size, self.block_size\n"
                "        self.tables = [nn.Embed(n, self.hidden_dim) for n in sizes]\n",
            ),
            (WHERE, "where = self.tables[1](jnp.arange(T))"),
            (WHAT, "what = self.tables[0](idx)"),
        ),
    ),
    right(
        "a separate module for each table",
        edited(
            (
                "class TokenAndPositionEmbedding",
                "class Table(nn.Module):\n"
                "    rows: int\n"
                "    width: int\n\n"
                "    @nn.compact\n"
                "    def __call__(self, i):\n"
                "        init = nn.initializers.normal()\n"
                '        table = self.param("table", init, (self.rows, self.width))\n'
                "        return jnp.take(table, i, axis=0)\n\n\n"
                "class TokenAndPositionEmbedding",
            ),
            ("self.wpe = nn.Embed(", "self.wpe = Table("),
            ("self.wte = nn.Embed(", "self.wte = Table("),
        ),
    ),
    right(
        "positions by cumsum",
        edited((HERE, "jnp.cumsum(jnp.ones_like(idx), axis=1) - 1")),
    ),
    right(
        "refused after the computation, by a custom error",
        edited(
            (
                "class TokenAndPositionEmbedding",
                "class TooLong(ValueError):\n    pass\n\n\nclass TokenAndPositionEmbedding",
            ),
            (REFUSAL, ""),
            (
                SUM,
                "total = what + where\n"
                "        if not T <= self.block_size:\n"
                "            raise TooLong(T, self.block_size)\n"
                "        return total",
            ),
        ),
    ),
    wrong(
        "positions in a collection that is not trained",
        compact("""
init = nn.initializers.normal()
size = self.block_size, self.hidden_dim
where = self.variable("positions", "table", lambda: init(self.make_rng("params"), size))
what = nn.Embed(self.vocab_size, self.hidden_dim)(tokens)
return what + where.value[: tokens.shape[1]]
"""),
    ),
    right(
        "one position at a time",
        compact("""
what = nn.Embed(self.vocab_size, self.hidden_dim)
where = nn.Embed(self.block_size, self.hidden_dim)
columns = [what(tokens[:, t]) + where(jnp.array(t)) for t in range(tokens.shape[1])]
return jnp.stack(columns, axis=1)
"""),
    ),
    right(
        "vmap over the batch",
        compact("""
what = self.param("what", nn.initializers.normal(), (self.vocab_size, self.hidden_dim))
where = self.param("where", nn.initializers.normal(), (self.block_size, self.hidden_dim))

def embed(row):
    return what[row] + jax.lax.dynamic_slice_in_dim(where, 0, len(row))

return jax.vmap(embed)(tokens)
"""),
    ),
    right(
        "the sum accumulated in an array of zeros",
        edited(
            (
                SUM,
                "out = jnp.zeros((B, T, self.hidden_dim))\n"
                "        out = out.at[:, :T].add(what)\n"
                "        return out.at[:].add(where[None])",
            )
        ),
    ),
    wrong("no position", edited(no_position), "position_forgotten"),
    wrong(
        "no position, no position table",
        compact("return nn.Embed(self.vocab_size, self.hidden_dim)(tokens)"),
        "position_forgotten",
    ),
    wrong(
        "position table created, never used",
        edited((TABLES, TABLES.split("\n")[1] + "\n"), (WHERE, ""), no_position),
        "position_forgotten",
    ),
    wrong("no token", edited(no_token, (WHAT, "")), "token_forgotten"),
    wrong("no token, though looked up", edited(no_token), "token_forgotten"),
    wrong("product", edited(product), "tables_multiplied"),
    wrong("difference", edited(difference), "tables_subtracted"),
    wrong(
        "difference, token subtracted from position",
        edited((SUM, "return where - what")),
    ),
    wrong(
        "concatenated",
        edited(
            (WHERE, "where = self.wpe(jnp.broadcast_to(jnp.arange(T), idx.shape))"),
            (SUM, "return jnp.concatenate([what, where], axis=-1)"),
        ),
        "tables_concatenated",
    ),
    wrong(
        "concatenated along the tokens",
        edited(
            (WHERE, "where = self.wpe(jnp.broadcast_to(jnp.arange(T), idx.shape))"),
            (SUM, "return jnp.concatenate([what, where], axis=1)"),
        ),
    ),
    wrong(
        "concatenated, each half as wide",
        edited(
            (
                TABLES,
                "        half = self.hidden_dim // 2\n"
                "        self.wpe = nn.Embed(self.block_size, half)\n"
                "        self.wte = nn.Embed(self.vocab_size, self.hidden_dim - half)\n",
            ),
            (WHERE, "where = self.wpe(jnp.broadcast_to(jnp.arange(T), idx.shape))"),
            (SUM, "return jnp.concatenate([what, where], axis=-1)"),
        ),
    ),
    wrong("positions reversed", edited(backwards), "positions_reversed"),
    wrong("positions from 1", edited(from_one), "positions_shifted"),
    wrong(
        "positions from 1, clamped",
        edited((WHERE, "where = self.wpe.embedding[jnp.arange(T) + 1]"), (WHAT, WHAT)),
        "positions_shifted",
    ),
    wrong("positions from 1, wrapping around", edited((HERE, "(jnp.arange(T) + 1) % T"))),
    wrong("positions by the batch row", edited(by_batch), "position_of_batch"),
    wrong("positions continued through the batch", edited(through), "positions_through_batch"),
    wrong("position 0 everywhere", edited(first_everywhere), "position_zero"),
    wrong("the last position everywhere", edited((HERE, "jnp.array([T - 1])"))),
    wrong("positions by the token", edited(by_token), "position_of_token"),
    wrong("tokens by the position", edited(token_by_place), "token_of_position"),
    wrong("last rows of the table", edited(last_rows), "positions_at_the_end"),
    wrong("mean", edited(mean), "averaged"),
    wrong("token scaled by √hidden_dim", edited(scaled_token), "token_scaled"),
    wrong("sum scaled", edited(scaled), "sum_scaled"),
    wrong(
        "sum scaled down",
        edited((SUM, "return (what + where) / self.hidden_dim ** 0.5")),
        "sum_scaled_down",
    ),
    wrong("position added twice", edited((SUM, "return what + where + where"))),
    wrong(
        "both tables indexed with the other's index",
        edited(by_token, token_by_place),
        "tables_swapped",
    ),
    wrong(
        "reversed and scaled", edited(backwards, scaled_token), "positions_reversed", "token_scaled"
    ),
    wrong(
        "from 1 and multiplied", edited(from_one, product), "positions_shifted", "tables_multiplied"
    ),
    wrong(
        "no position, scaled",
        edited((SUM, "return what * self.hidden_dim ** 0.5")),
        "position_forgotten",
        "sum_scaled",
    ),
    wrong(
        "no token, reversed", edited(no_token, backwards), "token_forgotten", "positions_reversed"
    ),
    wrong(
        "positions by the batch row, mean", edited(by_batch, mean), "position_of_batch", "averaged"
    ),
    wrong(
        "position 0, difference",
        edited(first_everywhere, difference),
        "position_zero",
        "tables_subtracted",
    ),
    wrong("last rows, mean", edited(last_rows, mean), "positions_at_the_end", "averaged"),
    wrong("too long is not refused", edited((REFUSAL, ""))),
    wrong("too long is clamped", edited((REFUSAL, ""), (HERE, "jnp.arange(T) % self.block_size"))),
    wrong(
        "too long is cut off",
        edited((REFUSAL, "        idx = idx[:, : self.block_size]\n        T = idx.shape[1]\n")),
    ),
    wrong(
        "too long is an assertion",
        edited((REFUSAL, "        assert T <= self.block_size\n")),
    ),
    wrong("a full block is refused", edited(("T > self", "T >= self"))),
    wrong("batch size checked instead of the length", edited(("if T >", "if B >"))),
    wrong("refused only if slightly too long", edited(("if T >", "if 2 * self.block_size > T >"))),
    wrong("no return", edited((SUM, "what + where"))),
    wrong("zeros", edited((SUM, "return jnp.zeros_like(what + where)"))),
    wrong("output axes swapped", edited((SUM, "return (what + where).swapaxes(0, 1)"))),
    wrong("half precision", edited((SUM, "return (what + where).astype(jnp.float16)"))),
    wrong("rounded to half", edited((SUM, "return (what + where).astype('bfloat16') * 1.0"))),
    wrong("positions are not learned", edited((SUM, "return what + jax.lax.stop_gradient(where)"))),
    wrong(
        "positions for the whole block, whatever T",
        edited((HERE, "jnp.arange(self.block_size)")),
    ),
    wrong("position table of vocab_size rows", edited(("Embed(self.block", "Embed(self.vocab"))),
    wrong(
        "position table as long as the first input",
        compact("""
what = nn.Embed(self.vocab_size, self.hidden_dim)(tokens)
return what + nn.Embed(tokens.shape[1], self.hidden_dim)(jnp.arange(tokens.shape[1]))
"""),
    ),
    wrong(
        "sinusoids instead of a table",
        compact("""
what = nn.Embed(self.vocab_size, self.hidden_dim)(tokens)
angle = jnp.arange(tokens.shape[1])[:, None] / 10_000 ** (
    jnp.arange(self.hidden_dim) / self.hidden_dim
)
return what + jnp.where(jnp.arange(self.hidden_dim) % 2, jnp.cos(angle), jnp.sin(angle))
"""),
    ),
    wrong("one layer too many", edited((SUM, "return nn.LayerNorm()(what + where)"))),
    wrong("a single token has no position", edited((SUM, "return what + where * (T > 1)"))),
    wrong("token 0 treated as padding", edited((WHAT, f"{WHAT} * (idx > 0)[..., None]"))),
    wrong("a batch of one loses its axis", edited((SUM, "return (what + where).squeeze()"))),
    wrong("the last token skipped", edited((WHAT, "what = self.wte(idx).at[:, -1].set(0)"))),
    wrong("a constant output", edited((SUM, "return (what + where) * 0 + 0.5"))),
    wrong("a constant added", edited((SUM, "return what + where + 1e-2"))),
    right(
        "tables boxed with the names of their axes",
        edited(
            (
                "nn.Embed(self.vocab_size, self.hidden_dim)",
                "nn.Embed(\n"
                "            self.vocab_size,\n"
                "            self.hidden_dim,\n"
                "            embedding_init=nn.with_partitioning(\n"
                '                nn.initializers.normal(0.02), ("vocab", "embed")\n'
                "            ),\n"
                "        )",
            )
        ),
    ),
    right("T from idx.shape again", edited((HERE, "jax.numpy.arange(idx.shape[-1])"))),
    wrong(
        "bfloat16 tables",
        edited(
            (
                "self.vocab_size, self.hidden_dim)",
                "self.vocab_size, self.hidden_dim, param_dtype=jnp.bfloat16)",
            ),
            (
                "self.block_size, self.hidden_dim)",
                "self.block_size, self.hidden_dim, param_dtype=jnp.bfloat16)",
            ),
        ),
    ),
    wrong("tokens cast to int8", edited((WHAT, "what = self.wte(idx.astype(jnp.int8))"))),
    # Sizes that stand in the code, and more.
    wrong(
        "positions up to 63 only",
        edited(("self.wpe(jnp.arange(T))", "self.wpe(jnp.minimum(jnp.arange(T), 63))")),
    ),
    wrong(
        "32 positions looked up",
        edited(("self.wpe(jnp.arange(T))", "self.wpe(jnp.arange(32))[:T]")),
    ),
    wrong(
        "tokens above 64 are the last one",
        edited(("self.wte(idx)", "self.wte(jnp.minimum(idx, 64))")),
    ),
    wrong(
        "positions repeat after 8",
        edited(("self.wpe(jnp.arange(T))", "self.wpe(jnp.arange(T) % 8)")),
    ),
    wrong("refuses from 1,024 on", edited(("T > self.block_size", "T > 1024"))),
    wrong(
        "positions centred", edited(("jnp.arange(T)", "jnp.arange(T) + (self.block_size - T) // 2"))
    ),
    wrong(
        "tokens scaled by the root of C",
        edited(("what = self.wte(idx)", "what = self.wte(idx) * self.hidden_dim**0.5")),
        "token_scaled",
    ),
    wrong(
        "normalized to length 1",
        edited(
            (
                "return what + where",
                "length = jnp.linalg.norm(what + where, axis=-1, keepdims=True)\n"
                "        return (what + where) / length",
            )
        ),
    ),
    wrong(
        "the tables' numbers of rows swapped",
        edited(
            ("nn.Embed(self.block_size", "nn.Embed(rows"),
            ("nn.Embed(self.vocab_size", "nn.Embed(self.block_size"),
            ("nn.Embed(rows", "nn.Embed(self.vocab_size"),
        ),
        "tables_swapped",
    ),
    wrong(
        "positions looked up in the tokens' table",
        edited(("self.wpe(jnp.arange(T))", "self.wte(jnp.arange(T))")),
        "one_table_for_both",
    ),
    wrong(
        "a LayerNorm after the sum",
        compact("""
where = nn.Embed(self.block_size, self.hidden_dim)(jnp.arange(tokens.shape[1]))
return nn.LayerNorm()(nn.Embed(self.vocab_size, self.hidden_dim)(tokens) + where)
"""),
    ),
    wrong(
        "positions only where the token is not 0",
        edited(("return what + where", "return what + jnp.where((idx > 0)[..., None], where, 0)")),
    ),
]
