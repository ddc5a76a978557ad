"""Idioms of PyTorch and NumPy: the error that each raises here is explained by its own row."""

import textwrap

import pytest

from minigpt_challenge.coach.grading.error_explanations import IDIOMS
from minigpt_challenge.coach.grading.judge import message_of

GIVEN = """
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.sharding import PartitionSpec

from minigpt_challenge.given.cached_gpt import KeyValueCache

B, T, N, H = 2, 3, 2, 2
x, key = jnp.ones((B, T, N * H)), jax.random.key(0)  # (B, T, C)
tokens, params = jnp.ones((B, T), int), {"w": jnp.ones(3)}
"""


def message_after(tmp_path, statements, wrapped=""):
    """The message about the error that these statements raise in a learner's file."""
    answer = tmp_path / "answer.py"
    statements = textwrap.dedent(statements).strip()
    if wrapped:
        statements = wrapped.format(textwrap.indent(statements, "    "))
    answer.write_text(f"{GIVEN}\n{statements}\n", encoding="utf-8")
    with pytest.raises(Exception) as caught:
        exec(compile(answer.read_text(encoding="utf-8"), answer, "exec"), {"__name__": "answer"})
    return message_of(caught.value, answer)


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: idiom.example.strip().split("\n")[-1])
def test_the_message_begins_with_what_to_write_instead(tmp_path, idiom):
    message = message_after(tmp_path, idiom.example)
    assert message.startswith(idiom.instead)


TRACED = [idiom for idiom in IDIOMS if idiom.example.startswith("x.")]


@pytest.mark.parametrize("idiom", TRACED, ids=lambda idiom: idiom.example)
def test_it_does_so_while_jax_traces(tmp_path, idiom):
    traced = "@jax.jit\ndef f(x):\n{}\nf(x)"
    assert message_after(tmp_path, idiom.example, traced).startswith(idiom.instead)


def test_there_are_at_least_forty():
    assert len({idiom.instead for idiom in IDIOMS}) >= 40


LOOK_ALIKES = {
    "a list that is no attribute": "blocks = (nn.Dense(4),); blocks(x)",
    "T of a matrix": "w = jnp.ones((5, 2)); x @ w.T",
    "two sizes that differ": "x + jnp.ones((B, T, 7)).sum(0)",
    "an axis that is kept": "x / jnp.ones((B, T + 1, 1)).sum(-1, keepdims=True)",
    "a call of an integer": "size = x.size; size(0)",
    "another missing method": "x.masked(x)",
    "a misspelled name": "y = tokns + 1",
    "a method of another object": '"text".contiguous()',
    "a tuple that is changed": "shape = x.shape; shape[0] = 1",
    "another error beside a view": "undefined(x.view(jnp.int32))",
    "too many arguments beside zeros": "def f(x): return x\nf(jnp.zeros(3, jnp.int32), 1)",
    "a mesh axis that does not exist": (
        "mesh = jax.make_mesh((1,), ('data',))\n"
        "jax.shard_map(jnp.sum, mesh=mesh, in_specs=PartitionSpec('rows'), "
        "out_specs=PartitionSpec())(x)"
    ),
    "its own tuple": "pair = (1, 2); pair.append(3)",
    "dim of another function": "def f(x): return x\nf(x, dim=1)",
    "lr of another function": "def f(x): return x\nf(x, lr=1)",
    "a mean of another sum": "jnp.mean(x * x.sum(-1, keepdims=True) * jnp.ones((B, T)))",
    "params that are wrapped": "nn.Dense(3).apply(({},), x)",
    "an update that is too wide": "x.at[:, 1:].set(jnp.ones((B, 1, 9)))",
    "an index that is an array": "x.at[:, tokens[0]].set(jnp.ones((B, 1, 9)))",
    "a module with other fields": "class A(nn.Module): pass\nnn.Sequential([A(1, 2, 3)])",
    "a key of another tree": "tree = {'layers': {}}; tree['kernel']",
    "a float beside a function of NumPy": (
        "jax.jit(lambda x: np.where(x > 0, x, float('-inf')))(x)"
    ),
    "a missing layer in params": (
        "params = nn.Dense(3).init(key, x); params['params']['other']['kernel']"
    ),
    "a repeat beside an arange": "jax.jit(lambda n: jnp.repeat(jnp.arange(3), n))(2)",
    "a set that is updated": "{1}.update(3)",
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_look_alike_is_not_explained_by_an_idiom(tmp_path, name):
    message = message_after(tmp_path, LOOK_ALIKES[name])
    assert not [idiom.instead for idiom in IDIOMS if idiom.instead in message]
