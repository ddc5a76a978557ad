"""Answers to task 6."""

from tests.project.answers.bank import right, wrong

FILE = """
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from minigpt_challenge.given.cached_gpt import CachedMiniGPT, KeyValueCache


def sample_token(random_key, logits, temperature=1.0, top_k=None):
    if top_k is not None:
        k = min(top_k, logits.shape[-1])
        smallest = jnp.sort(logits)[..., -k][..., None]
        logits = jnp.where(logits < smallest, -jnp.inf, logits)
    if temperature == 0:
        return jnp.argmax(logits, -1)
    logits = logits / temperature
    return jax.random.categorical(random_key, logits)


class CachedAttention(nn.Module):
    num_heads: int
    head_dim: int

    def setup(self):
        width = self.num_heads * self.head_dim
        self.query = nn.Dense(width, use_bias=False)
        self.key = nn.Dense(width, use_bias=False)
        self.value = nn.Dense(width, use_bias=False)
        self.dense = nn.Dense(width)

    def __call__(self, x, cache, position):
        B, T, _ = x.shape
        heads = (B, T, self.num_heads, self.head_dim)
        q, k, v = (f(x).reshape(heads) for f in (self.query, self.key, self.value))
        at = (0, position, 0, 0)
        keys = jax.lax.dynamic_update_slice(cache.key, k, at)
        values = jax.lax.dynamic_update_slice(cache.value, v, at)
        scores = jnp.einsum("BTNH,BSNH->BNTS", q, keys) / self.head_dim**0.5
        s, t = jnp.arange(keys.shape[1]), position + jnp.arange(T)
        visible = s[None, :] <= t[:, None]
        weights = jax.nn.softmax(jnp.where(visible, scores, -jnp.inf))
        mixed = jnp.einsum("BNTS,BSNH->BTNH", weights, values)
        return self.dense(mixed.reshape(B, T, -1)), KeyValueCache(keys, values)


def generate_fast(random_key, model, params, prompt, num_tokens, temperature=1.0, top_k=None):
    prompt = np.asarray(prompt, np.int32)
    if not len(prompt):
        raise ValueError("The prompt is empty.")
    seen = prompt[-model.block_size :]
    window = np.zeros(model.block_size, np.int32)
    window[: len(seen)] = seen
    new = write_on(random_key, model, params, window, len(seen), num_tokens, temperature, top_k)
    return np.concatenate([prompt, new])


@partial(jax.jit, static_argnames=("model", "num_tokens", "temperature", "top_k"))
def write_on(random_key, model, params, window, length, num_tokens, temperature, top_k):
    S = model.block_size
    logits, caches = model.apply(params, window[None], model.empty_caches(), 0)
    logits = logits[0, length - 1]
    first, first_length = caches, length

    def step(carry, key):
        window, length, logits, caches = carry
        token = sample_token(key, logits, temperature, top_k).astype(jnp.int32)

        def append():
            noted = window.at[length].set(token)
            logits, longer = model.apply(params, token[None, None], caches, length)
            return noted, logits[0, 0], longer

        def slide():
            slid = jnp.concatenate([window[1:], token[None]])
            logits, _ = model.apply(params, slid[None], caches, 0)
            return slid, logits[0, -1], caches

        window, logits, caches = jax.lax.cond(length < S, append, slide)
        return (window, length + 1, logits, caches), token

    keys = jax.random.split(random_key, num_tokens)
    return jax.lax.scan(step, (window, length, logits, caches), keys)[1]
"""

