"""Answers to task 3."""

from tests.project.answers.bank import right, wrong

TEMPLATE = """
import math
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp


class EinsumMultiHeadAttention(nn.Module):
    num_heads: int
    head_dim: int

    def setup(self):
        width = self.num_heads * self.head_dim
        self.query = nn.Dense(width, use_bias=False)
        self.key = nn.Dense(width, use_bias=False)
        self.value = nn.Dense(width, use_bias=False)
        self.dense = nn.Dense(width)

    def __call__(self, x):
{body}
"""

BODY = """
B, T, C = x.shape
N, H = self.num_heads, self.head_dim
q, k, v = self.query(x), self.key(x), self.value(x)
q = q.reshape(B, T, N, H)
k = k.reshape(B, T, N, H)
v = v.reshape(B, T, N, H)
scores = jnp.einsum("bqnh,bknh->bnqk", q, k) / jnp.sqrt(H)
mask = jnp.tril(jnp.ones((T, T), dtype=bool))
scores = jnp.where(mask[None, None], scores, -1e9)
weights = jax.nn.softmax(scores, axis=-1)
out = jnp.einsum("bnqk,bknh->bqnh", weights, v)
return self.dense(out.reshape(B, T, N * H))
"""


def file(body: str = BODY) -> str:
    """A whole file with this body of `__call__`."""
    lines = [f"        {line}".rstrip() for line in body.strip().splitlines()]
    return TEMPLATE.format(body="\n".join(lines))


def edited(*edits: tuple[str, str]) -> str:
    """The file with pieces of the body replaced; each must occur exactly once."""
    body = BODY
    for old, new in edits:
        assert body.count(old) == 1, old
        body = body.replace(old, new)
    return file(body)


QKV = "q, k, v = self.query(x), self.key(x), self.value(x)"
SPLIT = """\
q = q.reshape(B, T, N, H)
k = k.reshape(B, T, N, H)
v = v.reshape(B, T, N, H)
"""
SCALE = " / jnp.sqrt(H)"
MASK = "jnp.tril(jnp.ones((T, T), dtype=bool))"
MASKING = "scores = jnp.where(mask[None, None], scores, -1e9)"
SOFTMAX = "weights = jax.nn.softmax(scores, axis=-1)"
MIX = 'out = jnp.einsum("bnqk,bknh->bqnh", weights, v)'
JOIN = "return self.dense(out.reshape(B, T, N * H))"
HEADS_FIRST = "q, k, v = (a.reshape(B, T, N, H).transpose(0, 2, 1, 3) for a in (q, k, v))\n"

no_scale = (SCALE, "")
by_width = (SCALE, " / jnp.sqrt(q.shape[-2] * H)")
no_mask = (f"{MASKING}\n", "")
strict = ("jnp.tril(jnp.ones((T, T), dtype=bool))", "jnp.tril(jnp.ones((T, T), dtype=bool), k=-1)")
loose = (MASK, "jnp.tril(jnp.ones((T, T), dtype=bool), k=1)")
backwards = (MASK, "jnp.triu(jnp.ones((T, T), dtype=bool))")
zero_fill = ("-1e9", "0.0")
late_mask = (f"{MASKING}\n{SOFTMAX}", f"{SOFTMAX}\nweights = jnp.where(mask, weights, 0)")
over_queries = (SOFTMAX, "weights = jax.nn.softmax(scores, axis=-2)")
over_heads = (SOFTMAX, "weights = jax.nn.softmax(scores, axis=1)")
swapped = ('"bqnh,bknh->bnqk"', '"bqnh,bknh->bnkq"')
transposed = ('"bnqk,bknh->bqnh"', '"bnkq,bknh->bqnh"')
unmixed = ('"bnqk,bknh->bqnh"', '"bnqk,bqnh->bqnh"')
untransposed_split = (
    SPLIT,
    "q, k, v = (a.reshape(B, N, T, H).swapaxes(1, 2) for a in (q, k, v))\n",
)
untransposed_join = (JOIN, "return self.dense(out.swapaxes(1, 2).reshape(B, T, N * H))")
columns = (SPLIT, "q, k, v = (a.reshape(B, T, H, N).swapaxes(2, 3) for a in (q, k, v))\n")
by_column = (JOIN, "return self.dense(out.swapaxes(2, 3).reshape(B, T, N * H))")
sizes = (SPLIT, "q, k, v = (a.reshape(B, T, H, N) for a in (q, k, v))\n")
no_dense = (JOIN, "return out.reshape(B, T, N * H)")
shared = (
    ('jnp.einsum("bqnh,bknh->bnqk", q, k)', 'jnp.einsum("bqnh,bknh->bqk", q, k)[:, None]'),
    (MIX, 'out = jnp.einsum("bqk,bknh->bqnh", weights[:, 0], v)'),
)

