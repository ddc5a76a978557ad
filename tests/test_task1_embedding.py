"""Task 1, embedding: a vector for each token that says what stands there, and where.

You pass when all of these checks hold. `task` is your file, `reference` the solution's. Names and
order of your submodules are free.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minigpt_challenge.coach.checks import expect, random_inputs
from minigpt_challenge.coach.checks.faults import embedding as mistakes
from minigpt_challenge.coach.checks.param_pairing import weights_for, weights_for_tables

# No two sizes are equal, so that swapped axes show.
V, BLOCK, C = 11, 7, 5
SHAPES = [(2, 6), (3, 7), (1, 4), (4, 1)]  # (B, T), with a full block and with a single token
EMBEDDING = "TokenAndPositionEmbedding(tokens)"


def random_tokens(B, T, seed=0):
    return random_inputs.tokens(B, T, vocab_size=V, seed=seed)


@pytest.fixture(scope="module")
def models(task, reference):
    """Your module and its weights, the reference's module and the same weights in its order."""
    tokens = random_tokens(2, BLOCK)
    mine = task.TokenAndPositionEmbedding(vocab_size=V, block_size=BLOCK, hidden_dim=C)
    theirs = reference.TokenAndPositionEmbedding(V, BLOCK, C)
    their_params = random_inputs.params(theirs, tokens)
    return mine, weights_for(mine, theirs, their_params, tokens), theirs, their_params


# Shapes and parameters


def test_returns_a_vector_for_every_token(task):
    """Every layer after this one reads a float32 array of shape (B, T, C)."""
    model = task.TokenAndPositionEmbedding(V, BLOCK, C)
    for B, T in SHAPES:
        tokens = random_tokens(B, T)
        seen = model.apply(random_inputs.params(model, tokens), tokens)
        seen = expect.array(seen, (B, T, C), "BTC", EMBEDDING)
        expect.dtype(seen, np.float32, EMBEDDING)


def test_as_many_tokens_as_block_size_are_accepted(task):
    """The model is trained on texts of exactly block_size tokens."""
    model = task.TokenAndPositionEmbedding(V, BLOCK, C)
    params = random_inputs.params(model, random_tokens(1, 2))
    model.apply(params, random_tokens(1, BLOCK - 1))
    try:
        model.apply(params, random_tokens(1, BLOCK))
    except ValueError as error:
        raise expect.Wrong(
            f"They are refused: {error}",
            asked=f"{BLOCK} tokens with block_size={BLOCK} should be accepted: the positions 0 to "
            f"{BLOCK - 1} have a row each.",
            advice="Only more than block_size tokens are too many.",
            about="a text of block_size tokens",
        ) from error


def test_has_one_row_per_token_and_one_per_position(task):
    """What the model learns about tokens and positions is in these rows, and nowhere else."""
    model = task.TokenAndPositionEmbedding(V, BLOCK, C)
    # Initialized on a short input, from which the position table must not take its size.
    shapes = jax.eval_shape(model.init, jax.random.key(0), random_tokens(1, 2))
    expect.float32_params(shapes)
    params = jax.tree.leaves(shapes.get("params", {}))
    if sum(leaf.size for leaf in params) != V * C + BLOCK * C:
        raise expect.Wrong(
            f"They hold {', '.join(str(leaf.shape) for leaf in params) or 'none'}.",
            asked=f"The parameters should be two tables, of (V, C) = {(V, C)} and (block_size, C) "
            f"= {(BLOCK, C)}, whose rows are added.",
            advice=""
            if set(shapes) == {"params"}
            else "The optimizer moves only what is in params['params'], as the tables of "
            "`nn.Embed` are.",
            about="the parameters",
        )


# Values


def test_value_equals_the_reference(task, reference):
    """The vector is the token's row plus the position's row."""
    mine = task.TokenAndPositionEmbedding(vocab_size=V, block_size=BLOCK, hidden_dim=C)
    theirs = reference.TokenAndPositionEmbedding(V, BLOCK, C)
    their_params = random_inputs.params(theirs, random_tokens(2, BLOCK))
    params = weights_for_tables(mine, theirs, their_params, random_tokens(2, BLOCK))
    tables = their_params["params"]
    token_table = tables["token_embedding"]["embedding"]  # (V, C)
    position_table = tables["position_embedding"]["embedding"]  # (block_size, C)
    expect.same_function(
        partial(mine.apply, params),
        partial(theirs.apply, their_params),
        [(random_tokens(B, T, seed=seed),) for seed, (B, T) in enumerate(SHAPES)],
        "BTC",
        EMBEDDING,
        suspects=partial(mistakes.embedding_suspects, token_table, position_table),
    )


