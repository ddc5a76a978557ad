"""Task 8, the same model in NNX. Passing means that all of these hold.

`task` is your file. What it is compared with is tasks 1, 4 and 5 in Linen, as the solutions have
them. Weights get into your whole model by your own `load_linen_params`, so that names and order of
your submodules are free; those of embedding and block alone are paired by their shapes.
"""

from functools import partial
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from flax.training.train_state import TrainState

from minigpt_challenge.coach import draw, expect
from minigpt_challenge.coach.faults import nnx as faults
from minigpt_challenge.coach.faults import nnx_catalogue as catalogue
from minigpt_challenge.coach.faults.blocks import block_suspects
from minigpt_challenge.coach.faults.embedding import embedding_suspects
from minigpt_challenge.coach.faults.step import loss_suspects, outcome, returned_loss_suspects
from minigpt_challenge.coach.jaxprs import MARK, count_primitive, count_uncompiled, marked
from minigpt_challenge.coach.nnx_as_linen import AsLinen, train_state
from minigpt_challenge.coach.pairing import weights_for
from minigpt_challenge.coach.trees import flatten
from minigpt_challenge.coach.twins import Twins

# No size equals another, so that a swapped axis cannot hide; T = 1 and B = 1 are among them.
B, BLOCK, V, L, N, H = 6, 8, 11, 3, 5, 2
C = N * H
SHAPES = [(B, BLOCK), (1, 7), (4, 1)]  # (B, T)
SIZES = dict(vocab_size=V, hidden_dim=C, block_size=BLOCK, num_layers=L, num_heads=N)
OTHER_SIZES = dict(vocab_size=7, hidden_dim=12, block_size=6, num_layers=2, num_heads=3)
MANY_LAYERS = dict(vocab_size=5, hidden_dim=4, block_size=3, num_layers=11, num_heads=2)
CARRIED = [(SIZES, (B, BLOCK), (2, 1)), (OTHER_SIZES, (3, 5)), (MANY_LAYERS, (4, 3))]
EMBEDDING_OF, BLOCK_OF, GPT_OF = "NNXEmbedding(tokens)", "NNXDecoderBlock(x)", "NNXMiniGPT(tokens)"
LOSS, STEP = "nnx_loss_fn(model, x, y)", "nnx_train_step(model, optimizer, x, y)"
# No rate is one that might stand in somebody's code.
OPTIMISERS = {
    "Adam": optax.adam(0.007),
    "SGD with momentum": optax.sgd(0.013, momentum=0.9),
}
SHARPNESS = 10.0  # makes gradients longer than 1, where clipping shows


@pytest.fixture(scope="module")
def run(task):
    """Call a model, compiled. (Made anew for every file on trial, so that it outlives none.)"""
    return nnx.jit(lambda model, tokens: model(tokens))


@pytest.fixture(scope="module")
def linen(task):
    """The solution of task 4."""
    return import_module("minigpt_challenge.tasks.task4_blocks")


@pytest.fixture(scope="module")
def training(task):
    """The solution of task 5."""
    return import_module("minigpt_challenge.tasks.task5_training_step")


def linen_gpt(linen, sizes, seed=0):
    """Linen's model, and weights drawn for it."""
    gpt = linen.MiniGPT(**sizes)
    tokens = draw.tokens(1, 2, vocab_size=sizes["vocab_size"])
    return gpt, draw.params(gpt, tokens, seed=seed)


def unloaded(task, sizes):
    """Your model; what each weight holds is known, whatever your initialisers are."""
    model = task.NNXMiniGPT(**sizes, rngs=nnx.Rngs(0))
    weights = nnx.state(model, nnx.Param)
    known = jax.tree.map(lambda leaf: jnp.asarray(faults.before_loading(leaf.shape)), weights)
    nnx.update(model, known)
    return model


def loaded(task, sizes, params):
    """Your model with these weights, carried over by your `load_linen_params`."""
    model = unloaded(task, sizes)
    task.load_linen_params(model, params)
    return model


def weights_of(model):
    """All weights by their names."""
    leaves = flatten(AsLinen(model).params["params"])
    return {".".join(path): np.asarray(leaf) for path, leaf in leaves}