# Pieces of the file that answers replace.
SMALLEST = "smallest = jnp.sort(logits)[..., -k][..., None]"
LEFT_OUT = "logits = jnp.where(logits < smallest, -jnp.inf, logits)"
DIVIDED = "    logits = logits / temperature\n"
DRAWN = "return jax.random.categorical(random_key, logits)"
WRITTEN_AT = "at = (0, position, 0, 0)"
SCALED = " / self.head_dim**0.5"
VISIBLE = "visible = s[None, :] <= t[:, None]"
SCORES = 'scores = jnp.einsum("BTNH,BSNH->BNTS", q, keys)'
MIXED = 'mixed = jnp.einsum("BNTS,BSNH->BTNH", weights, values)'
KEPT = "KeyValueCache(keys, values)"
SEEN = "seen = prompt[-model.block_size :]"
FILLED = "window[: len(seen)] = seen"
FIRST = "logits = logits[0, length - 1]"
NOTED = "noted = window.at[length].set(token)"
APPENDED = "logits, longer = model.apply(params, token[None, None], caches, length)"
LONGER = "return noted, logits[0, 0], longer"
SLID = "slid = jnp.concatenate([window[1:], token[None]])"
READ_AGAIN = "logits, _ = model.apply(params, slid[None], caches, 0)"
SLIDE = f"{SLID}\n            {READ_AGAIN}\n            return slid, logits[0, -1], caches"
ROOM = "jax.lax.cond(length < S, append, slide)"
DRAW = "token = sample_token(key, logits, temperature, top_k).astype(jnp.int32)"
KEYS = "keys = jax.random.split(random_key, num_tokens)"
JIT = '@partial(jax.jit, static_argnames=("model", "num_tokens", "temperature", "top_k"))\n'
SCAN = "return jax.lax.scan(step, (window, length, logits, caches), keys)[1]"


def edited(*edits: tuple[str, str]) -> str:
    """The file with pieces replaced; each must occur exactly once."""
    text = FILE
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def past_the_block(reading: str) -> tuple[str, str]:
    """The edit after which `slide` reads one token with the old cache, by this expression."""
    return SLIDE, f"logits, longer = {reading}\n            return window, logits[0, 0], longer"


def lines(*rows: str) -> str:
    """Join the lines of a function's body."""
    return "\n    ".join(rows)


MOVED = "jax.tree.map(lambda a: jnp.roll(a, -1, axis=1), caches)"

COMPILED = """
@__import__("functools").cache
def compiled(model, *settings):
    return jax.jit(lambda key, params, *text: write_on(key, model, params, *text, *settings))


"""

temperature_times = (DIVIDED, DIVIDED.replace("/", "*"))
top_k_too_many = (SMALLEST, SMALLEST.replace("-k]", "-min(k + 1, logits.shape[-1])]"))
unscaled = (SCALED, "")
reused = past_the_block(f"model.apply(params, token[None, None], {MOVED}, S - 1)")
overwritten = past_the_block("model.apply(params, token[None, None], caches, S - 1)")
grows = past_the_block("model.apply(params, token[None, None], caches, length)")
modulo = past_the_block("model.apply(params, token[None, None], caches, length % S)")
filling = (FIRST, "logits = logits[0, -1]")
unnoted = (NOTED, "noted = window")
late = (APPENDED, APPENDED.replace("length)", "length + 1)"))
beginning = (SEEN, "seen = prompt[: model.block_size]")
not_carried = (APPENDED, APPENDED.replace("caches, length", "first, length"))