ANSWERS = [
    right("einsum throughout", file()),
    right(
        "heads first, by matmul",
        file("""
B, T, _ = x.shape
q, k, v = (
    layer(x).reshape(B, T, self.num_heads, self.head_dim).transpose(0, 2, 1, 3)
    for layer in (self.query, self.key, self.value)
)
scores = q @ k.swapaxes(-1, -2) * self.head_dim**-0.5
scores = scores + jnp.triu(jnp.full((T, T), -1e10), 1)
mixed = nn.softmax(scores) @ v
return self.dense(mixed.transpose(0, 2, 1, 3).reshape(B, T, -1))
"""),
    ),
    right(
        "scores of shape (B, S, T, N)",
        file("""
b, t, _ = x.shape
k, v, q = (m(x).reshape(b, t, self.num_heads, -1) for m in (self.key, self.value, self.query))
att = jnp.einsum("bsnd,btnd->bstn", k, q / math.sqrt(self.head_dim))
seen = jnp.arange(t)[:, None] <= jnp.arange(t)[None, :]
att = jax.nn.softmax(jnp.where(seen[None, :, :, None], att, -jnp.inf), axis=1)
return self.dense(jnp.einsum("bstn,bsnd->btnd", att, v).reshape(b, t, -1))
"""),
    ),
    right(
        "vmap over the heads",
        file("""
B, T, _ = x.shape
shape = B, T, self.num_heads, self.head_dim

def attend(q, k, v):
    scores = jnp.einsum("bth,bsh->bts", q, k) / self.head_dim**0.5
    scores = jnp.where(jnp.tri(T, dtype=bool), scores, -jnp.inf)
    return jax.nn.softmax(scores) @ v

q, k, v = self.query(x), self.key(x), self.value(x)
heads = jax.vmap(attend, in_axes=2, out_axes=2)
return self.dense(heads(q.reshape(shape), k.reshape(shape), v.reshape(shape)).reshape(B, T, -1))
"""),
    ),
    right(
        "vmap over batch and heads",
        file("""
T = x.shape[1]

@partial(jax.vmap)
@partial(jax.vmap, in_axes=1, out_axes=1)
def attend(q, k, v):
    scores = jnp.where(jnp.tri(T, dtype=bool), q @ k.T / self.head_dim**0.5, -jnp.inf)
    return jax.nn.softmax(scores) @ v

def split(y):
    return y.reshape(*y.shape[:2], self.num_heads, self.head_dim)

out = attend(split(self.query(x)), split(self.key(x)), split(self.value(x)))
return self.dense(out.reshape(*x.shape[:2], -1))
"""),
    ),
    right(
        "heads split and stacked",
        file("""
B, T, _ = x.shape

def split(y):
    return jnp.stack(jnp.split(y, self.num_heads, axis=-1))

q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
scores = jnp.einsum("nbth,nbsh->nbts", q, k) / self.head_dim**0.5
weights = jax.nn.softmax(scores, where=jnp.tri(T, dtype=bool), axis=-1)
out = jnp.einsum("nbts,nbsh->nbth", weights, v)
return self.dense(jnp.concatenate(list(out), axis=-1))
"""),
    ),
    right(
        "heads folded into the batch",
        file("""
B, T, _ = x.shape
N, H = self.num_heads, self.head_dim

def fold(y):
    return y.reshape(B, T, N, H).swapaxes(1, 2).reshape(B * N, T, H)

q, k, v = fold(self.query(x)), fold(self.key(x)), fold(self.value(x))
scores = jax.lax.batch_matmul(q, k.swapaxes(1, 2)) / H**0.5
scores = jnp.where(jnp.tri(T) == 0, -jnp.inf, scores)
scores = scores - jax.lax.stop_gradient(scores.max(-1, keepdims=True))
weights = jnp.exp(scores)
weights = weights / weights.sum(-1, keepdims=True)
out = jax.lax.batch_matmul(weights, v).reshape(B, N, T, H)
return self.dense(jnp.moveaxis(out, 1, 2).reshape(B, T, N * H))
"""),
    ),
    right(
        "jax.nn.dot_product_attention",
        file("""
q, k, v = (
    layer(x).reshape(*x.shape[:2], self.num_heads, self.head_dim)
    for layer in (self.query, self.key, self.value)
)
out = jax.nn.dot_product_attention(q, k, v, is_causal=True)
return self.dense(out.reshape(*x.shape[:2], -1))
"""),
    ),
    right(
        "flax's dot_product_attention",
        file("""
q, k, v = (
    layer(x).reshape(*x.shape[:2], self.num_heads, self.head_dim)
    for layer in (self.query, self.key, self.value)
)
out = nn.dot_product_attention(q, k, v, mask=nn.make_causal_mask(x[..., 0]))
return self.dense(out.reshape(*x.shape[:2], -1))
"""),
    ),
    right(
        "each head's columns selected by a mask",
        file("""
T, N, H = x.shape[1], self.num_heads, self.head_dim
owner = jnp.repeat(jnp.eye(N), H, axis=1)
q, k, v = self.query(x), self.key(x), self.value(x)
scores = jnp.einsum("btc,nc,bsc->bnts", q, owner, k) / H**0.5
weights = jax.nn.softmax(jnp.where(jnp.tri(T, dtype=bool), scores, -1e30))
return self.dense(jnp.einsum("bnts,bsc,nc->btc", weights, v, owner))
"""),
    ),
    right(
        "elementwise products and sums, no matmul",
        file("""
B, T, _ = x.shape
q, k, v = (y.reshape(B, T, self.num_heads, -1) for y in (self.query(x), self.key(x), self.value(x)))
scores = (q[:, :, None] * k[:, None]).sum(-1) / self.head_dim**0.5
mask = (jnp.arange(T)[:, None] >= jnp.arange(T))[..., None]
weights = jax.nn.softmax(scores, axis=2, where=mask)
return self.dense((weights[..., None] * v[:, None]).sum(2).reshape(B, T, -1))
"""),
    ),
    right(
        "one position at a time",
        file("""
B, T, _ = x.shape
q, k, v = (y.reshape(B, T, self.num_heads, -1) for y in (self.query(x), self.key(x), self.value(x)))
rows = []
for t in range(T):
    scores = jnp.einsum("bnh,bsnh->bns", q[:, t], k[:, : t + 1]) * self.head_dim**-0.5
    rows.append(jnp.einsum("bns,bsnh->bnh", nn.softmax(scores), v[:, : t + 1]).reshape(B, -1))
return self.dense(jnp.stack(rows, 1))
"""),
    ),
    right(
        "compact, with the required names",
        """
import flax.linen as nn
import jax.numpy as jnp


class EinsumMultiHeadAttention(nn.Module):
    num_heads: int
    head_dim: int

    @nn.compact
    def __call__(self, x):
        heads = (self.num_heads, self.head_dim)
        to = (*x.shape[:2], *heads)
        q, k, v = (
            nn.Dense(heads[0] * heads[1], use_bias=False, name=name)(x).reshape(*to)
            for name in ("query", "key", "value")
        )
        a = jnp.einsum("...qhd,...khd->...hqk", q, k) / heads[1] ** 0.5
        a = nn.softmax(a + jnp.log(jnp.tri(x.shape[1])))
        y = jnp.einsum("...hqk,...khd->...qhd", a, v).reshape(*x.shape[:2], -1)
        return nn.Dense(y.shape[-1], name="dense")(y)
""",
    ),
    wrong("no scale", edited(no_scale), "scale_missing"),
    wrong("scale by hidden_dim", edited((SCALE, " / jnp.sqrt(C)")), "scale_by_hidden_dim"),
    wrong("scale by the width", edited(by_width), "scale_by_width"),
    wrong("scale without root", edited((SCALE, " / H")), "scale_without_root"),
    wrong("scale inverted", edited((SCALE, " * jnp.sqrt(H)")), "scale_inverted"),
    wrong(
        "scale after the softmax",
        edited(no_scale, (SOFTMAX, f"{SOFTMAX} / jnp.sqrt(H)")),
        "scale_after_softmax",
    ),
    wrong("scale by the number of heads", edited((SCALE, " / jnp.sqrt(N)"))),
    wrong("no mask", edited(no_mask), "mask_missing"),
    wrong("mask reversed", edited(backwards), "mask_reversed"),
    wrong(
        "arguments of where swapped",
        edited(("scores, -1e9)", "-1e9, scores)")),
        "mask_inverted",
    ),
    wrong(
        "a score of 0 treated as masked",
        edited((MASKING, "scores = jnp.where(jnp.tril(scores) != 0, scores, -1e9)")),
    ),
    wrong("hidden scores set to -1000", edited(("-1e9", "-1e3"))),
    wrong("mask strict", edited(strict), "mask_strict"),
    wrong("mask shows one future position", edited(loose), "mask_loose"),
    wrong("mask filled with 0", edited(zero_fill), "mask_zero"),
    wrong("mask after the softmax", edited(late_mask), "mask_after_softmax"),
    wrong("mask filled with 1e-9", edited(("-1e9", "1e-9")), "mask_zero"),
    wrong(
        "mask for the first head only",
        edited((MASKING, "scores = scores.at[:, 0].set(jnp.where(mask, scores[:, 0], -1e9))")),
    ),
    wrong("softmax over the queries", edited(over_queries), "softmax_over_queries"),
    wrong("softmax over the heads", edited(over_heads), "softmax_over_heads"),
    wrong(
        "softmax over the batch",
        edited((SOFTMAX, "weights = jax.nn.softmax(scores, axis=0)")),
        "softmax_over_batch",
    ),
    wrong(
        "softmax over keys and heads", edited((SOFTMAX, "weights = jax.nn.softmax(scores, (1, 3))"))
    ),
    wrong(
        "softmax missing",
        edited(zero_fill, (SOFTMAX, "weights = scores")),
        "softmax_missing",
        "mask_zero",
    ),
    wrong(
        "softmax by hand, unstable",
        edited(
            (
                SOFTMAX,
                "weights = jnp.exp(scores)\nweights = weights / weights.sum(-1, keepdims=True)",
            )
        ),
    ),
    wrong("query and key swapped in the einsum letters", edited(swapped), "query_key_swapped"),
    wrong(
        "query and key swapped as arguments",
        edited(('->bnqk", q, k)', '->bnqk", k, q)')),
        "query_key_swapped",
    ),
    wrong(
        "keys are queries",
        edited((QKV, "q, k, v = self.query(x), self.query(x), self.value(x)\nself.key(x)")),
        "key_is_query",
    ),
    wrong(
        "queries are keys",
        edited((QKV, "q, k, v = self.key(x), self.key(x), self.value(x)\nself.query(x)")),
        "query_is_key",
    ),
    wrong("keys instead of values", edited(("weights, v)", "weights, k)")), "value_is_key"),
    wrong("queries instead of values", edited(("weights, v)", "weights, q)")), "value_is_query"),
    wrong("weights transposed in the einsum letters", edited(transposed), "weights_transposed"),
    wrong("values without weights, by the einsum letters", edited(unmixed), "values_unmixed"),
    wrong("values without weights", edited((MIX, "out = v")), "values_unmixed"),
    wrong("split without transpose", edited(untransposed_split), "split_without_transpose"),
    *(
        wrong(
            f"only {name} split without transpose",
            edited(
                (
                    f"{name} = {name}.reshape(B, T, N, H)",
                    f"{name} = {name}.reshape(B, N, T, H).swapaxes(1, 2)",
                )
            ),
            f"{projection}_split_without_transpose",
        )
        for name, projection in (("q", "query"), ("k", "key"), ("v", "value"))
    ),
    wrong("joined without transpose", edited(untransposed_join), "joined_without_transpose"),
    wrong(
        "split and joined without transpose",
        file("""
B, T, _ = x.shape
q, k, v = (m(x).reshape(B, self.num_heads, T, -1) for m in (self.query, self.key, self.value))
scores = jnp.einsum("bnth,bnsh->bnts", q, k) * self.head_dim**-0.5
weights = nn.softmax(jnp.where(jnp.tri(T, dtype=bool), scores, -jnp.inf))
return self.dense((weights @ v).reshape(B, T, -1))
"""),
        "split_without_transpose",
        "joined_without_transpose",
    ),
    wrong("interleaved", edited(columns, by_column), "heads_interleaved"),
    wrong("joined column by column", edited(by_column), "joined_interleaved"),
    wrong("split column by column", edited(columns), "split_interleaved"),
    wrong("num_heads and head_dim swapped", edited(sizes), "sizes_swapped"),
    wrong("scores without a letter for the heads", edited(*shared), "heads_share_scores"),
    wrong(
        "heads not split",
        file("""
T = x.shape[1]
q, k, v = self.query(x), self.key(x), self.value(x)
scores = q @ k.swapaxes(1, 2) / self.head_dim**0.5
scores = jnp.where(jnp.tril(jnp.ones((T, T))) == 0, -jnp.inf, scores)
return self.dense(nn.softmax(scores, axis=-1) @ v)
"""),
        "heads_share_scores",
    ),
    wrong(
        "heads not split, scaled by the width",
        file("""
T = x.shape[1]
q, k, v = self.query(x), self.key(x), self.value(x)
scores = q @ k.swapaxes(1, 2) / q.shape[-1] ** 0.5
scores = jnp.where(jnp.tril(jnp.ones((T, T))) == 0, -jnp.inf, scores)
return self.dense(nn.softmax(scores, axis=-1) @ v)
"""),
        "heads_share_scores",
        "scale_by_width",
    ),
    wrong(
        "weights averaged over the heads",
        edited((SOFTMAX, f"{SOFTMAX}\nweights = weights.mean(1, keepdims=True).repeat(N, 1)")),
    ),
    wrong("no dense", edited(no_dense), "dense_missing"),
    wrong(
        "dense twice",
        edited((JOIN, "return self.dense(self.dense(out.reshape(B, T, N * H)))")),
        "dense_twice",
    ),
    wrong("heads reversed", edited((JOIN, "return self.dense(out[:, :, ::-1].reshape(B, T, -1))"))),
    wrong("heads' outputs added to the result", edited((JOIN, f"{JOIN} + out.reshape(B, T, -1)"))),
    wrong("no scale, no mask", edited(no_scale, no_mask), "scale_missing", "mask_missing"),
    wrong("no scale, strict mask", edited(no_scale, strict), "scale_missing", "mask_strict"),
    wrong(
        "no mask, query and key swapped",
        edited(no_mask, swapped),
        "mask_missing",
        "query_key_swapped",
    ),
    wrong(
        "interleaved, mask after the softmax",
        edited(columns, by_column, late_mask),
        "heads_interleaved",
        "mask_after_softmax",
    ),
    wrong(
        "joined without transpose, no scale",
        edited(untransposed_join, no_scale),
        "joined_without_transpose",
        "scale_missing",
    ),
    wrong(
        "split without transpose, no dense",
        edited(untransposed_split, no_dense),
        "split_without_transpose",
        "dense_missing",
    ),
    wrong(
        "softmax over the heads, no scale",
        edited(over_heads, no_scale),
        "softmax_over_heads",
        "scale_missing",
    ),
    wrong("sizes swapped, no mask", edited(sizes, no_mask), "sizes_swapped", "mask_missing"),
    wrong(
        "mask filled with 0, no dense", edited(zero_fill, no_dense), "mask_zero", "dense_missing"
    ),
    wrong(
        "a loop over the heads",
        edited(
            (
                f"{MIX}\n{JOIN}",
                "heads = [weights[:, n] @ v[:, :, n] for n in range(N)]\n"
                "return self.dense(jnp.concatenate(heads, axis=-1))",
            )
        ),
    ),
    wrong(
        "a loop over slices",
        file("""
H = self.head_dim
q, k, v = self.query(x), self.key(x), self.value(x)
outputs = []
for n in range(self.num_heads):
    own = slice(n * H, (n + 1) * H)
    scores = q[..., own] @ k[..., own].swapaxes(1, 2) / H**0.5
    scores = jnp.where(jnp.tri(x.shape[1], dtype=bool), scores, -jnp.inf)
    outputs.append(jax.nn.softmax(scores) @ v[..., own])
return self.dense(jnp.concatenate(outputs, -1))
"""),
    ),
    wrong(
        "a loop without matrix products",
        file("""
H = self.head_dim
q, k, v = self.query(x), self.key(x), self.value(x)
outputs = []
for n in range(self.num_heads):
    own = slice(n * H, (n + 1) * H)
    scores = (q[:, :, None, own] * k[:, None, :, own]).sum(-1) / H**0.5
    scores = jnp.where(jnp.tri(x.shape[1], dtype=bool), scores, -jnp.inf)
    outputs.append((jax.nn.softmax(scores)[..., None] * v[:, None, :, own]).sum(2))
return self.dense(jnp.concatenate(outputs, -1))
"""),
    ),
    wrong(
        "a loop by lax.map",
        file("""
B, T, _ = x.shape

def attend(qkv):
    q, k, v = qkv
    scores = q @ k.swapaxes(1, 2) / self.head_dim**0.5
    return jax.nn.softmax(jnp.where(jnp.tri(T, dtype=bool), scores, -jnp.inf)) @ v

projected = self.query(x), self.key(x), self.value(x)
heads = [y.reshape(B, T, self.num_heads, -1).transpose(2, 0, 1, 3) for y in projected]
out = jax.lax.map(attend, heads)
return self.dense(out.transpose(1, 2, 0, 3).reshape(B, T, -1))
"""),
    ),
    wrong("nothing returned", edited((JOIN, JOIN.removeprefix("return ")))),
    wrong("zeros", edited((JOIN, "return jnp.zeros((B, T, N * H))"))),
    wrong("heads not joined", edited((JOIN, "return out"))),
    wrong("output transposed", edited((JOIN, f"{JOIN}.swapaxes(1, 2)"))),
    wrong("half precision", edited((JOIN, f"{JOIN}.astype(jnp.bfloat16)"))),
    wrong("rounded to half", edited((SOFTMAX, f"{SOFTMAX}.astype('bfloat16').astype('float32')"))),
    wrong("gradient stopped", edited(("scores, axis", "jax.lax.stop_gradient(scores), axis"))),
    wrong(
        "gradient of the keys stopped", edited(("k = k.resh", "k = jax.lax.stop_gradient(k).resh"))
    ),
    wrong("scores clipped", edited((MASKING, f"scores = jnp.clip(scores, -50, 50)\n{MASKING}"))),
    wrong("sizes hard-coded", edited(("B, T, C = x.shape\nN, H =", "B, T, C = 2, 5, 7\nN, H ="))),
    wrong(
        "wrong for a single position",
        edited((JOIN, "return self.dense(out.reshape(B, T, N * H)) * (T > 1)")),
    ),
    wrong("wrong for a batch of one", edited((JOIN, f"{JOIN}.squeeze()"))),
    wrong("a constant added to the query", edited((SPLIT, f"q = q + 1e-2\n{SPLIT}"))),
    wrong(
        "a mask of 64 positions",
        edited((MASK, "jnp.tril(jnp.ones((64, 64), dtype=bool))[:T, :T]")),
    ),
    # Sizes that stand in the code, and more.
    wrong(
        "four heads",
        edited(
            (
                "N, H = self.num_heads, self.head_dim",
                "N, H = 4, self.num_heads * self.head_dim // 4",
            )
        ),
    ),
    wrong(
        "the mean weights for every head",
        edited(
            (
                SOFTMAX,
                "weights = jax.nn.softmax(scores, axis=-1).mean(1, keepdims=True).repeat(N, 1)",
            )
        ),
    ),
    wrong(
        "the residual added here",
        edited((JOIN, "return x[..., : N * H] + self.dense(out.reshape(B, T, N * H))")),
    ),
    wrong(
        "relu before the last projection",
        edited((JOIN, "return self.dense(jax.nn.relu(out.reshape(B, T, N * H)))")),
    ),
    wrong(
        "zero times infinity",
        edited((MASKING, f"scores = scores + (1 - {MASK}) * -jnp.inf")),
    ),
    wrong(
        "queries and keys normalized",
        edited(
            (
                MASK,
                MASK
                + "\nq, k = (a / jnp.linalg.norm(a, axis=-1, keepdims=True) for a in (q, k))"
                + "\nscores = jnp.einsum('bqnh,bknh->bnqk', q, k)",
            )
        ),
    ),
]