def num_weights(model):
    return sum(leaf.size for leaf in weights_of(model).values())


def has_all_weights(task, linen, sizes):
    _, params = linen_gpt(linen, sizes)
    wanted = sum(leaf.size for leaf in jax.tree.leaves(params))
    return num_weights(task.NNXMiniGPT(**sizes, rngs=nnx.Rngs(0))) == wanted


def test_embedding_value_equals_linen(task):
    other = import_module("minigpt_challenge.tasks.task1_embedding")
    other = other.TokenAndPositionEmbedding(V, BLOCK, C)
    tokens = draw.tokens(2, BLOCK, vocab_size=V)
    model = AsLinen(task.NNXEmbedding(V, BLOCK, hidden_dim=C, rngs=nnx.Rngs(0)))
    other_params = draw.params(other, tokens)
    params = weights_for(model, other, other_params, tokens)
    tables = [table["embedding"] for _, table in sorted(other_params["params"].items())[::-1]]

    def cases():
        for seed, (B, T) in enumerate(SHAPES):
            tokens = draw.tokens(B, T, vocab_size=V, seed=seed)
            suspects = embedding_suspects(*tables, tokens)
            yield model.apply(params, tokens), other.apply(other_params, tokens), suspects

    expect.all_equal(cases(), "BTC", EMBEDDING_OF)


def test_more_tokens_than_block_size_are_refused(task):
    why = "JAX would clamp the index or fill in NaN, and say nothing"
    made = {
        "NNXEmbedding": task.NNXEmbedding(V, BLOCK, C, rngs=nnx.Rngs(0)),
        "NNXMiniGPT": task.NNXMiniGPT(**SIZES, rngs=nnx.Rngs(0)),
    }
    for name, model in made.items():
        of = f"{name} on {BLOCK + 1} tokens, with block_size={BLOCK},"
        tokens = draw.tokens(2, BLOCK + 1, vocab_size=V)
        expect.raises(ValueError, lambda m=model, x=tokens: m(x), of=of, why=why)


def test_block_value_equals_linen(task, linen):
    def twins(hidden_dim, num_heads, x):
        mine = task.NNXDecoderBlock(hidden_dim, num_heads=num_heads, rngs=nnx.Rngs(0))
        theirs = linen.DecoderBlock(hidden_dim, num_heads)
        return Twins(
            AsLinen(mine), theirs, x, suspects=partial(block_suspects, num_heads=num_heads)
        )

    def cases():
        x = draw.floats(*SHAPES[0], C, seed=2)
        blocks = twins(C, N, x)
        yield blocks.case(x)
        yield blocks.case(draw.floats(4, 1, C, seed=3))
        yield blocks.case(draw.floats(*SHAPES[0], C, seed=4, scale=0.003))  # epsilon shows
        x = draw.floats(1, 7, 12, seed=5)
        yield twins(12, 3, x).case(x)

    expect.all_equal(cases(), "BTC", BLOCK_OF)


def test_heads_must_share_hidden_dim_evenly(task):
    why = "10 does not divide into 3 heads of one size"
    x, tokens = draw.floats(B, 5, 10), draw.tokens(B, 5, vocab_size=V)
    sizes = SIZES | dict(hidden_dim=10, num_heads=3)
    of = "with hidden_dim=10 and num_heads=3"
    for name, call in {
        "NNXDecoderBlock": lambda: task.NNXDecoderBlock(10, 3, rngs=nnx.Rngs(0))(x),
        "NNXMiniGPT": lambda: task.NNXMiniGPT(**sizes, rngs=nnx.Rngs(0))(tokens),
    }.items():
        expect.raises(ValueError, call, of=f"{name} {of}", why=why)


def test_gpt_returns_logits_for_every_position(task, run):
    gpt = task.NNXMiniGPT(*SIZES.values(), rngs=nnx.Rngs(0))
    for B, T in SHAPES:
        seen = expect.something(run(gpt, draw.tokens(B, T, vocab_size=V)), GPT_OF)
        expect.dtype(expect.array(seen, (B, T, V), "BTV", GPT_OF), np.float32, GPT_OF)