ANSWERS = [
    right("sort, concatenate, dynamic_update_slice", FILE),
    right(
        "top_k by lax, scores by matmul, a mask of -1e9",
        edited(
            (SMALLEST, "smallest = jax.lax.top_k(logits, k)[0][..., -1:]"),
            (LEFT_OUT, "logits = jnp.where(logits >= smallest, logits, -1e9)"),
            (
                SCORES,
                "scores = jnp.moveaxis(q, 2, 1) @ jnp.transpose(keys, (0, 2, 3, 1))",
            ),
        ),
    ),
    right(
        "ranks, Gumbel noise by hand",
        edited(
            (SMALLEST, "ranks = jnp.argsort(jnp.argsort(-logits))"),
            (LEFT_OUT, "logits = jnp.where(ranks < k, logits, -jnp.inf)"),
            (DRAWN, "return jnp.argmax(logits + jax.random.gumbel(random_key, logits.shape), -1)"),
        ),
    ),
    right(
        "drawn from the cumulative distribution",
        edited(
            (
                DRAWN,
                "below = jnp.cumsum(jax.nn.softmax(logits), -1)\n"
                "    dice = jax.random.uniform(random_key, logits.shape[:-1] + (1,))\n"
                "    return jnp.minimum((below < dice * below[..., -1:]).sum(-1), "
                "logits.shape[-1] - 1)",
            )
        ),
    ),
    right(
        "cache written with .at",
        edited(
            (WRITTEN_AT, "places = position + jnp.arange(T)"),
            (
                "keys = jax.lax.dynamic_update_slice(cache.key, k, at)",
                "keys = cache.key.at[:, places].set(k)",
            ),
            (
                "values = jax.lax.dynamic_update_slice(cache.value, v, at)",
                "values = cache.value.at[:, places].set(v)",
            ),
        ),
    ),
    right(
        "mask by subtraction, unused cache entries set to 0",
        edited(
            (VISIBLE, "visible = t[:, None] - s[None, :] >= 0"),
            (
                KEPT,
                "KeyValueCache(\n            *(jnp.where((s <= t[-1])[:, None, None], leaf, 0) "
                "for leaf in (keys, values))\n        )",
            ),
        ),
    ),
    right(
        "a compiled function for each setting, by functools.cache",
        edited(
            (JIT, COMPILED),
            ("new = write_on(", "new = compiled(model, num_tokens, temperature, top_k)("),
            (
                "random_key, model, params, window, len(seen), num_tokens, temperature, top_k)\n",
                "random_key, params, window, len(seen))\n",
            ),
        ),
    ),
    right(
        "fori_loop, writing into an array",
        edited(
            (
                SCAN,
                "text = jnp.zeros(num_tokens, jnp.int32)\n\n"
                "    def body(i, state):\n"
                "        carry, text = state\n"
                "        carry, token = step(carry, keys[i])\n"
                "        return carry, text.at[i].set(token)\n\n"
                "    start = (window, length, logits, caches), text\n"
                "    return jax.lax.fori_loop(0, num_tokens, body, start)[1]",
            )
        ),
    ),
    right(
        "keys by fold_in, the prompt padded to a power of two",
        edited(
            (
                KEYS,
                "fold = jax.vmap(partial(jax.random.fold_in, random_key))\n"
                "    keys = fold(jnp.arange(num_tokens))",
            ),
            (
                "window = np.zeros(model.block_size, np.int32)",
                "window = np.full(model.block_size, 1, np.int32)",
            ),
        ),
    ),
    right(
        "the prompt read one token at a time",
        edited(
            (
                FIRST,
                "def read(carry, t):\n"
                "        logits, caches = carry\n"
                "        new, longer = model.apply(params, window[t][None, None], caches, t)\n"
                "        here = t < length\n"
                "        kept = jax.tree.map(lambda a, b: jnp.where(here, a, b), longer, caches)\n"
                "        return (jnp.where(here, new[0, 0], logits), kept), None\n\n"
                "    start = (jnp.zeros(logits.shape[-1]), model.empty_caches())\n"
                "    (logits, caches), _ = jax.lax.scan(read, start, jnp.arange(S))",
            )
        ),
    ),
    right(
        "other names, another tuple type for the cache",
        edited(
            (
                "class CachedAttention",
                "from collections import namedtuple\n\n"
                "KV = namedtuple('KV', 'key value')\n\n\n"
                "class CachedAttention",
            ),
            (KEPT, "type(cache)(key=keys, value=values)"),
            (
                DRAW,
                "options = {'top_k': top_k, 'temperature': temperature}\n"
                "        token = jnp.int32(sample_token(key, logits, **options))",
            ),
        ),
    ),
    wrong(
        "jnp.where instead of cond",
        edited(
            (
                "window, logits, caches = jax.lax.cond(length < S, append, slide)",
                "appended, slid = append(), slide()\n"
                "        window, logits, caches = jax.tree.map(\n"
                "            lambda a, b: jnp.where(length < S, a, b), appended, slid\n        )",
            )
        ),
    ),
    # Drawing a token
    wrong("temperature multiplied", edited(temperature_times), "temperature_multiplied"),
    wrong("temperature ignored", edited((DIVIDED, "")), "temperature_ignored"),
    wrong(
        "temperature after the softmax",
        edited((DIVIDED, "    logits = jax.nn.softmax(logits) / temperature\n")),
        "softmax_twice",
    ),
    wrong(
        "softmax before categorical",
        edited((DRAWN, "return jax.random.categorical(random_key, jax.nn.softmax(logits))")),
        "softmax_twice",
    ),
    wrong("always greedy", edited((DRAWN, "return jnp.argmax(logits, -1)")), "always_the_best"),
    wrong(
        "uniform",
        edited(
            (
                DRAWN,
                lines(
                    "V = logits.shape[-1]",
                    "return jax.random.randint(random_key, logits.shape[:-1], 0, V)",
                ),
            )
        ),
        "logits_ignored",
    ),
    wrong("top_k not used", edited((LEFT_OUT, "pass")), "top_k_ignored"),
    wrong("k + 1 tokens kept", edited(top_k_too_many), "one_too_many_kept"),
    wrong(
        "k compared with the rows instead of V",
        edited(("min(top_k, logits.shape[-1])", "min(top_k, logits.shape[0])")),
    ),
    wrong("k - 1 tokens kept", edited((LEFT_OUT, LEFT_OUT.replace("<", "<="))), "one_too_few_kept"),
    wrong(
        "the least probable tokens kept",
        edited(
            (SMALLEST, "largest = jnp.sort(logits)[..., k - 1][..., None]"),
            (LEFT_OUT, "logits = jnp.where(logits > largest, -jnp.inf, logits)"),
        ),
        "least_probable_kept",
    ),
    wrong(
        "the most probable tokens removed",
        edited((LEFT_OUT, "logits = jnp.where(logits >= smallest, -jnp.inf, logits)")),
        "best_taken_out",
    ),
    wrong(
        "logit 0 for the others",
        edited((LEFT_OUT, LEFT_OUT.replace("-jnp.inf", "0.0"))),
        "others_set_to_zero",
    ),
    wrong(
        "exp without subtracting the maximum",
        edited(
            (
                DRAWN,
                lines(
                    "p = jnp.exp(logits)",
                    "p = p / p.sum(-1, keepdims=True)",
                    "return jax.random.categorical(random_key, jnp.log(p))",
                ),
            )
        ),
    ),
    wrong(
        "a fixed key", edited((DRAWN, "return jax.random.categorical(jax.random.key(0), logits)"))
    ),
    wrong(
        "temperature multiplied, k + 1 tokens kept",
        edited(temperature_times, top_k_too_many),
        "temperature_multiplied",
        "one_too_many_kept",
    ),
    wrong(
        "temperature ignored, logit 0 for the others",
        edited((DIVIDED, ""), (LEFT_OUT, LEFT_OUT.replace("-jnp.inf", "0.0"))),
        "temperature_ignored",
        "others_set_to_zero",
    ),
    wrong(
        "division by temperature 0",
        edited(("    if temperature == 0:\n        return jnp.argmax(logits, -1)\n", "")),
    ),
    wrong(
        "logits returned, floats",
        edited(("return jnp.argmax(logits, -1)", "return logits.max(-1)")),
    ),
    # Attention with a cache
    wrong("no scaling", edited(unscaled), "scale_missing"),
    wrong(
        "always written at the start", edited((WRITTEN_AT, "at = (0, 0, 0, 0)")), "written_at_zero"
    ),
    wrong(
        "a mask that counts from 0",
        edited((VISIBLE, "visible = jnp.tril(jnp.ones((T, keys.shape[1]), bool))")),
        "mask_without_position",
    ),
    wrong("no mask", edited((VISIBLE, "visible = s[None, :] >= 0")), "mask_missing"),
    wrong(
        "all new tokens see each other",
        edited((VISIBLE, "visible = (s < position + T)[None, :]")),
        "mask_up_to_the_last",
    ),
    wrong(
        "each token hidden from itself",
        edited((VISIBLE, VISIBLE.replace("<=", "<"))),
        "mask_strict",
    ),
    wrong(
        "one future position visible",
        edited((VISIBLE, VISIBLE.replace("t[:, None]", "t[:, None] + 1"))),
        "one_ahead_visible",
    ),
    wrong(
        "attention to the new tokens only",
        edited(
            (SCORES, SCORES.replace("keys", "k")),
            ("s, t = jnp.arange(keys.shape[1]), position + jnp.arange(T)", "s = t = jnp.arange(T)"),
            (MIXED, MIXED.replace("values", "v")),
        ),
        "cache_not_read",
    ),
    wrong(
        "the old cache read",
        edited(
            (SCORES, SCORES.replace("keys", "cache.key")),
            (MIXED, MIXED.replace("values", "cache.value")),
        ),
        "new_not_read",
    ),
    wrong("the old cache returned", edited((KEPT, "cache")), "old_cache_returned"),
    wrong(
        "keys and values swapped",
        edited(("q, k, v = (", "q, v, k = (")),
        "keys_and_values_swapped",
    ),
    wrong(
        "no scaling, no mask",
        edited(unscaled, (VISIBLE, "visible = s[None, :] >= 0")),
        "scale_missing",
        "mask_missing",
    ),
    wrong(
        "no scaling, the old cache returned",
        edited(unscaled, (KEPT, "cache")),
        "scale_missing",
        "old_cache_returned",
    ),
    wrong(
        "an extra layer",
        edited(
            (
                "return self.dense(mixed.reshape(B, T, -1)),",
                "return nn.Dense(self.num_heads * self.head_dim)(mixed.reshape(B, T, -1)),",
            ),
            (
                "    def __call__(self, x",
                "    @nn.nowrap\n    def more(self):\n        pass\n\n    def __call__(self, x",
            ),
        ),
    ),
    wrong("a list for the cache", edited((KEPT, "[keys, values]"))),
    # Generating
    wrong("old cache shifted and reused", edited(reused), "cache_reused"),
    wrong("the last position overwritten", edited(overwritten), "last_place_overwritten"),
    wrong("positions past block_size", edited(grows), "position_grows_on"),
    wrong("position modulo block_size", edited(modulo), "started_afresh"),
    wrong("never slides", edited((ROOM, "append()")), "position_grows_on"),
    wrong(
        "window read again without sliding",
        edited((SLID, "slid = window.at[-1].set(token)")),
        "last_place_overwritten",
    ),
    wrong(
        "window rolled without the new token",
        edited((SLID, "slid = jnp.roll(window, -1)")),
        "slid_without_the_token",
    ),
    wrong(
        "window rolled the other way", edited((SLID, "slid = jnp.roll(window, 1).at[0].set(token)"))
    ),
    wrong("window not filled", edited(unnoted), "window_not_filled"),
    wrong("slides one step late", edited((ROOM, ROOM.replace("<", "<="))), "slides_too_late"),
    wrong(
        "slides one step early", edited((ROOM, ROOM.replace("< S", "< S - 1"))), "slides_too_early"
    ),
    wrong("logits of the padding", edited(filling), "logits_of_the_filling"),
    wrong("first tokens of the prompt", edited(beginning), "beginning_of_the_prompt"),
    wrong(
        "only the last token of the prompt",
        edited((SEEN, "seen = prompt[-1:]")),
        "prompt_not_read",
    ),
    wrong(
        "padding in front",
        edited((FILLED, "window[-len(seen) :] = seen\n    seen = window")),
        "filled_up_in_front",
    ),
    wrong(
        "the last token read twice",
        edited(
            (
                FIRST,
                lines(
                    "window = jnp.asarray(window)",
                    "last = window[length - 1]",
                    "logits, caches = model.apply(params, last[None, None], caches, length)",
                    "logits = logits[0, 0]",
                    "window, length = window.at[length].set(last), length + 1",
                ),
            ),
        ),
        "last_token_read_twice",
    ),
    wrong("cache not carried", edited(not_carried), "cache_not_carried"),
    wrong("position one late", edited(late), "position_one_late"),
    wrong(
        "position one early",
        edited((APPENDED, APPENDED.replace("length)", "length - 1)"))),
        "position_one_early",
    ),
    wrong(
        "the same position at every step",
        edited((APPENDED, APPENDED.replace("length)", "first_length)"))),
        "position_stands_still",
    ),
    wrong("length not counted", edited(("(window, length + 1, logits", "(window, length, logits"))),
    wrong(
        "old cache reused, position one late",
        edited(reused, late),
        "cache_reused",
        "position_one_late",
    ),
    wrong(
        "first tokens of the prompt, window not filled",
        edited(beginning, unnoted),
        "beginning_of_the_prompt",
        "window_not_filled",
    ),
    wrong(
        "last position overwritten, logits of the padding",
        edited(overwritten, filling),
        "last_place_overwritten",
        "logits_of_the_filling",
    ),
    wrong(
        "position modulo block_size, cache not carried",
        edited(modulo, not_carried),
        "started_afresh",
        "cache_not_carried",
    ),
    wrong(
        "cache unused: the window read at every step",
        edited(
            (APPENDED, "logits, longer = model.apply(params, noted[None], caches, 0)"),
            (LONGER, "return noted, logits[0, length], longer"),
        ),
    ),
    wrong("not jitted", edited((JIT, ""))),
    wrong(
        "the length is static",
        edited((JIT, JIT.replace('"model", ', '"model", "length", '))),
    ),
    wrong(
        "a Python loop instead of scan",
        edited(
            (
                SCAN,
                "carry, tokens = (window, length, logits, caches), []\n"
                "    for key in keys:\n"
                "        carry, token = step(carry, key)\n"
                "        tokens.append(token)\n"
                "    return jnp.stack(tokens)",
            ),
            (
                "    S = model.block_size\n",
                "    S = model.block_size\n    window = jnp.asarray(window)\n",
            ),
        ),
    ),
    wrong(
        "one key for all steps",
        edited((DRAW, DRAW.replace("(key,", "(random_key,"))),
        "one_key_for_all",
    ),
    wrong(
        "one key until the window slides",
        edited(
            (
                DRAW,
                "key = jax.lax.cond(length < S, lambda: random_key, lambda: key)\n        " + DRAW,
            )
        ),
        "one_key_for_all",
    ),
    wrong(
        "a key derived from the length",
        edited(
            (DRAW, DRAW.replace("(key,", "(jax.random.fold_in(random_key, length),")),
            ("(window, length + 1, logits", "(window, jnp.minimum(length + 1, S), logits"),
        ),
        "one_key_for_all",
    ),
    wrong(
        "noise shared by leading axes",
        edited(
            (
                DRAWN,
                "noise = jax.random.gumbel(random_key, logits.shape[-2:])\n"
                "    return jnp.argmax(logits + noise, -1)",
            )
        ),
    ),
    wrong(
        "exp without subtracting the maximum, hidden scores -30",
        edited(
            (
                "weights = jax.nn.softmax(jnp.where(visible, scores, -jnp.inf))",
                "shares = jnp.exp(jnp.where(visible, scores, -30.0))\n"
                "        weights = shares / shares.sum(-1, keepdims=True)",
            )
        ),
    ),
    wrong(
        "hidden scores -30",
        edited(("jnp.where(visible, scores, -jnp.inf)", "jnp.where(visible, scores, -30.0)")),
    ),
    wrong(
        "top_k over the whole batch",
        edited((SMALLEST, "smallest = jnp.sort(logits.reshape(-1))[-k]")),
        "top_k_of_all_rows",
    ),
    wrong(
        "the rank instead of the token",
        edited((LEFT_OUT, "logits = jax.lax.top_k(logits, k)[0]")),
        "rank_for_token",
    ),
    wrong(
        "divided by √C",
        edited((SCALED, " / x.shape[-1] ** 0.5")),
        "scaled_by_input_width",
    ),
    wrong(
        "divided by √(N·H)",
        edited((SCALED, " / (self.num_heads * self.head_dim) ** 0.5")),
        "scaled_by_whole_width",
    ),
    wrong(
        "hidden scores 0",
        edited(("jnp.where(visible, scores, -jnp.inf)", "jnp.where(visible, scores, 0.0)")),
        "hidden_scores_zero",
    ),
    wrong(
        "softmax over the queries",
        edited(
            (
                "jax.nn.softmax(jnp.where(visible, scores, -jnp.inf))",
                "jax.nn.softmax(jnp.where(visible, scores, -1e9), axis=-2)",
            )
        ),
        "softmax_over_queries",
    ),
    wrong(
        "an extra mask computed from the keys",
        edited((VISIBLE, VISIBLE + " & (jnp.abs(keys).sum((0, 2, 3)) > 9)[None]")),
    ),
    wrong(
        "the same noise for all rows",
        edited(
            (
                DRAWN,
                lines(
                    "noise = jax.random.gumbel(random_key, logits.shape[-1:])",
                    "return jnp.argmax(logits + noise, -1)",
                ),
            )
        ),
    ),
    wrong(
        "logits one position late",
        edited((FIRST, "logits = logits[0, length]")),
        "logits_one_late",
    ),
    wrong(
        "the first token is the most probable, not drawn",
        edited((SCAN, SCAN.replace("keys)[1]", "keys)[1].at[0].set(jnp.argmax(logits))"))),
    ),
    wrong(
        "the first two tokens share a key",
        edited((KEYS, lines(KEYS, "keys = keys.at[1].set(keys[0]) if num_tokens > 1 else keys"))),
    ),
    wrong(
        "the key of a step is that of two steps before",
        edited(
            (KEYS, "keys = jax.random.split(random_key, 2)[jnp.arange(num_tokens) % 2]"),
        ),
    ),
    wrong(
        "an array of JAX returned",
        edited(("return np.concatenate([prompt, new])", "return jnp.concatenate([prompt, new])")),
    ),
    wrong(
        "int64 returned",
        edited(
            (
                "return np.concatenate([prompt, new])",
                "return np.concatenate([prompt, new]).astype(np.int64)",
            )
        ),
    ),
    right(
        "added to the zeros of the window",
        edited((NOTED, "noted = window.at[length].add(token)")),
    ),
    wrong(
        "a fixed key for all texts",
        edited((KEYS, "keys = jax.random.split(jax.random.key(42), num_tokens)")),
    ),
    wrong(
        "temperature not passed on",
        edited((DRAW, DRAW.replace("temperature, ", "1.0, "))),
        "temperature_ignored",
    ),
    wrong(
        "top_k not passed on",
        edited((DRAW, DRAW.replace("top_k)", "None)"))),
        "top_k_ignored",
    ),
    wrong(
        "prompt missing from the result",
        edited(("return np.concatenate([prompt, new])", "return np.asarray(new)")),
    ),
    wrong(
        "an empty prompt padded",
        edited(('raise ValueError("The prompt is empty.")', "prompt = np.zeros(1, np.int32)")),
    ),
    wrong(
        "tokens as floats",
        edited(
            (
                "return np.concatenate([prompt, new])",
                "return np.concatenate([prompt, new]).astype(float)",
            )
        ),
    ),
    wrong("divided by H", edited((SCALED, " / self.head_dim"))),
    wrong("multiplied by √H", edited((SCALED, " * self.head_dim**0.5"))),
    wrong("keys and values exchanged in the cache", edited((KEPT, "KeyValueCache(values, keys)"))),
    wrong(
        "added to what the cache holds",
        edited(
            (
                "keys = jax.lax.dynamic_update_slice(cache.key, k, at)",
                "keys = cache.key.at[:, position + jnp.arange(T)].add(k)",
            )
        ),
    ),
    wrong(
        "values added to what the cache holds",
        edited(
            (
                "values = jax.lax.dynamic_update_slice(cache.value, v, at)",
                "values = cache.value.at[:, position + jnp.arange(T)].add(v)",
            )
        ),
    ),
    wrong(
        "the last projection skipped",
        edited(("return self.dense(mixed.reshape(B, T, -1)),", "return mixed.reshape(B, T, -1),")),
    ),
    wrong(
        "every new token sees as the first of them",
        edited((VISIBLE, "visible = (s <= position)[None, :]")),
        "mask_of_the_first",
    ),
    wrong("cache written one place late", edited((WRITTEN_AT, "at = (0, position + 1, 0, 0)"))),
    wrong("values not written", edited((KEPT, "KeyValueCache(keys, cache.value)"))),
    wrong("heads reversed", edited((MIXED, MIXED + "[:, :, ::-1]"))),
    wrong("only the first row of the batch attends", edited((MIXED, MIXED + "[:1].repeat(B, 0)"))),
    wrong(
        "two softmaxes",
        edited(
            (
                "weights = jax.nn.softmax(jnp.where(visible, scores, -jnp.inf))",
                "weights = jax.nn.softmax(jax.nn.softmax(jnp.where(visible, scores, -jnp.inf)))",
            )
        ),
    ),
    wrong(
        "mask by multiplying with minus infinity",
        edited(("jnp.where(visible, scores, -jnp.inf)", "scores + (1 - visible) * -jnp.inf")),
    ),
    wrong(
        "attention in half precision",
        edited(
            ("q, k, v = (f(x).reshape(heads)", "q, k, v = (f(x).reshape(heads).astype(jnp.float16)")
        ),
    ),
    wrong(
        "only the new part of the prompt",
        edited(("return np.concatenate([prompt, new])", "return new")),
    ),
    wrong(
        "the window instead of the prompt",
        edited(("return np.concatenate([prompt, new])", "return np.concatenate([seen, new])")),
    ),
    wrong(
        "a list returned",
        edited(("return np.concatenate([prompt, new])", "return [*prompt, *new]")),
    ),
    wrong(
        "an empty prompt is taken",
        edited(('    if not len(prompt):\n        raise ValueError("The prompt is empty.")\n', "")),
    ),
    wrong(
        "one token too many", edited((KEYS, "keys = jax.random.split(random_key, num_tokens + 1)"))
    ),
    wrong(
        "written at position 0 in every step", edited((APPENDED, APPENDED.replace("length)", "0)")))
    ),
    wrong("temperature squared", edited((DIVIDED, "    logits = logits / temperature**2\n"))),
    wrong("root of the temperature", edited((DIVIDED, "    logits = logits / temperature**0.5\n"))),
    wrong(
        "drawn along the rows",
        edited((DRAWN, "return jax.random.categorical(random_key, logits, axis=0)")),
    ),
    wrong(
        "exp before categorical",
        edited((DRAWN, "return jax.random.categorical(random_key, jnp.exp(logits))")),
    ),
    wrong(
        "the least probable at temperature 0",
        edited(("return jnp.argmax(logits, -1)", "return jnp.argmin(logits, -1)")),
    ),
    wrong(
        "argmax keeps the axis",
        edited(("return jnp.argmax(logits, -1)", "return jnp.argmax(logits, -1, keepdims=True)")),
    ),
    wrong(
        "top_k counted from the wrong end",
        edited((SMALLEST, "smallest = jnp.sort(logits)[..., k - 1][..., None]")),
    ),
    wrong(
        "block one shorter",
        edited(("S = model.block_size\n    logits", "S = model.block_size - 1\n    logits")),
        "slides_too_early",
    ),
    wrong(
        "slides to the middle of the window",
        edited((SLIDE, SLIDE.replace("logits[0, -1]", "logits[0, S // 2]"))),
    ),
    wrong(
        "tokens noted backwards", edited((NOTED, "noted = window.at[S - 1 - length].set(token)"))
    ),
    wrong("temperature plus 1", edited((DIVIDED, "    logits = logits / (temperature + 1)\n"))),
    wrong(
        "temperature at least 1",
        edited((DIVIDED, "    logits = logits / max(temperature, 1.0)\n")),
    ),
    wrong(
        "top_k as a share of the largest logit",
        edited((SMALLEST, "smallest = jnp.max(logits, -1, keepdims=True) / k")),
    ),
    wrong("always token 0", edited((SCAN, SCAN.replace("keys)[1]", "keys)[1] * 0")))),
    wrong(
        "the first token at every step",
        edited(
            (
                SCAN,
                "new = jax.lax.scan(step, (window, length, logits, caches), keys)[1]\n"
                "    return jnp.full_like(new, new[0] if num_tokens else 0)",
            )
        ),
    ),
    wrong("logits two positions early", edited((FIRST, "logits = logits[0, length - 2]"))),
    wrong(
        "the caches of the prompt discarded",
        edited(("first, first_length = caches, length", "caches = model.empty_caches()")),
        "prompt_cache_dropped",
    ),
    wrong(
        "the window rolled to the back",
        edited((SLID, "slid = jnp.roll(window, 1).at[-1].set(token)")),
        "slid_the_wrong_way",
    ),
    wrong(
        "sorted logits indexed by row",
        edited((SMALLEST, "smallest = jnp.sort(logits)[-k]")),
        "row_for_column",
    ),
    wrong(
        "temperature multiplied, top_k by zeros",
        edited(
            (DIVIDED, "    logits = logits * temperature\n"),
            (
                "jnp.where(logits < smallest, -jnp.inf, logits)",
                "jnp.where(logits < smallest, 0, logits)",
            ),
        ),
        "temperature_multiplied",
        "others_set_to_zero",
    ),
    # Sizes that stand in the code, and more.
    wrong(
        "64 positions in the cache",
        edited(
            (
                "s, t = jnp.arange(keys.shape[1]), position + jnp.arange(T)",
                "s, t = jnp.arange(64)[: keys.shape[1]], position + jnp.arange(T)",
            )
        ),
    ),
    wrong(
        "the query is scaled, and the score too",
        edited((SCORES, 'scores = jnp.einsum("BTNH,BSNH->BNTS", q / self.head_dim**0.5, keys)')),
    ),
    wrong("top_k at most 5", edited(("k = min(top_k, logits.shape[-1])", "k = min(top_k, 5)"))),
    wrong(
        "temperature below 0.7 is greedy", edited(("if temperature == 0:", "if temperature < 0.7:"))
    ),
]
