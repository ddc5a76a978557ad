"""Answers to task 2."""

from tests.project.answers.bank import right, wrong

TEMPLATE = """
import math
import flax.linen as nn
import jax
import jax.numpy as jnp


class SelfAttention(nn.Module):
    head_dim: int

    def setup(self):
        self.query = nn.Dense(self.head_dim, use_bias=False)
        self.key = nn.Dense(self.head_dim, use_bias=False)
        self.value = nn.Dense(self.head_dim, use_bias=False)

    def __call__(self, x):
{head}


class MultiHeadAttention(nn.Module):
    num_heads: int
    head_dim: int

    def setup(self):
        self.heads = [SelfAttention(self.head_dim) for _ in range(self.num_heads)]
        self.dense = nn.Dense(self.num_heads * self.head_dim)

    def __call__(self, x):
{join}
"""

HEAD = """
q, k, v = self.query(x), self.key(x), self.value(x)
scores = jnp.einsum("bth,bsh->bts", q, k) * self.head_dim ** -0.5
T = x.shape[1]
mask = jnp.arange(T)[:, None] >= jnp.arange(T)
scores = jnp.where(mask, scores, -1e30)
weights = jax.nn.softmax(scores)
return weights @ v
"""
JOIN = "return self.dense(jnp.concatenate([head(x) for head in self.heads], -1))"


def file(head: str = HEAD, join: str = JOIN) -> str:
    """A whole file with these bodies of its two `__call__`s."""

    def indented(body: str) -> str:
        return "\n".join(f"        {line}" for line in body.strip().splitlines())

    return TEMPLATE.format(head=indented(head), join=indented(join))


def edited(*edits: tuple[str, str]) -> str:
    """The file with pieces replaced; each must occur exactly once."""
    text = file()
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


SCALE = " * self.head_dim ** -0.5"
MASK = "jnp.arange(T)[:, None] >= jnp.arange(T)"
MASKING = "scores = jnp.where(mask, scores, -1e30)"
SOFTMAX = "weights = jax.nn.softmax(scores)"
MIX = "return weights @ v"
QKV = "q, k, v = self.query(x), self.key(x), self.value(x)"
HEADS = "[head(x) for head in self.heads]"

no_scale = (SCALE, "")
no_mask = (MASK, "jnp.ones((T, T), bool)")
strict = (MASK, "jnp.arange(T)[:, None] > jnp.arange(T)")
reverse = (MASK, "jnp.arange(T)[:, None] <= jnp.arange(T)")
zero_fill = ("-1e30", "0.0")
late_mask = (f"{MASKING}\n        {SOFTMAX}", f"{SOFTMAX}\n        weights = weights * mask")
over_queries = (SOFTMAX, "weights = jax.nn.softmax(scores, axis=1)")
swapped = (QKV, "k, q, v = self.query(x), self.key(x), self.value(x)")
keys_mixed = (MIX, "return weights @ k")
no_dense = (
    "return self.dense(jnp.concatenate([head(x) for head in self.heads], -1))",
    "return jnp.concatenate([head(x) for head in self.heads], -1)",
)
reversed_heads = (HEADS, "[head(x) for head in reversed(self.heads)]")