def test_every_layer_has_weights_of_its_own(task, linen):
    tokens = draw.tokens(1, 2, vocab_size=V)
    gpts = [task.NNXMiniGPT(**SIZES | dict(num_layers=n), rngs=nnx.Rngs(0)) for n in (1, L)]
    sizes = [num_weights(gpt) for gpt in gpts]
    products = [
        count_primitive("dot_general", AsLinen(g).apply, AsLinen(g).params, tokens) for g in gpts
    ]
    if sizes[0] == sizes[1] and products[0] < products[1]:
        raise expect.Wrong(
            f"NNXMiniGPT has {sizes[0]} weights with one layer, and as many with {L}: it is one "
            f"block, applied {L} times. {catalogue.BLOCKS_SHARED.think}",
            (catalogue.BLOCKS_SHARED.id,),
        )
    for gpt, num_layers, size in zip(gpts, (1, L), sizes, strict=True):
        for name, leaf in weights_of(gpt).items():
            expect.dtype(leaf, np.float32, f"The weight {name}")
        _, params = linen_gpt(linen, SIZES | dict(num_layers=num_layers))
        wanted = sum(leaf.size for leaf in jax.tree.leaves(params))
        if size != wanted:
            raise expect.Wrong(
                f"NNXMiniGPT with num_layers={num_layers} should have {wanted} weights, and has "
                f"{size}. Each block has weights of its own, so has each LayerNorm; and a weight "
                "is an `nnx.Param`, as the layers of NNX make them."
            )


def test_first_weights_come_from_rngs(task):
    one, other = (weights_of(task.NNXMiniGPT(**SIZES, rngs=nnx.Rngs(n))) for n in (0, 1))
    drawn = {name: leaf for name, leaf in one.items() if leaf.ndim > 1 and np.ptp(leaf)}
    seen = {}
    for name, leaf in drawn.items():
        twin = seen.setdefault(leaf.tobytes(), name)
        if twin != name:
            raise expect.Wrong(
                f"{twin} and {name} begin with the same random numbers, so they would learn the "
                f"same. {catalogue.RNGS_REUSED.think}",
                (catalogue.RNGS_REUSED.id,),
            )
    for name, leaf in drawn.items():
        if np.array_equal(leaf, other[name]):
            raise expect.Wrong(
                f"{name} begins with the same random numbers whether `rngs` is nnx.Rngs(0) or "
                f"nnx.Rngs(1). {catalogue.RNGS_IGNORED.think}",
                (catalogue.RNGS_IGNORED.id,),
            )


def test_loading_changes_nothing_but_the_values_of_weights(task, linen):
    _, params = linen_gpt(linen, SIZES)
    before = {path: np.array(leaf) for path, leaf in flatten(params)}
    model = unloaded(task, SIZES)
    names = weights_of(model)
    rest = nnx.to_pure_dict(nnx.state(model, nnx.Not(nnx.Param)))
    task.load_linen_params(model, params)
    now = weights_of(model)
    for name in names:
        if name not in now:
            raise expect.Wrong(
                f"After load_linen_params, {name} is no longer an `nnx.Param` of the model, but a "
                f"plain array or nothing. {catalogue.PARAMS_REPLACED.think}",
                (catalogue.PARAMS_REPLACED.id,),
            )
        of = f"After load_linen_params, {name}"
        expect.dtype(expect.array(now[name], names[name].shape, "ijkl", of), np.float32, of)
    if surplus := now.keys() - names.keys():
        raise expect.Wrong(
            f"load_linen_params added weights to the model: {', '.join(sorted(surplus))}."
        )
    after = {path: np.asarray(leaf) for path, leaf in flatten(params)}
    if before.keys() != after.keys():
        raise expect.Wrong(
            "load_linen_params took something out of params, or put something in: whoever calls "
            "it may still need them as they were."
        )
    for path in before:
        expect.equal(after[path], before[path], "ij", f"The Linen weight {'/'.join(path)}, after,")
    kept = nnx.to_pure_dict(nnx.state(model, nnx.Not(nnx.Param)))
    expect.trees_equal(kept, rest, "What the model holds besides its weights")


