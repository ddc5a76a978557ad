"""Task 5, training step. You pass when all of these checks hold.

`task` is your file, `reference` the solution. The model is a toy: its logits depend on a token and
on all tokens before it.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.faults.step import loss_suspects
from minigpt_challenge.coach.checks.properties import toy_language_model as toy
from minigpt_challenge.coach.checks.properties import training_step as properties

B, T, V = 3, 5, 7
SHAPES = [(B, T), (2, 1), (1, 9)]  # (B, T)
# No rate is one that might stand in somebody's code.
OPTIMIZERS = {
    "Adam": optax.adam(0.007),
    "SGD with momentum": optax.sgd(0.013, momentum=0.9),
}
ADAM, SGD = OPTIMIZERS.values()


def batch(seed=0, B=B, T=T):
    """x and y, random integers (B, T)."""
    return toy.batch(V, B, T, seed)


# The loss


def test_loss_is_the_mean_cross_entropy(task):
    """The model learns whatever lowers this number: it has to measure what you mean."""
    cases = [
        (toy.params(V, seed), toy.apply_fn, *batch(seed, *shape))
        for seed, shape in enumerate([*SHAPES, (1, 1100)])
    ]
    label = "loss_fn(params, apply_fn, x, y)"
    expect.same_function(task.loss_fn, toy.loss, cases, "", label, suspects=loss_suspects)


def test_loss_of_uniform_logits_is_log_vocab_size(task):
    """A model that knows nothing yet starts here, so a first loss far from it is a warning."""
    zeros = jax.tree.map(jnp.zeros_like, toy.params(V))
    seen = task.loss_fn(zeros, toy.apply_fn, *batch())
    label = f"The loss of a model that knows nothing, log V = log {V},"
    expect.equal(seen, np.float32(np.log(V)), "", label)


def test_loss_survives_large_logits(task):
    """A model that is sure of itself gives large logits: one overflow, and all weights are NaN."""
    properties.loss_survives_large_logits(task.loss_fn, V, *batch())


def test_loss_gradients_equal_the_reference(task, reference):
    """The weights see nothing of the loss but its gradient."""
    arguments = toy.params(V), toy.apply_fn, *batch(2)
    seen, expected = (jax.grad(file.loss_fn)(*arguments) for file in (task, reference))
    expect.trees_equal(seen, expected, "The gradient of the loss")


# train_step


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_three_steps_equal_the_reference(task, reference, optimizer):
    """The optimizer's memory and the count of steps change too, and the next step reads them."""
    steps, tx = (task.train_step, reference.train_step), OPTIMIZERS[optimizer]
    properties.three_steps_equal(*steps, tx, V, batch, f"After three steps with {optimizer}")


def test_returned_loss_is_the_one_before_the_update(task):
    """It comes for free with the gradient; a loss after the update would cost another pass."""
    cases = [
        (toy.new_state(SGD, V, seed), *batch(seed, *shape)) for seed, shape in enumerate(SHAPES)
    ]
    properties.returned_loss_is_from_before_the_update(task.train_step, cases)


def test_input_state_is_untouched(task):
    """You may want to go back to an earlier state, or to try two steps from the same one."""
    arguments = toy.new_state(ADAM, V), *batch()
    properties.input_state_is_untouched(task.train_step, arguments, "train_step")


# eval_step


def test_eval_step_gives_the_loss_and_changes_nothing(task):
    """A loss on held-out text is honest only as long as nothing is learned from that text."""
    state = toy.new_state(ADAM, V)
    before = properties.copied(state)
    cases = [(state, *batch(seed, *shape)) for seed, shape in enumerate(SHAPES)]
    expected, suspects = properties.loss_of, properties.loss_suspects
    expect.same_function(task.eval_step, expected, cases, "", "eval_step(state, x, y)", suspects)
    after = properties.copied(state)
    expect.trees_equal(after, before, "The state given to eval_step, afterwards,")


# Compiling and learning


@pytest.mark.parametrize("name", ["train_step", "eval_step"])
def test_is_compiled_once(task, name):
    """Compiled, a step is many times faster; compiled again at every call, many times slower."""
    properties.is_compiled_once(getattr(task, name), ADAM, V, batch, name)


def test_overfits_one_batch(task):
    """A step that cannot learn six predictions by heart will not learn Shakespeare."""
    x = jnp.arange(6).reshape(2, 3)  # no token twice, so that a bigram can know what comes next
    y = (x * 3 + 1) % V
    properties.overfits(task.train_step, toy.new_state(ADAM, V), x, y, num_steps=60, limit=0.5)