def test_same_token_at_two_positions_differs(models):
    """Without positions, the o of “on” and the o of “no” would be the same to the model."""
    mine, params, *_ = models
    seen = expect.array(mine.apply(params, jnp.full((1, 3), 4)), (1, 3, C), "BTC", EMBEDDING)
    if np.allclose(seen[0, 0], seen[0, 1]) or np.allclose(seen[0, 1], seen[0, 2]):
        raise expect.Wrong(
            "It gives the same vector at two neighboring positions: its position is lost.",
            asked="The same token should give a different vector at every position.",
            about="the same token at two positions",
        )


def test_same_position_in_every_row_agrees(models):
    """The rows of a batch are separate texts, and each of them starts at position 0."""
    mine, params, *_ = models
    row = random_tokens(1, 6, seed=3)
    seen = mine.apply(params, jnp.repeat(row, 3, axis=0))
    seen = expect.array(seen, (3, 6, C), "BTC", EMBEDDING)
    if not np.allclose(seen, seen[:1], equal_nan=True):
        raise expect.Wrong(
            "The rows of vectors differ.",
            asked="Three equal rows of tokens should give three equal rows of vectors.",
            advice="A row's place in the batch should not matter.",
            about="equal rows in a batch",
        )


# Dtypes of the tokens


def test_every_integer_dtype_is_read_alike(models):
    """Token files are often stored as uint8 or uint16 to save space."""
    mine, params, theirs, their_params = models
    tokens = random_tokens(2, 6, seed=4)
    expected = theirs.apply(their_params, tokens)
    for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32"):
        seen = mine.apply(params, jnp.asarray(tokens, dtype))
        expect.equal(seen, expected, "BTC", f"{EMBEDDING} with {dtype} tokens")


def test_a_large_vocabulary_is_read_whole(task, reference):
    """Token 200 should be token 200, although an int8 only counts to 127."""
    vocab_size = 200
    mine, theirs = (m.TokenAndPositionEmbedding(vocab_size, BLOCK, C) for m in (task, reference))
    tokens = random_inputs.tokens(2, BLOCK, vocab_size=vocab_size)
    their_params = random_inputs.params(theirs, tokens)
    params = weights_for(mine, theirs, their_params, tokens)
    for dtype in ("uint8", "int32"):
        seen = mine.apply(params, tokens.astype(dtype))
        label = f"{EMBEDDING} with {vocab_size} different tokens, as {dtype},"
        expect.equal(seen, theirs.apply(their_params, tokens), "BTC", label)


def test_a_long_text_is_read_whole(task, reference):
    """Each position up to block_size has a row of its own, however long a block is."""
    block_size = 1100  # more than the sizes that people write down
    mine, theirs = (m.TokenAndPositionEmbedding(V, block_size, C) for m in (task, reference))
    tokens = random_tokens(1, block_size)
    their_params = random_inputs.params(theirs, tokens)
    params = weights_for(mine, theirs, their_params, tokens)
    label = f"{EMBEDDING} with {block_size:,} positions"
    expect.equal(mine.apply(params, tokens), theirs.apply(their_params, tokens), "BTC", label)


# Errors


def test_more_tokens_than_block_size_are_refused(models):
    """An error now is better than a model that silently reads the wrong rows."""
    mine, params, *_ = models
    for T in (BLOCK + 1, 3 * BLOCK):
        expect.raises(
            ValueError,
            lambda T=T: mine.apply(params, random_tokens(2, T)),
            label=f"T={T} tokens with block_size={BLOCK}",
            why="JAX would silently clamp the index or fill in NaN",
            about="more tokens than block_size",
        )


# Training


def test_gradients_reach_both_tables(models):
    """A table without gradients never learns."""
    mine, params, theirs, their_params = models
    tokens = random_tokens(2, 6, seed=5)
    weight = random_inputs.floats(2, 6, C, seed=6)

    def weighted(module):
        return lambda params: (module.apply(params, tokens) * weight).sum()

    seen = sorted(jax.tree.leaves(jax.grad(weighted(mine))(params)), key=jnp.size)
    expected = sorted(jax.tree.leaves(jax.grad(weighted(theirs))(their_params)), key=jnp.size)
    for gradient, wanted, table in zip(seen, expected, ("position", "token"), strict=True):
        gradient = gradient.reshape(wanted.shape)
        expect.equal(gradient, wanted, "iC", f"The gradient of the {table} table")


def test_works_under_jit(models):
    """The training step is compiled, and your module with it."""
    mine, params, theirs, their_params = models
    tokens = random_tokens(2, 6, seed=7)
    seen = jax.jit(mine.apply)(params, tokens)
    expect.equal(seen, theirs.apply(their_params, tokens), "BTC", f"Under jax.jit, {EMBEDDING}")