def test_every_linen_weight_arrives(task, linen):
    for sizes in (SIZES, OTHER_SIZES):
        _, params = linen_gpt(linen, sizes)
        model = loaded(task, sizes, params)
        held = set()
        for leaf in weights_of(model).values():
            # Whoever stacks the layers has one more axis, and a layer at each place of it.
            held |= {array.tobytes() for array in (leaf, *(leaf if leaf.ndim > 1 else ()))}
        for path, leaf in flatten(params["params"]):
            if np.asarray(leaf).tobytes() not in held:
                still = [
                    f"{name} {weight.shape}"
                    for name, weight in weights_of(model).items()
                    if np.array_equal(weight, faults.before_loading(weight.shape))
                ]
                left = f" As it was before is {still[0]}" if still else ""
                more = f", and {len(still) - 1} more" if len(still) > 1 else ""
                raise expect.Wrong(
                    f"After load_linen_params(model, params), no weight of the model equals "
                    f"params['params']{''.join(f'[{step!r}]' for step in path)}, of shape "
                    f"{leaf.shape}.{left}{more}{'.' if left else ''}"
                )


def test_logits_equal_linen(task, linen, run):
    whole = has_all_weights(task, linen, SIZES)

    def cases():
        for number, (sizes, *shapes) in enumerate(CARRIED):
            gpt, params = linen_gpt(linen, sizes, seed=number)
            model, apply = loaded(task, sizes, params), jax.jit(gpt.apply)
            for shape in shapes:
                tokens = draw.tokens(*shape, vocab_size=sizes["vocab_size"], seed=number)
                suspects = faults.loaded_gpt_suspects(params, tokens, sizes["num_heads"], whole)
                yield run(model, tokens), apply(params, tokens), suspects

        # What a norm adds to the variance shows where that is small.
        gpt, params = linen_gpt(linen, SIZES)
        params = jax.tree.map(lambda leaf: 0.003 * leaf, params)
        tokens = draw.tokens(B, BLOCK, vocab_size=V)
        suspects = faults.loaded_gpt_suspects(params, tokens, N, whole)
        model = loaded(task, SIZES, params)
        yield run(model, tokens), jax.jit(gpt.apply)(params, tokens), suspects

    expect.all_equal(cases(), "BTV", f"With the weights of the Linen model, {GPT_OF}")


def test_gpt_sees_nothing_of_the_future(task, run):
    model = unloaded(task, SIZES)
    tokens = draw.tokens(B, BLOCK, vocab_size=V, seed=2)
    before = expect.array(run(model, tokens), (B, BLOCK, V), "BTV", GPT_OF)
    for s in range(1, BLOCK):
        changed = tokens.at[:, s].set((tokens[:, s] + 1 + s) % V)
        moved = np.abs(np.asarray(run(model, changed)) - before)[:, :s].max(axis=(0, 2))
        if moved.max() > 1e-5:
            t = int(moved.argmax())
            raise expect.Wrong(
                f"{GPT_OF} looks into the future: another token at position {s} changed the "
                f"logits at position {t} by {moved[t]:.3g}."
            )


def test_gpt_gradients_equal_linen(task, linen):
    gpt, params = linen_gpt(linen, SIZES)
    tokens, weight = draw.tokens(B, BLOCK, vocab_size=V, seed=7), draw.floats(B, BLOCK, V, seed=8)
    of_params = jax.grad(lambda params: (gpt.apply(params, tokens) * weight).sum())
    of_model = nnx.grad(lambda model: (model(tokens) * weight).sum())
    model, expected = loaded(task, SIZES, params), unloaded(task, SIZES)
    nnx.update(model, nnx.jit(of_model)(model))
    # The gradients, too, are carried over by your own function.
    task.load_linen_params(expected, jax.jit(of_params)(params))
    seen, expected = weights_of(model), weights_of(expected)
    expect.trees_equal(seen, expected, "The gradient of NNXMiniGPT's weights")


def test_works_under_nnx_jit_and_after_split_and_merge(task):
    model, tokens = unloaded(task, SIZES), draw.tokens(B, BLOCK, vocab_size=V)
    expected, traced = np.asarray(model(tokens)), []

    @nnx.jit
    def traced_run(model, tokens):
        traced.append(tokens.shape)
        return model(tokens)

    for _ in range(3):
        expect.equal(traced_run(model, tokens), expected, "BTV", f"Under nnx.jit, {GPT_OF}")
    if len(traced) > 1:
        raise expect.Wrong(
            "Under nnx.jit the model is traced at every call, for the same shapes: it seems to "
            "change itself when it is called. Keep what is computed in ordinary variables."
        )
    merged = nnx.merge(*nnx.split(model))
    expect.equal(merged(tokens), expected, "BTV", f"After nnx.split and nnx.merge, {GPT_OF}")


