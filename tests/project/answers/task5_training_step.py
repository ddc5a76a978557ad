"""Answers to task 5."""

from tests.project.answers.bank import right, wrong

FILE = """
from functools import partial

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training.train_state import TrainState
from jax.scipy.special import logsumexp


def loss_fn(params, apply_fn, x, y):
    logits = apply_fn(params, x)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
    return losses.mean()


@jax.jit
def train_step(state, x, y):
    loss, grads = jax.value_and_grad(loss_fn)(state.params, state.apply_fn, x, y)
    state = state.apply_gradients(grads=grads)
    return state, loss


@jax.jit
def eval_step(state, x, y):
    return loss_fn(state.params, state.apply_fn, x, y)
"""

LOGITS = "logits = apply_fn(params, x)"
LOSSES = "losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)"
MEAN = "return losses.mean()"
JIT_TRAIN = "@jax.jit\ndef train_step"
JIT_EVAL = "@jax.jit\ndef eval_step"
GRAD = "loss, grads = jax.value_and_grad(loss_fn)(state.params, state.apply_fn, x, y)"
APPLY = "state = state.apply_gradients(grads=grads)"
RETURN = "return state, loss"
EVAL = "return loss_fn(state.params, state.apply_fn, x, y)"


def edited(*edits: tuple[str, str]) -> str:
    """The file with pieces replaced, indented alike; each must occur exactly once."""
    text = FILE
    for old, new in edits:
        assert text.count(old) == 1, old
        indentation = "" if old.startswith("@") else " " * 4
        text = text.replace(old, new.strip("\n").replace("\n", f"\n{indentation}"))
    return text


def lines(*rows: str) -> str:
    """Join the lines of a body."""
    return "\n".join(rows)


UPDATE_BY_HAND = """
updates, opt_state = state.tx.update(grads, state.opt_state, state.params)
params = optax.apply_updates(state.params, updates)
state = state.replace(params=params, opt_state=opt_state, step=state.step + 1)
"""
TWO_PASSES = """
loss = loss_fn(state.params, state.apply_fn, x, y)
grads = jax.grad(loss_fn)(state.params, state.apply_fn, x, y)
"""
LOG_PROBS = "log_probs = jax.nn.log_softmax(logits)"
ONE_HOT = "one_hot = jax.nn.one_hot(y, logits.shape[-1])"

summed = (MEAN, "return losses.sum()")
labels_are_inputs = (LOSSES, LOSSES.replace("y)", "x)"))
shifted = (LOSSES, LOSSES.replace("logits, y", "logits[:, :-1], y[:, 1:]"))
negated = (MEAN, "return -losses.mean()")
softmax_twice = (LOGITS, "logits = jax.nn.softmax(apply_fn(params, x))")
loss_after_update = (
    RETURN,
    lines("loss = loss_fn(state.params, state.apply_fn, x, y)", RETURN),
)
ascent = (APPLY, "state = state.apply_gradients(grads=jax.tree.map(jnp.negative, grads))")
no_update = (APPLY, "state.apply_gradients(grads=grads)")
by_hand = (
    APPLY,
    "state = state.replace(params=jax.tree.map(lambda p, g: p - 0.1 * g, state.params, grads))",
)
twice = (APPLY, lines(APPLY, APPLY))
uncounted = (APPLY, UPDATE_BY_HAND.replace(", step=state.step + 1", ""))
lost_opt_state = (APPLY, UPDATE_BY_HAND.replace("opt_state=opt_state, ", ""))
clipped = (
    APPLY,
    lines(
        "grads, _ = optax.clip_by_global_norm(1.0).update(grads, optax.EmptyState())",
        APPLY,
    ),
)
labels_from_x = (LOSSES, LOSSES.replace("logits, y", "logits[:, :-1], x[:, 1:]"))

