"""Task 1, embedding. Passing means that all of these hold.

`task` is your file, `reference` the solution's; names and order of your submodules are free.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults import embedding as faults
from minigpt_challenge.coach.checks.param_pairing import weights_for

# No size equals another, so that a swapped axis cannot hide.
V, BLOCK, C = 11, 7, 5
SHAPES = [(2, 6), (3, 7), (1, 4), (4, 1)]  # (B, T), the whole block and a single token among them
OF = "TokenAndPositionEmbedding(tokens)"


def drawn_tokens(B, T, seed=0):
    return random_inputs.tokens(B, T, vocab_size=V, seed=seed)


@pytest.fixture(scope="module")
def models(task, reference):
    """Your module and the reference's, and one set of weights arranged for each."""
    tokens = drawn_tokens(2, BLOCK)
    model = task.TokenAndPositionEmbedding(vocab_size=V, block_size=BLOCK, hidden_dim=C)
    other = reference.TokenAndPositionEmbedding(V, BLOCK, C)
    other_params = random_inputs.params(other, tokens)
    params = weights_for(model, other, other_params, tokens)
    return model, params, other, other_params


def tables_for(model, other, other_params):
    """The reference's tables arranged for your module, even if it uses one of them alone.

    Flax gives no parameters to a table that is never used. Then the values can still be compared,
    and tell more than that a table is missing.
    """
    tokens = drawn_tokens(2, BLOCK)
    tables = {table.shape: table for table in jax.tree.leaves(other_params)}
    shapes = jax.eval_shape(model.init, jax.random.key(0), tokens)
    wanted = [tuple(n for n in leaf.shape if n != 1) for leaf in jax.tree.leaves(shapes)]
    if len(wanted) == 1 and wanted[0] in tables:
        return jax.tree.map(lambda leaf: tables[wanted[0]].reshape(leaf.shape), shapes)
    return weights_for(model, other, other_params, tokens)


def test_returns_a_vector_for_every_token(task):
    model = task.TokenAndPositionEmbedding(V, BLOCK, C)
    for B, T in SHAPES:
        tokens = drawn_tokens(B, T)
        seen = model.apply(random_inputs.params(model, tokens), tokens)
        seen = expect.array(seen, (B, T, C), "BTC", OF)
        expect.dtype(seen, np.float32, OF)


def test_as_many_tokens_as_block_size_are_accepted(task):
    model = task.TokenAndPositionEmbedding(V, BLOCK, C)
    params = random_inputs.params(model, drawn_tokens(1, 2))
    model.apply(params, drawn_tokens(1, BLOCK - 1))
    try:
        model.apply(params, drawn_tokens(1, BLOCK))
    except ValueError as error:
        raise expect.Wrong(
            f"{BLOCK} tokens with block_size={BLOCK} are refused ({error}). They fit: the "
            f"positions 0 to {BLOCK - 1} have a row each. Only more than block_size are too many."
        ) from error


def test_has_one_row_per_token_and_one_per_position(task):
    model = task.TokenAndPositionEmbedding(V, BLOCK, C)
    # Initialised on a short input: the position table must not take its size from it.
    shapes = jax.eval_shape(model.init, jax.random.key(0), drawn_tokens(1, 2))
    for leaf in jax.tree.leaves(shapes):
        expect.dtype(leaf, np.float32, f"A parameter of shape {leaf.shape}")
    seen = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    if seen != V * C + BLOCK * C:
        raise expect.Wrong(
            f"Two tables of (V, C) = {(V, C)} and (block_size, C) = {(BLOCK, C)} have "
            f"{V * C + BLOCK * C} parameters together; yours have {seen}."
        )