ANSWERS = [
    right("einsum, scale by a power, mask by comparison", file()),
    right(
        "matmul, tril, -inf",
        edited(
            ('jnp.einsum("bth,bsh->bts", q, k)', "q @ jnp.matrix_transpose(k)"),
            (MASK, "jnp.tril(jnp.ones((T, T))) > 0"),
            ("-1e30", "-jnp.inf"),
        ),
    ),
    right(
        "additive mask of the lowest float",
        edited((MASKING, "scores += jnp.where(mask, 0.0, jnp.finfo(scores.dtype).min)")),
    ),
    wrong("hidden scores set to -1e4", edited(("-1e30", "-1e4"))),
    wrong("hidden scores set to -1e5", edited(("-1e30", "-1e5"))),
    wrong("additive mask of -1e4", edited((MASKING, "scores += jnp.where(mask, 0.0, -1e4)"))),
    wrong(
        "a mask for eight positions, all visible beyond",
        edited((MASKING, f"if T <= 8: {MASKING}")),
    ),
    wrong(
        "a mask for 1024 positions, all visible beyond",
        edited(
            (
                MASKING,
                "small, pad = jnp.tril(jnp.ones((1024, 1024), bool)), max(T - 1024, 0)\n"
                "        mask = jnp.pad(small, (0, pad), constant_values=True)[:T, :T]\n"
                f"        {MASKING}",
            )
        ),
    ),
    right(
        "additive mask of -1e9",
        edited((MASKING, "scores = scores + (1 - jnp.tril(jnp.ones((T, T)))) * -1e9")),
    ),
    right(
        "mask from flax",
        edited(
            (MASKING, "scores = jnp.where(nn.make_causal_mask(x[..., 0])[:, 0], scores, -jnp.inf)")
        ),
    ),
    right(
        "softmax by hand, stable",
        edited(
            (
                SOFTMAX,
                "weights = jnp.exp(scores - scores.max(-1, keepdims=True))\n"
                "        weights = weights / weights.sum(-1, keepdims=True)",
            )
        ),
    ),
    right(
        "softmax with where",
        edited((SOFTMAX, "weights = jax.nn.softmax(scores, axis=2, where=mask)")),
    ),
    right(
        "query scaled first",
        edited(
            (SCALE, ""),
            (QKV, "q, k, v = self.query(x) / math.sqrt(self.head_dim), self.key(x), self.value(x)"),
        ),
    ),
    right(
        "jax.nn.dot_product_attention",
        file(
            head="""
q, k, v = (layer(x)[:, :, None] for layer in (self.query, self.key, self.value))
return jax.nn.dot_product_attention(q, k, v, is_causal=True)[:, :, 0]
"""
        ),
    ),
    right(
        "vmap over the batch",
        file(
            head="""
def attend(q, k, v):
    scores = q @ k.T / jnp.sqrt(jnp.float32(self.head_dim))
    scores = jnp.where(jnp.tri(len(q), dtype=bool), scores, -jnp.inf)
    return jax.nn.softmax(scores, axis=-1) @ v

return jax.vmap(attend)(self.query(x), self.key(x), self.value(x))
"""
        ),
    ),
    right(
        "keys before queries throughout",
        file(
            head="""
k, q, v = self.key(x), self.query(x), self.value(x)
scores = jnp.einsum("bsh,bth->bst", k, q) / jnp.sqrt(self.head_dim)
visible = jnp.triu(jnp.ones(scores.shape[1:], bool))
weights = jax.nn.softmax(jnp.where(visible, scores, -jnp.inf), axis=1)
return jnp.einsum("bst,bsh->bth", weights, v)
"""
        ),
    ),
    right(
        "one position at a time",
        file(
            head="""
q, k, v = self.query(x), self.key(x), self.value(x)
rows = []
for t in range(x.shape[1]):
    scores = jnp.einsum("bh,bsh->bs", q[:, t], k[:, : t + 1]) / self.head_dim ** 0.5
    rows.append(jnp.einsum("bs,bsh->bh", jax.nn.softmax(scores), v[:, : t + 1]))
return jnp.stack(rows, axis=1)
"""
        ),
    ),
    right(
        "heads written into their columns",
        file(
            join="""
H = self.head_dim
joined = jnp.zeros((*x.shape[:2], self.num_heads * H))
for n, head in enumerate(self.heads):
    joined = joined.at[..., n * H : (n + 1) * H].set(head(x))
return self.dense(joined)
"""
        ),
    ),
    right(
        "heads stacked and reshaped",
        file(
            join="""
outputs = jnp.stack([head(x) for head in self.heads], axis=2)
return self.dense(outputs.reshape(x.shape[0], x.shape[1], -1))
"""
        ),
    ),
    wrong("no scale", edited(no_scale), "scale_missing"),
    wrong("scale by hidden_dim", edited((SCALE, " / x.shape[-1] ** 0.5")), "scale_by_hidden_dim"),
    wrong("scale without root", edited((SCALE, " / self.head_dim")), "scale_without_root"),
    wrong("scale inverted", edited((SCALE, " * self.head_dim ** 0.5")), "scale_inverted"),
    wrong(
        "scale after the softmax",
        edited(no_scale, (MIX, "return weights @ v / self.head_dim ** 0.5")),
        "scale_after_softmax",
    ),
    wrong("scale by the length", edited((SCALE, " / x.shape[1] ** 0.5"))),
    wrong("no mask", edited(no_mask), "mask_missing"),
    wrong("mask reversed", edited(reverse), "mask_reversed"),
    wrong(
        "arguments of where swapped",
        edited(("jnp.where(mask, scores, -1e30)", "jnp.where(mask, -jnp.inf, scores)")),
        "mask_inverted",
    ),
    wrong(
        "arguments of where swapped, with a finite number",
        edited(("jnp.where(mask, scores, -1e30)", "jnp.where(mask, -1e30, scores)")),
        "mask_inverted",
    ),
    wrong(
        "a score of 0 treated as masked",
        edited(("jnp.where(mask, scores, -1e30)", "jnp.where(jnp.tril(scores), scores, -jnp.inf)")),
    ),
    wrong("hidden scores set to -100", edited(("-1e30", "-100.0"))),
    wrong("mask strict", edited(strict), "mask_strict"),
    wrong("mask strict, -inf", edited(strict, ("-1e30", "-jnp.inf")), "mask_strict"),
    wrong(
        "mask shows one future position",
        edited((MASK, "jnp.arange(T)[:, None] + 1 >= jnp.arange(T)")),
        "mask_loose",
    ),
    wrong("mask filled with 0", edited(zero_fill), "mask_zero"),
    wrong("mask filled with -10", edited(("-1e30", "-10.0"))),
    wrong("mask by multiplication", edited((MASKING, "scores = scores * mask")), "mask_zero"),
    wrong("mask after the softmax", edited(late_mask), "mask_after_softmax"),
    wrong("softmax over the queries", edited(over_queries), "softmax_over_queries"),
    wrong(
        "softmax over the batch",
        edited((SOFTMAX, "weights = jax.nn.softmax(scores, axis=0)")),
        "softmax_over_batch",
    ),
    wrong(
        "softmax missing",
        edited(("-1e30", "0.0"), (SOFTMAX, "weights = scores")),
        "softmax_missing",
        "mask_zero",
    ),
    wrong(
        "softmax by hand, unstable",
        edited(
            (
                SOFTMAX,
                "weights = jnp.exp(scores)\n"
                "        weights = weights / weights.sum(-1, keepdims=True)",
            )
        ),
    ),
    wrong("sigmoid instead of softmax", edited((SOFTMAX, "weights = jax.nn.sigmoid(scores)"))),
    wrong("query and key swapped", edited(swapped), "query_key_swapped"),
    wrong(
        "query projection for the keys",
        edited((QKV, "q, k, v = self.query(x), self.query(x), self.value(x)\n        self.key(x)")),
        "key_is_query",
    ),
    wrong("keys instead of values", edited(keys_mixed), "value_is_key"),
    wrong("queries instead of values", edited((MIX, "return weights @ q")), "value_is_query"),
    wrong("x instead of values", edited((MIX, "return weights @ x")), "value_unprojected"),
    wrong(
        "weights transposed",
        edited((MIX, "return weights.swapaxes(1, 2) @ v")),
        "weights_transposed",
    ),
    wrong("nothing returned", edited((MIX, "weights @ v"))),
    wrong("zeros", edited((MIX, "return jnp.zeros_like(v)"))),
    wrong("values without weights", edited((MIX, "return v"))),
    wrong("output transposed", edited((MIX, "return (weights @ v).swapaxes(1, 2)"))),
    wrong("half precision", edited((MIX, "return (weights @ v).astype(jnp.bfloat16)"))),
    wrong(
        "gradient stopped",
        edited((SOFTMAX, "weights = jax.lax.stop_gradient(jax.nn.softmax(scores))")),
    ),
    wrong("a constant added", edited((MIX, "return weights @ v + 1e-2"))),
    wrong(
        "wrong for a single position",
        edited(
            (MASK, "jnp.tri(T, dtype=bool) | (T == 1)"), (MIX, "return (weights @ v) * (T > 1)")
        ),
    ),
    wrong("no scale, no mask", edited(no_scale, no_mask), "scale_missing", "mask_missing"),
    wrong("no scale, strict mask", edited(no_scale, strict), "scale_missing", "mask_strict"),
    wrong(
        "no scale, mask filled with 0", edited(no_scale, zero_fill), "scale_missing", "mask_zero"
    ),
    wrong(
        "no mask, query and key swapped",
        edited(no_mask, swapped),
        "mask_missing",
        "query_key_swapped",
    ),
    wrong(
        "keys instead of values, mask after the softmax",
        edited(keys_mixed, late_mask),
        "value_is_key",
        "mask_after_softmax",
    ),
    wrong("no dense", edited(no_dense), "dense_missing"),
    wrong(
        "dense twice",
        edited((JOIN, f"{JOIN})".replace("self.dense(", "self.dense(self.dense(", 1))),
        "dense_twice",
    ),
    wrong("heads reversed", edited(reversed_heads), "heads_reversed"),
    wrong(
        "first head used for all",
        edited((HEADS, "[[head(x) for head in self.heads][0]] * self.num_heads")),
        "first_head_repeated",
    ),
    wrong(
        "heads interleaved",
        file(
            join="""
outputs = jnp.stack([head(x) for head in self.heads], axis=-1)
return self.dense(outputs.reshape(x.shape[0], x.shape[1], -1))
"""
        ),
        "heads_interleaved",
    ),
    wrong(
        "heads summed",
        file(
            join="""
total = sum(head(x) for head in self.heads)
return self.dense(jnp.concatenate([total] * self.num_heads, -1))
"""
        ),
    ),
    wrong(
        "heads reversed, no mask", edited(reversed_heads, no_mask), "heads_reversed", "mask_missing"
    ),
    wrong("no dense, no scale", edited(no_dense, no_scale), "dense_missing", "scale_missing"),
    right(
        "x scaled in place between the projections",
        file(
            """
v = self.value(x)
x *= self.head_dim**-0.25
q, k = self.query(x), self.key(x)
scores = jnp.einsum("bth,bsh->bts", q, k)
T = x.shape[1]
scores = jnp.where(jnp.tri(T, dtype=bool), scores, -jnp.inf)
return nn.softmax(scores) @ v
"""
        ),
    ),
    right(
        "asserts a JAX array",
        edited((QKV, f"assert isinstance(x, jax.Array)\n        {QKV}")),
    ),
    wrong(
        "x scaled in place before all projections",
        file(
            """
x *= self.head_dim**-0.25
q, k, v = self.query(x), self.key(x), self.value(x)
scores = jnp.einsum("bth,bsh->bts", q, k)
T = x.shape[1]
scores = jnp.where(jnp.tri(T, dtype=bool), scores, -jnp.inf)
return nn.softmax(scores) @ v
"""
        ),
    ),
    wrong(
        "a mask of 64 positions",
        edited((MASK, "jnp.tril(jnp.ones((64, 64), dtype=bool))[:T, :T]")),
    ),
    wrong(
        "a mask of 1024 positions",
        edited((MASK, "jnp.tril(jnp.ones((1024, 1024), dtype=bool))[:T, :T]")),
    ),
    # Sizes that stand in the code, and more.
    wrong("mask of 32 cut to size", edited((MASK, "jnp.tril(jnp.ones((32, 32), bool))[:T, :T]"))),
    wrong("scaled by the root of 64", edited((SCALE, " / 8"))),
    wrong(
        "visible: the last 64",
        edited(
            (
                MASK,
                "jnp.tril(jnp.ones((T, T), bool)) & ~jnp.tril(jnp.ones((T, T), bool), -64)",
            )
        ),
    ),
    wrong(
        "sees itself only when first",
        edited((MASK, "(jnp.arange(T)[:, None] > jnp.arange(T)) | (jnp.arange(T) == 0)")),
        "mask_strict",
    ),
    wrong(
        "zero times infinity",
        edited((MASKING, "scores = scores + (1 - mask) * -jnp.inf")),
    ),
    wrong(
        "scores clipped at 50",
        edited((MASKING, "scores = jnp.where(mask, jnp.clip(scores, -50, 50), -1e30)")),
    ),
    wrong(
        "weights below 1e-4 dropped",
        edited(
            (
                SOFTMAX,
                f"{SOFTMAX}\n        weights = jnp.where(weights < 1e-4, 0, weights)",
            )
        ),
    ),
]