ANSWERS = [
    right("value_and_grad, decorators", FILE),
    right(
        "jit by call, functions under other names",
        """
import jax as J
import optax as O


def ce(w, f, tokens, targets):
    return O.softmax_cross_entropy_with_integer_labels(f(w, tokens), targets).mean()


def _train(s, a, b):
    l, g = J.value_and_grad(ce, argnums=0)(s.params, s.apply_fn, a, b)
    return s.apply_gradients(grads=g), l


loss_fn = ce
train_step = J.jit(_train)
eval_step = J.jit(lambda s, a, b: ce(s.params, s.apply_fn, a, b))
""",
    ),
    right(
        "jit with partial",
        edited(
            (JIT_TRAIN, "@partial(jax.jit, donate_argnums=())\ndef train_step"),
            (JIT_EVAL, "@partial(jax.jit, inline=True)\ndef eval_step"),
        ),
    ),
    right(
        "log_softmax and take_along_axis",
        edited(
            (
                LOSSES,
                lines(
                    LOG_PROBS,
                    "losses = -jnp.take_along_axis(log_probs, y[..., None], axis=-1)[..., 0]",
                ),
            ),
        ),
    ),
    right(
        "one-hot and einsum, mean by division",
        edited(
            (LOSSES, lines(LOG_PROBS, ONE_HOT)),
            (MEAN, 'return -jnp.einsum("btv,btv->", log_probs, one_hot) / y.size'),
        ),
    ),
    right(
        "optax with one-hot labels",
        edited(
            (LOSSES, lines(ONE_HOT, "losses = optax.softmax_cross_entropy(logits, one_hot)")),
            (MEAN, "return jnp.mean(losses, axis=(0, 1))"),
        ),
    ),
    right(
        "logsumexp and fancy indexing",
        edited(
            (
                LOSSES,
                lines(
                    "B, T, V = logits.shape",
                    "picked = logits[jnp.arange(B)[:, None], jnp.arange(T)[None], y]",
                    "losses = logsumexp(logits, axis=-1) - picked",
                ),
            ),
        ),
    ),
    right(
        "stable softmax by hand",
        edited(
            (
                LOSSES,
                lines(
                    "logits = logits - jax.lax.stop_gradient(logits.max(-1, keepdims=True))",
                    "norm = jnp.log(jnp.exp(logits).sum(-1))",
                    "losses = norm - (logits * (jnp.arange(logits.shape[-1]) == y[..., None]))"
                    ".sum(-1)",
                ),
            ),
        ),
    ),
    right(
        "all predictions flattened",
        edited(
            (
                LOSSES,
                lines(
                    "logits = logits.reshape(-1, logits.shape[-1])",
                    "losses = optax.softmax_cross_entropy_with_integer_labels(logits, y.ravel())",
                ),
            ),
            (MEAN, "return losses.sum() / losses.shape[0]"),
        ),
    ),
    right(
        "vmap over rows and positions",
        edited(
            (
                LOSSES,
                "losses = jax.vmap(jax.vmap(lambda z, i: -jax.nn.log_softmax(z)[i]))(logits, y)",
            ),
            (MEAN, "return losses.mean(axis=1).mean()"),
        ),
    ),
    right(
        "loss and gradient in two passes, update by hand",
        edited((GRAD, TWO_PASSES), (APPLY, UPDATE_BY_HAND)),
    ),
    right(
        "gradient of a nested function",
        edited(
            (
                GRAD,
                """
def of(params):
    return loss_fn(params, state.apply_fn, x, y)

loss, grads = jax.value_and_grad(of)(state.params)
""",
            ),
            (RETURN, "return (state, loss)"),
        ),
    ),
    right(
        "logits as auxiliary output",
        edited(
            (
                GRAD,
                """
def both(params):
    logits = state.apply_fn(params, x)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), logits

(loss, logits), grads = jax.value_and_grad(both, has_aux=True)(state.params)
""",
            ),
            (
                EVAL,
                """
logits = state.apply_fn(state.params, x)
return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()
""",
            ),
        ),
    ),
    right(
        "jax.vjp, and params + updates leaf by leaf",
        edited(
            (
                GRAD,
                """
loss, pull = jax.vjp(lambda p: loss_fn(p, state.apply_fn, x, y), state.params)
(grads,) = pull(jnp.ones_like(loss))
""",
            ),
            (
                APPLY,
                """
change, memory = state.tx.update(grads, state.opt_state, params=state.params)
state = TrainState(
    step=state.step + 1,
    apply_fn=state.apply_fn,
    params=jax.tree.map(lambda p, u: p + u, state.params, change),
    tx=state.tx,
    opt_state=memory,
)
""",
            ),
        ),
    ),
    right(
        "a plain function around a jitted one",
        edited(
            (JIT_TRAIN, "@jax.jit\ndef _step"),
            (
                JIT_EVAL,
                """
def train_step(state, x, y):
    new, loss = _step(state, x, y)
    return new, loss


@jax.jit
def eval_step""",
            ),
        ),
    ),
    wrong("loss summed", edited(summed), "loss_summed"),
    wrong("summed over time", edited((MEAN, "return losses.sum(1).mean()")), "summed_over_time"),
    wrong(
        "summed over the batch",
        edited((MEAN, "return losses.sum() / y.shape[1]")),
        "summed_over_batch",
    ),
    wrong(
        "averaged over the vocabulary too",
        edited((LOSSES, f"{ONE_HOT}\n{LOG_PROBS}"), (MEAN, "return -(one_hot * log_probs).mean()")),
        "averaged_over_vocabulary",
    ),
    wrong("one loss for each position", edited((MEAN, "return losses"))),
    wrong("one loss for each row", edited((MEAN, "return losses.mean(-1)"))),
    wrong("loss of shape (1,)", edited((MEAN, "return losses.mean()[None]"))),
    wrong("x as labels", edited(labels_are_inputs), "labels_are_inputs"),
    wrong("labels shifted again", edited(shifted), "labels_shifted"),
    wrong("labels from x", edited(labels_from_x), "labels_from_x"),
    wrong(
        "labels rolled",
        edited((LOSSES, LOSSES.replace("y)", "jnp.roll(y, -1, 1))"))),
        "labels_rolled",
    ),
    wrong(
        "x and y swapped",
        edited((LOGITS, "logits = apply_fn(params, y)"), labels_are_inputs),
        "inputs_labels_swapped",
    ),
    wrong("softmax twice", edited(softmax_twice), "softmax_twice"),
    wrong(
        "log to base 2",
        edited(
            (
                LOSSES,
                lines(
                    "log_probs = jax.nn.log_softmax(logits) / jnp.log(2)",
                    "losses = -jnp.take_along_axis(log_probs, y[..., None], -1)",
                ),
            )
        ),
        "log_base_2",
    ),
    wrong("loss negated", edited(negated), "sign_turned"),
    wrong(
        "loss negated, log_softmax",
        edited(
            (
                LOSSES,
                f"{LOG_PROBS}\nlosses = jnp.take_along_axis(log_probs, y[..., None], -1)[..., 0]",
            )
        ),
        "sign_turned",
    ),
    wrong(
        "squared error of probabilities",
        edited((LOSSES, f"{ONE_HOT}\nlosses = (jax.nn.softmax(logits) - one_hot) ** 2")),
        "squared_error",
    ),
    wrong(
        "squared error of logits",
        edited((LOSSES, f"{ONE_HOT}\nlosses = jnp.square(logits - one_hot)")),
        "squared_error_of_logits",
    ),
    wrong(
        "half the squared error, summed over the vocabulary",
        edited((LOSSES, f"{ONE_HOT}\nlosses = optax.l2_loss(logits, one_hot).sum(-1)")),
    ),
    wrong(
        "binary cross-entropy",
        edited(
            (LOSSES, f"{ONE_HOT}\nlosses = optax.sigmoid_binary_cross_entropy(logits, one_hot)")
        ),
        "sigmoid",
    ),
    wrong(
        "probability instead of its logarithm",
        edited(
            (
                LOSSES,
                lines(
                    "probs = jax.nn.softmax(logits)",
                    "losses = -jnp.take_along_axis(probs, y[..., None], -1)",
                ),
            )
        ),
        "log_missing",
    ),
    wrong(
        "logit instead of its log-probability",
        edited((LOSSES, "losses = -jnp.take_along_axis(logits, y[..., None], -1)")),
        "softmax_missing",
    ),
    wrong(
        "softmax over time",
        edited(
            (
                LOSSES,
                lines(
                    "log_probs = jax.nn.log_softmax(logits, axis=1)",
                    "losses = -jnp.take_along_axis(log_probs, y[..., None], -1)",
                ),
            )
        ),
        "softmax_over_time",
    ),
    wrong(
        "last position only",
        edited((LOSSES, LOSSES.replace("logits, y", "logits[:, -1], y[:, -1]"))),
        "last_position_only",
    ),
    wrong("first row only", edited((MEAN, "return losses[0].mean()")), "first_row_only"),
    wrong(
        "token 0 treated as padding",
        edited((MEAN, "return jnp.sum(losses * (y != 0)) / jnp.sum(y != 0)")),
        "token_0_ignored",
    ),
    wrong("perplexity", edited((MEAN, "return jnp.exp(losses.mean())")), "exponentiated"),
    wrong("median", edited((MEAN, "return jnp.median(losses)"))),
    wrong(
        "labels smoothed",
        edited(
            (
                LOSSES,
                lines(
                    "one_hot = optax.smooth_labels(jax.nn.one_hot(y, logits.shape[-1]), 0.1)",
                    "losses = optax.softmax_cross_entropy(logits, one_hot)",
                ),
            )
        ),
    ),
    wrong(
        "log of the softmax, unstable",
        edited(
            (
                LOSSES,
                lines(
                    "log_probs = jnp.log(jax.nn.softmax(logits))",
                    "losses = -jnp.take_along_axis(log_probs, y[..., None], -1)",
                ),
            )
        ),
        "beyond_float32",
    ),
    wrong(
        "log of the softmax with one-hot labels, unstable",
        edited(
            (
                LOSSES,
                lines(ONE_HOT, "losses = -(one_hot * jnp.log(jax.nn.softmax(logits))).sum(-1)"),
            )
        ),
        "beyond_float32",
    ),
    *(
        wrong(
            f"logsumexp by hand, minus {name}",
            edited(
                (
                    LOSSES,
                    lines(
                        "picked = jnp.take_along_axis(logits, y[..., None], -1)",
                        f"shift = {shift}",
                        "total = jnp.exp(logits - shift).sum(-1, keepdims=True)",
                        "losses = shift + jnp.log(total) - picked",
                    ),
                )
            ),
            "beyond_float32",
        )
        for name, shift in (
            ("the largest of all", "logits.max()"),
            ("the mean of each row", "logits.mean(-1, keepdims=True)"),
            ("the first of each row", "logits[..., :1]"),
        )
    ),
    wrong(
        "softmax by hand, unstable",
        edited(
            (
                LOSSES,
                lines(
                    "probs = jnp.exp(logits) / jnp.exp(logits).sum(-1, keepdims=True)",
                    "losses = -jnp.log(jnp.take_along_axis(probs, y[..., None], -1))",
                ),
            )
        ),
        "exp_overflows",
    ),
    wrong(
        "logsumexp by hand, unstable",
        edited(
            (
                LOSSES,
                lines(
                    "picked = jnp.take_along_axis(logits, y[..., None], -1)[..., 0]",
                    "losses = jnp.log(jnp.exp(logits).sum(-1)) - picked",
                ),
            )
        ),
        "exp_overflows",
    ),
    wrong(
        "integer labels passed as one-hot",
        edited((LOSSES, "losses = optax.softmax_cross_entropy(logits, y)")),
    ),
    wrong(
        "log of the softmax plus an epsilon",
        edited(
            (
                LOSSES,
                lines(
                    "log_probs = jnp.log(jax.nn.softmax(logits) + 1e-8)",
                    "losses = -jnp.take_along_axis(log_probs, y[..., None], -1)",
                ),
            )
        ),
    ),
    wrong("hard-coded", edited((MEAN, "return jnp.float32(1.9)"))),
    wrong("log V", edited((MEAN, "return jnp.log(1.0 * logits.shape[-1])"))),
    wrong("no return", edited((MEAN, "losses.mean()"))),
    wrong("half precision", edited((MEAN, "return losses.mean().astype(jnp.bfloat16)"))),
    wrong(
        "half precision inside",
        edited((LOGITS, "logits = apply_fn(params, x).astype(jnp.bfloat16)")),
    ),
    wrong(
        "gradient stopped", edited((LOGITS, "logits = jax.lax.stop_gradient(apply_fn(params, x))"))
    ),
    wrong("gradient of the bias stopped", edited((GRAD, f"{GRAD}\ngrads['params']['bias'] *= 0"))),
    wrong("params wrapped again", edited((LOGITS, 'logits = apply_fn({"params": params}, x)'))),
    wrong(
        "wrong where B is 1", edited((MEAN, "return losses.mean() if len(y) > 1 else losses.sum()"))
    ),
    wrong(
        "wrong where T is 1",
        edited(
            (
                LOGITS,
                lines(LOGITS, "logits = logits if x.shape[1] > 1 else logits / 2"),
            )
        ),
    ),
    wrong("loss returned with logits", edited((MEAN, "return losses.mean(), logits"))),
    wrong("loss in a tuple", edited((RETURN, "return state, (loss, loss)"))),
    wrong("state unchanged", edited(no_update), "state_unchanged"),
    wrong(
        "params unchanged",
        edited((APPLY, UPDATE_BY_HAND.replace("params=params, ", ""))),
        "params_unchanged",
    ),
    wrong("gradient ascent", edited(ascent), "gradient_ascent"),
    wrong("update by hand", edited(by_hand), "by_hand_0.1"),
    wrong(
        "update by hand, step counted",
        edited(
            (
                APPLY,
                """
params = jax.tree.map(lambda p, g: p - 1e-3 * g, state.params, grads)
state = state.replace(step=state.step + 1, params=params)
""",
            )
        ),
        "by_hand_0.001",
    ),
    wrong("update by hand, unusual rate", edited((APPLY, by_hand[1].replace("0.1", "0.37")))),
    wrong(
        "update by hand, one leaf",
        edited(
            (
                APPLY,
                """
inner = dict(state.params["params"])
inner["bias"] -= 0.1 * grads["params"]["bias"]
state = state.replace(step=state.step + 1, params={"params": inner})
""",
            )
        ),
    ),
    wrong("update twice", edited(twice), "update_twice"),
    wrong("two gradient steps", edited((APPLY, lines(APPLY, GRAD, APPLY))), "loss_after_update"),
    wrong(
        "params changed twice",
        edited(
            (
                APPLY,
                UPDATE_BY_HAND.replace(
                    "(state.params, updates)",
                    "(optax.apply_updates(state.params, updates), updates)",
                ),
            )
        ),
    ),
    wrong("opt_state lost", edited(lost_opt_state), "opt_state_lost"),
    wrong(
        "opt_state lost, step not counted",
        edited((APPLY, UPDATE_BY_HAND.replace(", opt_state=opt_state, step=state.step + 1", ""))),
        "opt_state_lost",
        "step_not_counted",
    ),
    wrong(
        "opt_state initialized at every step",
        edited((APPLY, UPDATE_BY_HAND.replace("state.opt_state,", "state.tx.init(state.params),"))),
        "opt_state_fresh",
    ),
    wrong(
        "a new TrainState at every step",
        edited(
            (
                APPLY,
                UPDATE_BY_HAND.replace(
                    "state.replace(params=params, opt_state=opt_state, step=state.step + 1)",
                    "TrainState.create(apply_fn=state.apply_fn, params=params, tx=state.tx)",
                ),
            )
        ),
        "state_created_anew",
    ),
    wrong(
        "another optimizer",
        edited(
            (
                APPLY,
                """
tx = optax.adam(1e-3)
updates, _ = tx.update(grads, tx.init(state.params), state.params)
state = state.replace(step=state.step + 1, params=optax.apply_updates(state.params, updates))
""",
            )
        ),
    ),
    wrong(
        "weight decay in the gradient",
        edited(
            (GRAD, f"{GRAD}\ngrads = jax.tree.map(lambda g, p: g + 1e-2 * p, grads, state.params)")
        ),
    ),
    wrong("step not counted", edited(uncounted), "step_not_counted"),
    wrong(
        "step counted twice",
        edited((APPLY, lines(APPLY, "state = state.replace(step=state.step + 1)"))),
    ),
    wrong(
        "gradient normalized",
        edited(
            (
                APPLY,
                lines(
                    "norm = optax.global_norm(grads)",
                    "grads = jax.tree.map(lambda g: g / norm, grads)",
                    APPLY,
                ),
            )
        ),
        "gradients_normalized",
    ),
    wrong("gradient clipped", edited(clipped), "gradients_clipped"),
    wrong(
        "gradient clipped leaf by leaf",
        edited((APPLY, lines("grads = jax.tree.map(lambda g: jnp.clip(g, -1, 1), grads)", APPLY))),
    ),
    wrong(
        "sign of the gradient",
        edited((APPLY, lines("grads = jax.tree.map(jnp.sign, grads)", APPLY))),
    ),
    wrong(
        "gradient with respect to all arguments",
        edited((GRAD, GRAD.replace("(loss_fn)", "(loss_fn, argnums=(0, 1))"))),
    ),
    wrong("loss after the update", edited(loss_after_update), "loss_after_update"),
    wrong(
        "loss times the batch", edited((RETURN, "return state, loss * len(x)")), "summed_over_batch"
    ),
    wrong("loss and state in reverse order", edited((RETURN, "return loss, state"))),
    wrong("only the state returned", edited((RETURN, "return state"))),
    wrong("list instead of tuple", edited((RETURN, "return [state, loss]"))),
    wrong("gradients instead of the state", edited((RETURN, "return grads, loss"))),
    wrong("params instead of the state", edited((RETURN, "return state.params, loss"))),
    wrong(
        "jit of the gradient, created at every call",
        edited(
            (JIT_TRAIN, "def train_step"),
            (
                GRAD,
                """
of_params = jax.value_and_grad(lambda p: loss_fn(p, state.apply_fn, x, y))
loss, grads = jax.jit(of_params)(state.params)
""",
            ),
        ),
    ),
    wrong("train_step without jit", edited((JIT_TRAIN, "def train_step"))),
    wrong("train_step under checkpoint", edited((JIT_TRAIN, "@jax.checkpoint\ndef train_step"))),
    wrong("eval_step under checkpoint", edited((JIT_EVAL, "@jax.checkpoint\ndef eval_step"))),
    wrong(
        "only the loss jitted",
        edited((JIT_TRAIN, "loss_fn = jax.jit(loss_fn, static_argnums=1)\n\n\ndef train_step")),
    ),
    wrong("eval_step without jit", edited((JIT_EVAL, "def eval_step"))),
    wrong(
        "neither step with jit", edited((JIT_TRAIN, "def train_step"), (JIT_EVAL, "def eval_step"))
    ),
    wrong(
        "jit created at every call",
        edited(
            (
                JIT_TRAIN,
                """
def train_step(state, x, y):
    return jax.jit(lambda *a: _step(*a))(state, x, y)


def _step""",
            )
        ),
    ),
    wrong(
        "only the loss jitted, at every call",
        edited(
            (JIT_EVAL, "def eval_step"),
            (EVAL, "return jax.jit(lambda p: loss_fn(p, state.apply_fn, x, y))(state.params)"),
        ),
    ),
    right(
        "state donated", edited((JIT_TRAIN, "@partial(jax.jit, donate_argnums=0)\ndef train_step"))
    ),
    right(
        "state and batch donated by name",
        edited(
            (
                JIT_TRAIN,
                '@partial(jax.jit, donate_argnames=("state", "x", "y"))\ndef train_step',
            )
        ),
    ),
    wrong(
        "params changed in place",
        edited(
            (JIT_TRAIN, "def train_step"),
            (
                APPLY,
                lines(
                    "new = state.apply_gradients(grads=grads)",
                    "state.params.update(new.params)",
                    "state = new",
                ),
            ),
        ),
    ),
    wrong(
        "first batch reused",
        edited(
            (JIT_TRAIN, "SEEN = []\n\n\n@jax.jit\ndef _step"),
            (
                JIT_EVAL,
                """
def train_step(state, x, y):
    SEEN.append((x, y))
    same = [batch for batch in SEEN if batch[0].shape == x.shape]
    return _step(state, *same[0])


@jax.jit
def eval_step""",
            ),
        ),
    ),
    wrong(
        "optimizer's state kept outside",
        edited(
            (JIT_TRAIN, "MEMORY = {}\n\n\ndef train_step"),
            (
                APPLY,
                """
memory = MEMORY.get("opt_state", state.opt_state)
updates, MEMORY["opt_state"] = state.tx.update(grads, memory, state.params)
params = optax.apply_updates(state.params, updates)
state = state.replace(params=params, opt_state=MEMORY["opt_state"], step=state.step + 1)
""",
            ),
        ),
    ),
    wrong(
        "no update before the second step",
        edited(
            (
                APPLY,
                """
new = state.apply_gradients(grads=grads)
state = jax.tree.map(lambda a, b: jnp.where(state.step > 0, a, b), new, state.replace(step=1))
""",
            )
        ),
    ),
    wrong(
        "frozen after two steps",
        edited(
            (
                APPLY,
                """
new = state.apply_gradients(grads=grads)
params = jax.tree.map(lambda a, b: jnp.where(state.step < 2, a, b), new.params, state.params)
state = new.replace(params=params)
""",
            )
        ),
    ),
    wrong(
        "eval_step trains",
        edited((EVAL, "return train_step(*train_step(state, x, y)[:1], x, y)[1]")),
    ),
    wrong(
        "eval_step returns the accuracy",
        edited((EVAL, "return (state.apply_fn(state.params, x).argmax(-1) == y).mean()")),
    ),
    wrong(
        "eval_step returns a state too",
        edited((EVAL, "return state, loss_fn(state.params, state.apply_fn, x, y)")),
    ),
    wrong(
        "eval_step with x as labels",
        edited((EVAL, EVAL.replace("x, y", "x, x"))),
        "labels_are_inputs",
    ),
    wrong("summed, gradient ascent", edited(summed, ascent), "loss_summed", "gradient_ascent"),
    wrong(
        "summed, loss after the update",
        edited(summed, loss_after_update),
        "loss_summed",
        "loss_after_update",
    ),
    wrong(
        "summed, x as labels", edited(summed, labels_are_inputs), "loss_summed", "labels_are_inputs"
    ),
    wrong(
        "summed, loss negated", edited((MEAN, "return -losses.sum()")), "loss_summed", "sign_turned"
    ),
    wrong(
        "labels shifted, softmax twice",
        edited(shifted, softmax_twice),
        "labels_shifted",
        "softmax_twice",
    ),
    wrong(
        "x as labels, state unchanged",
        edited(labels_are_inputs, no_update),
        "labels_are_inputs",
        "state_unchanged",
    ),
    wrong(
        "softmax twice, update by hand",
        edited(softmax_twice, by_hand),
        "softmax_twice",
        "by_hand_0.1",
    ),
    wrong(
        "gradient ascent, step not counted",
        edited((GRAD, f"{GRAD}\ngrads = jax.tree.map(lambda g: -g, grads)"), uncounted),
        "gradient_ascent",
        "step_not_counted",
    ),
    wrong(
        "gradient clipped, loss after the update",
        edited(clipped, loss_after_update),
        "gradients_clipped",
        "loss_after_update",
    ),
    wrong("update twice, loss negated", edited(twice, negated), "update_twice", "sign_turned"),
    wrong(
        "loss negated, gradient ascent", edited(negated, ascent), "sign_turned", "gradient_ascent"
    ),
    wrong(
        "opt_state lost, loss after the update",
        edited(lost_opt_state, loss_after_update),
        "opt_state_lost",
        "loss_after_update",
    ),
    wrong(
        "update by hand, gradient ascent",
        edited((APPLY, by_hand[1].replace("p - 0.1", "p + 0.1"))),
        "by_hand_0.1",
        "gradient_ascent",
    ),
    wrong(
        "every token without its context",
        edited((LOGITS, "logits = apply_fn(params, x.reshape(-1, 1)).reshape(*x.shape, -1)")),
    ),
    wrong(
        "batch and time swapped", edited((LOGITS, "logits = apply_fn(params, x.T).swapaxes(0, 1)"))
    ),
    wrong(
        "tokens reversed",
        edited((LOGITS, "logits = apply_fn(params, x[:, ::-1])[:, ::-1]")),
    ),
    wrong(
        "the loss after a second update that is discarded",
        edited(
            (
                RETURN,
                lines(
                    "ahead = state.apply_gradients(grads=grads)",
                    "return state, loss_fn(ahead.params, state.apply_fn, x, y)",
                ),
            )
        ),
    ),
    wrong(
        "weight decay in the loss",
        edited(
            (
                MEAN,
                lines(
                    "decay = sum((leaf**2).sum() for leaf in jax.tree.leaves(params))",
                    "return losses.mean() + 1e-3 * decay",
                ),
            )
        ),
    ),
    # Sizes that stand in the code, and more.
    wrong(
        "loss of the last position is twice",
        edited((MEAN, "return losses.mean() + losses[:, -1].mean()")),
    ),
    wrong(
        "every second step only",
        edited(
            (
                APPLY,
                lines(
                    "new = state.apply_gradients(grads=grads)",
                    "skipped = state.replace(step=state.step + 1)",
                    "odd = state.step % 2 == 1",
                    "state = jax.tree.map(lambda a, b: jnp.where(odd, b, a), new, skipped)",
                ),
            )
        ),
    ),
    wrong(
        "gradients of the first row only",
        edited(
            (
                GRAD,
                GRAD.replace("x, y", "x[:1], y[:1]"),
            )
        ),
        "first_row_only",
    ),
    wrong(
        "mean of rows, then sum",
        edited((MEAN, "return losses.mean(-1).sum()")),
        "summed_over_batch",
    ),
    wrong(
        "eval on the first 8 positions",
        edited((EVAL, "return loss_fn(state.params, state.apply_fn, x[:, :8], y[:, :8])")),
    ),
    wrong(
        "every label for every prediction",
        edited((LOSSES, "losses = -jax.nn.log_softmax(logits)[:, :, y]")),
        "every_label_everywhere",
    ),
]