def test_value_equals_the_reference(task, reference):
    model = task.TokenAndPositionEmbedding(vocab_size=V, block_size=BLOCK, hidden_dim=C)
    other = reference.TokenAndPositionEmbedding(V, BLOCK, C)
    other_params = random_inputs.params(other, drawn_tokens(2, BLOCK))
    params = tables_for(model, other, other_params)
    tables = other_params["params"]
    token_table = tables["token_embedding"]["embedding"]  # (V, C)
    position_table = tables["position_embedding"]["embedding"]  # (block_size, C)

    def cases():
        for seed, (B, T) in enumerate(SHAPES):
            tokens = drawn_tokens(B, T, seed=seed)
            suspects = faults.embedding_suspects(token_table, position_table, tokens)
            yield model.apply(params, tokens), other.apply(other_params, tokens), suspects

    expect.all_equal(cases(), "BTC", OF)


def test_same_token_at_two_positions_differs(models):
    model, params, *_ = models
    seen = expect.array(model.apply(params, jnp.full((1, 3), 4)), (1, 3, C), "BTC", OF)
    if np.allclose(seen[0, 0], seen[0, 1]) or np.allclose(seen[0, 1], seen[0, 2]):
        raise expect.Wrong(
            "The same token gives the same vector at every position: where it stands is lost."
        )


def test_same_position_in_every_row_agrees(models):
    model, params, *_ = models
    row = drawn_tokens(1, 6, seed=3)
    seen = model.apply(params, jnp.repeat(row, 3, axis=0))
    seen = expect.array(seen, (3, 6, C), "BTC", OF)
    if not np.allclose(seen, seen[:1]):
        raise expect.Wrong(
            "A batch of three equal rows of tokens gives three different rows of vectors; "
            "a row's place in the batch should not matter."
        )


def test_every_integer_dtype_is_read_alike(models):
    model, params, other, other_params = models
    tokens = drawn_tokens(2, 6, seed=4)
    expected = other.apply(other_params, tokens)
    for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32"):
        seen = model.apply(params, jnp.asarray(tokens, dtype))
        expect.equal(seen, expected, "BTC", f"{OF} with {dtype} tokens")


def test_a_large_vocabulary_is_read_whole(task, reference):
    # More tokens than an int8 can count.
    vocab_size = 200
    model, other = (m.TokenAndPositionEmbedding(vocab_size, BLOCK, C) for m in (task, reference))
    tokens = random_inputs.tokens(2, BLOCK, vocab_size=vocab_size)
    other_params = random_inputs.params(other, tokens)
    params = weights_for(model, other, other_params, tokens)
    for dtype in ("uint8", "int32"):
        seen = model.apply(params, tokens.astype(dtype))
        of = f"{OF} with {vocab_size} different tokens, as {dtype},"
        expect.equal(seen, other.apply(other_params, tokens), "BTC", of)


def test_more_tokens_than_block_size_are_refused(models):
    model, params, *_ = models
    for T in (BLOCK + 1, 3 * BLOCK):
        expect.raises(
            ValueError,
            lambda T=T: model.apply(params, drawn_tokens(2, T)),
            label=f"T={T} tokens with block_size={BLOCK}",
            why="JAX would clamp the index or fill in NaN, and say nothing",
        )


def test_gradients_reach_both_tables(models):
    model, params, other, other_params = models
    tokens = drawn_tokens(2, 6, seed=5)
    weight = random_inputs.floats(2, 6, C, seed=6)

    def weighted(module):
        return lambda params: (module.apply(params, tokens) * weight).sum()

    seen = sorted(jax.tree.leaves(jax.grad(weighted(model))(params)), key=jnp.size)
    expected = sorted(jax.tree.leaves(jax.grad(weighted(other))(other_params)), key=jnp.size)
    for mine, theirs, table in zip(seen, expected, ("position", "token"), strict=True):
        mine = mine.reshape(theirs.shape)
        expect.equal(mine, theirs, "iC", f"The gradient of the {table} table")


def test_works_under_jit(models):
    model, params, other, other_params = models
    tokens = drawn_tokens(2, 6, seed=7)
    seen = jax.jit(model.apply)(params, tokens)
    expect.equal(seen, other.apply(other_params, tokens), "BTC", f"Under jax.jit, {OF}")