class Tables(nnx.Module):
    """A small model of this suite's own: what it foretells depends on a token and all before it."""

    def __init__(self, seed=0):
        shapes = {"token": (V, V), "context": (V, V), "bias": (V,)}
        for place, (name, shape) in enumerate(shapes.items()):
            drawn = draw.floats(*shape, seed=3 * seed + place) / SHARPNESS
            setattr(self, name, nnx.Param(drawn))

    def __call__(self, x):
        return foretell(self.token[...], self.context[...], self.bias[...], x)


class Mild(Tables):
    """The same with gradients shorter than 1."""

    def __call__(self, x):
        return super().__call__(x) / SHARPNESS


@jax.jit  # else each of its operations would be compiled alone, for each shape
def foretell(token, context, bias, x):
    """int (B, T) → float (B, T, V)."""
    if x.ndim != 2:
        raise ValueError(f"The model reads tokens of shape (B, T), and x has the shape {x.shape}.")
    count = jnp.arange(1, x.shape[1] + 1)[:, None]  # (T, 1)
    so_far = jnp.cumsum(context[x], axis=1) / count  # (B, T, V)
    return SHARPNESS * (token[x] + so_far + bias)


def apply_fn(params, x):
    return foretell(**params["params"], x=x)


def mild_apply_fn(params, x):
    return apply_fn(params, x) / SHARPNESS


def batch(seed=0, B=B, T=BLOCK):
    both = draw.tokens(2, B, T, vocab_size=V, seed=seed)
    return both[0], both[1]


def cross_entropy(model, x, y):
    """Mean cross-entropy in plain NumPy, in float64."""
    logits = np.asarray(model(x), np.float64)  # (B, T, V)
    logits -= logits.max(-1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return np.float32(-np.take_along_axis(log_probs, np.asarray(y)[..., None], -1).mean())


def test_loss_is_the_mean_cross_entropy(task):
    def cases():
        for seed, (B, T) in enumerate(SHAPES):
            model, (x, y) = Tables(seed), batch(seed, B, T)
            suspects = loss_suspects(AsLinen(model).params, apply_fn, x, y)
            yield task.nnx_loss_fn(model, x, y), cross_entropy(model, x, y), suspects

    expect.all_equal(cases(), "", LOSS)


def test_loss_survives_large_logits(task):
    model, (x, y) = Tables(), batch()
    nnx.update(model, jax.tree.map(lambda leaf: 1e4 * leaf, nnx.state(model)))
    of = "With logits of 10⁴, the loss"
    expect.equal(task.nnx_loss_fn(model, x, y), cross_entropy(model, x, y), "", of)


def test_loss_gradients_equal_linen(task, training):
    model, (x, y) = Tables(), batch(2)
    expected = jax.grad(training.loss_fn)(AsLinen(model).params, apply_fn, x, y)["params"]
    seen = nnx.to_pure_dict(nnx.grad(task.nnx_loss_fn)(model, x, y))
    expect.trees_equal(seen, expected, "The gradient of the loss")


def is_jitted_by_jax(function):
    return isinstance(function, type(jax.jit(lambda: None)))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_three_steps_equal_task_5(task, training, optimiser):
    ends, evidence = [], []
    # Gradients shorter than 1 as well, and an optimiser and a count that are not at their start.
    for kind, applied in ((Tables, apply_fn), (Mild, mild_apply_fn)):
        model = kind()
        optimizer = nnx.Optimizer(model, OPTIMISERS[optimiser], wrt=nnx.Param)
        if kind is Mild:
            x, y = batch(9)
            optimizer.update(model, nnx.grad(lambda m, x=x: (m(x) ** 2).mean())(model))
        theirs = train_state(model, optimizer, applied)
        for step in range(3):
            x, y = batch(step)
            before = train_state(model, optimizer, applied)
            suspects = faults.step_suspects(before, x, y, is_jitted_by_jax(task.nnx_train_step))
            loss = expect.array(task.nnx_train_step(model, optimizer, x, y), (), "", STEP)
            mine = train_state(model, optimizer, applied)
            evidence.append((outcome(mine, loss), suspects))
            theirs, _ = training.train_step(theirs, x, y)
        ends.append((mine, theirs))
    called = {"params": "the model's weights", "opt_state": "its memory", "step": "optimizer.step"}
    for mine, theirs in ends:
        for part, name in called.items():
            seen, expected = (jax.tree.map(jnp.asarray, getattr(s, part)) for s in (mine, theirs))
            of = f"After three steps with {optimiser}, {name}"
            expect.trees_equal(seen, expected, of, evidence)


def test_returned_loss_is_the_one_before_the_update(task):
    def cases():
        for seed, (B, T) in enumerate(SHAPES):
            model, (x, y) = Tables(seed), batch(seed, B, T)
            optimizer = nnx.Optimizer(model, OPTIMISERS["SGD with momentum"], wrt=nnx.Param)
            state, before = train_state(model, optimizer, apply_fn), cross_entropy(model, x, y)
            loss = task.nnx_train_step(model, optimizer, x, y)
            yield loss, before, returned_loss_suspects(state, x, y)

    expect.all_equal(cases(), "", "The loss that nnx_train_step returns, from before the update,")


def test_whole_model_learns_as_in_linen(task, linen, training, run):
    gpt, params = linen_gpt(linen, SIZES)
    tx = OPTIMISERS["SGD with momentum"]
    state = TrainState.create(apply_fn=gpt.apply, params=params, tx=tx)
    model = loaded(task, SIZES, jax.tree.map(jnp.copy, params))
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    losses = []
    for step in range(3):
        x, y = batch(step)
        state, expected = training.train_step(state, x, y)
        losses.append((task.nnx_train_step(model, optimizer, x, y), expected))
    for step, (seen, expected) in enumerate(losses):
        expect.equal(seen, expected, "", f"The loss of the whole model at step {step}")
    seen, expected = run(model, x), gpt.apply(state.params, x)
    expect.equal(seen, expected, "BTV", f"After three steps, {GPT_OF}")


def test_eval_step_gives_the_loss_and_changes_nothing(task):
    model = Tables()
    before = jax.tree.map(np.array, nnx.to_pure_dict(nnx.state(model)))

    def cases():
        for seed, (B, T) in enumerate(SHAPES):
            x, y = batch(seed, B, T)
            suspects = loss_suspects(AsLinen(model).params, apply_fn, x, y)
            yield task.nnx_eval_step(model, x, y), cross_entropy(model, x, y), suspects

    expect.all_equal(cases(), "", "nnx_eval_step(model, x, y)")
    after = nnx.to_pure_dict(nnx.state(model))
    expect.trees_equal(after, before, "The model given to nnx_eval_step, afterwards,")


@pytest.mark.parametrize("name", ["nnx_train_step", "nnx_eval_step"])
def test_is_compiled_once(task, name):
    calls = []

    class Counting(Tables):
        def __call__(self, x):
            calls.append(x.shape)
            return marked(super().__call__(x))

    model = Counting()
    tx = optax.chain(OPTIMISERS["Adam"], optax.stateless(lambda updates, _: marked(updates)))
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    given = (model, optimizer) if name == "nnx_train_step" else (model,)
    step = getattr(task, name)
    step(*given, *batch(0))
    first = len(calls)
    if not first:
        raise expect.Wrong(f"{name} never calls the model.")
    step(*given, *batch(1))
    if len(calls) > first:
        raise expect.Wrong(
            f"A second call of {name}, with another batch of the same shape, ran the Python code "
            "of the model again. Under `@nnx.jit` it is traced once and then compiled."
        )
    graph, state = nnx.split(given)
    if count_uncompiled(MARK, lambda s, x, y: step(*nnx.merge(graph, s), x, y), state, *batch(2)):
        raise expect.Wrong(
            f"{name} runs one operation after the other, at least in part. With `@nnx.jit` above "
            "it, all of it is compiled."
        )
