"""Answers to task 7."""

from tests.project.answers.bank import right, wrong

FILE = """
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training.train_state import TrainState
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec as P

from minigpt_challenge.tasks.task5_training_step import loss_fn, train_step


def make_data_mesh(devices=None):
    devices = jax.devices() if devices is None else list(devices)
    axis_types = (AxisType.Auto,)
    return jax.make_mesh((len(devices),), ("data",), axis_types=axis_types, devices=devices)


def place(mesh, state, x, y):
    whole, rows = NamedSharding(mesh, P()), NamedSharding(mesh, P("data"))
    state = jax.device_put(state, whole)
    x, y = jax.device_put((x, y), rows)
    return state, x, y


def jit_train_step(mesh):
    whole, rows = NamedSharding(mesh, P()), NamedSharding(mesh, P("data"))

    def step(state, x, y):
        loss, grads = jax.value_and_grad(loss_fn)(state.params, state.apply_fn, x, y)
        return state.apply_gradients(grads=grads), loss

    return jax.jit(step, in_shardings=(whole, rows, rows), out_shardings=(whole, whole))


def shard_map_train_step(mesh):
    def step(state, x, y):
        lossy = jax.value_and_grad(loss_fn)
        value, slopes = lossy(state.params, state.apply_fn, x, y)
        value = jax.lax.pmean(value, "data")
        slopes = jax.lax.pmean(slopes, "data")
        after = state.apply_gradients(grads=slopes)
        return after, value

    specs = dict(in_specs=(P(), P("data"), P("data")), out_specs=(P(), P()))
    shared = jax.shard_map(step, mesh=mesh, **specs, check_vma=False)
    return jax.jit(shared)
"""

DEVICES = "devices = jax.devices() if devices is None else list(devices)"
TYPES = "axis_types = (AxisType.Auto,)"
MESH = 'return jax.make_mesh((len(devices),), ("data",), axis_types=axis_types, devices=devices)'
PUT_STATE = "state = jax.device_put(state, whole)"
PUT_BATCH = "x, y = jax.device_put((x, y), rows)"
JIT_GRAD = "loss, grads = jax.value_and_grad(loss_fn)(state.params, state.apply_fn, x, y)"
JIT_RETURN = "return state.apply_gradients(grads=grads), loss"
JIT = "return jax.jit(step, in_shardings=(whole, rows, rows), out_shardings=(whole, whole))"
LOSSY = "lossy = jax.value_and_grad(loss_fn)"
GRAD = "value, slopes = lossy(state.params, state.apply_fn, x, y)"
MEAN_LOSS = 'value = jax.lax.pmean(value, "data")'
MEAN_GRAD = 'slopes = jax.lax.pmean(slopes, "data")'
UPDATE = "after = state.apply_gradients(grads=slopes)"
SPECS = 'specs = dict(in_specs=(P(), P("data"), P("data")), out_specs=(P(), P()))'
SHARED = "shared = jax.shard_map(step, mesh=mesh, **specs, check_vma=False)"
JITTED = "return jax.jit(shared)"


def edited(*edits: tuple[str, str]) -> str:
    """The file with pieces replaced, each of which must be there; lines keep their indentation."""
    text = FILE
    for old, new in edits:
        assert text.count(old) == 1, old
        line = next(line for line in text.splitlines() if old in line)
        indentation = line[: len(line) - len(line.lstrip())]
        text = text.replace(old, new.strip("\n").replace("\n", f"\n{indentation}"))
    return text


def after(*lines: str) -> str:
    """Lines of a body, one below the other."""
    return "\n".join(lines)


checked = (SHARED, "shared = jax.shard_map(step, mesh=mesh, **specs)")
own_copy = """
vary = getattr(jax.lax, "pvary", None) or (lambda a, n: jax.lax.pcast(a, n, to="varying"))
mine = jax.tree.map(lambda leaf: vary(leaf, "data"), state.params)
value, slopes = lossy(mine, state.apply_fn, x, y)
"""
loss_within = """
def mean_loss(params):
    return jax.lax.pmean(loss_fn(params, state.apply_fn, x, y), "data")


value, slopes = jax.value_and_grad(mean_loss)(state.params)
"""
local_update = """
updates, memory = state.tx.update(slopes, state.opt_state, state.params)
params = optax.apply_updates(state.params, updates)
"""
finish = "after = state.replace(params=params, opt_state=memory, step=state.step + 1)"

unaveraged = (MEAN_GRAD, "")
own_loss = (MEAN_LOSS, "")
summed = (MEAN_GRAD, 'slopes = jax.lax.psum(slopes, "data")')
summed_loss = (MEAN_LOSS, 'value = jax.lax.psum(value, "data")')
divided = (
    MEAN_GRAD,
    after(MEAN_GRAD, "slopes = jax.tree.map(lambda g: g / mesh.size, slopes)"),
)
divided_loss = (MEAN_LOSS, 'value = jax.lax.pmean(value, "data") / mesh.size')
over_time = (PUT_BATCH, 'x, y = jax.device_put((x, y), NamedSharding(mesh, P(None, "data")))')
over_time_by_hand = (SPECS, SPECS.replace('P("data")', 'P(None, "data")'))
first_of_all = (
    MEAN_GRAD,
    'slopes = jax.tree.map(lambda g: jax.lax.all_gather(g, "data")[0], slopes)',
)
lost = (UPDATE, after("state.apply_gradients(grads=slopes)", "after = state"))
lost_in_jit = (JIT_RETURN, after("state.apply_gradients(grads=grads)", "return state, loss"))
uncounted = (
    UPDATE,
    after(local_update, "after = state.replace(params=params, opt_state=memory)"),
)
forgetful = (
    UPDATE,
    after(local_update, "after = state.replace(params=params, step=state.step + 1)"),
)
params_mean = (
    UPDATE,
    after(local_update, 'params = jax.lax.pmean(params, "data")', finish),
)
split_state = """
def spread(leaf):
    splits = np.ndim(leaf) and len(leaf) % mesh.size == 0
    return jax.device_put(leaf, rows if splits else whole)


state = jax.tree.map(spread, state)
"""
split_out = """
def spread(leaf):
    splits = jnp.ndim(leaf) and len(leaf) % mesh.size == 0
    return jax.lax.with_sharding_constraint(leaf, rows if splits else whole)


new = jax.tree.map(spread, state.apply_gradients(grads=grads))
return new, loss
"""
only_params = "state = state.replace(params=jax.device_put(state.params, whole))"
dropped = (
    PUT_BATCH,
    after("B = len(x) // mesh.size * mesh.size", "x, y = x[:B], y[:B]", PUT_BATCH),
)
padded = (
    PUT_BATCH,
    after(
        "missing = -len(x) % mesh.size",
        "x, y = (jnp.pad(a, ((0, missing), (0, 0))) for a in (x, y))",
        PUT_BATCH,
    ),
)

ANSWERS = [
    right("pmean, check_vma=False", FILE),
    right(
        "the step of task 5, jitted again; other names, other imports",
        """
import jax as J
from jax import sharding as S
import minigpt_challenge.tasks.task5_training_step as five


def make_data_mesh(devices=None):
    import numpy
    return S.Mesh(numpy.array(devices if devices is not None else J.devices()), ["data"])


def _at(mesh, *axes):
    return S.NamedSharding(mesh, S.PartitionSpec(*axes))


def place(mesh, s, a, b):
    return (
        J.tree.map(lambda leaf: J.device_put(leaf, _at(mesh)), s),
        J.device_put(a, _at(mesh, "data", None)),
        J.device_put(b, _at(mesh, "data", None)),
    )


def jit_train_step(mesh):
    return J.jit(
        five.train_step,
        in_shardings=(_at(mesh), _at(mesh, "data"), _at(mesh, "data")),
        out_shardings=_at(mesh),
    )


def shard_map_train_step(mesh):
    all_, some = S.PartitionSpec(), S.PartitionSpec("data", None)

    @J.jit
    @J.shard_map(mesh=mesh, in_specs=(all_, some, some), out_specs=(all_, all_), check_vma=False)
    def both(s, a, b):
        l, g = J.lax.pmean(J.value_and_grad(five.loss_fn)(s.params, s.apply_fn, a, b), "data")
        return s.apply_gradients(grads=g), l

    return both
""".replace(
            "    @J.jit\n    @J.shard_map(mesh=mesh,", "    @J.jit\n    @_shared(mesh=mesh,"
        ).replace(
            "def _at(",
            "def _shared(**how):\n    return lambda f: J.shard_map(f, **how)\n\n\ndef _at(",
        ),
    ),
    right(
        "the replicas are checked, and pmean stands inside what is differentiated",
        edited(checked, (GRAD, loss_within), own_loss, unaveraged),
    ),
    right(
        "the replicas are checked, and each device differentiates a copy of its own",
        edited(checked, (GRAD, own_copy)),
    ),
    right(
        "the replicas are checked, and the sum is divided by hand",
        edited(
            checked,
            (MEAN_GRAD, "slopes = jax.tree.map(lambda g: g / mesh.size, slopes)"),
        ),
    ),
    right(
        "psum divided by the size of the axis",
        edited(
            (
                MEAN_GRAD,
                after(
                    'n = jax.lax.psum(1, "data")',
                    'slopes = jax.tree.map(lambda g: jax.lax.psum(g, "data") / n, slopes)',
                ),
            ),
            (MEAN_LOSS, 'value = jax.lax.psum(value / mesh.shape["data"], "data")'),
        ),
    ),
    right(
        "averaged twice with pmean, which harms nothing",
        edited((MEAN_GRAD, after(MEAN_GRAD, MEAN_GRAD))),
    ),
    right(
        "all gradients gathered, and their mean",
        edited(
            (
                MEAN_GRAD,
                'slopes = jax.tree.map(lambda g: jax.lax.all_gather(g, "data").mean(0), slopes)',
            ),
        ),
    ),
    right(
        "the optimiser by hand, outside of shard_map",
        edited(
            (LOSSY, "def unused():\n    pass"),
            (GRAD, "params = state"),
            (MEAN_LOSS, "value, slopes = jax.value_and_grad(loss_fn)(params, apply_fn[0], x, y)"),
            (MEAN_GRAD, 'value, slopes = jax.lax.pmean((value, slopes), axis_name="data")'),
            (UPDATE, "after = slopes"),
            (
                JITTED,
                after(
                    "apply_fn = [None]",
                    "",
                    "@jax.jit",
                    "def whole(state, x, y):",
                    "    apply_fn[0] = state.apply_fn",
                    "    slopes, value = shared(state.params, x, y)",
                    local_update.strip()
                    .replace("\n", "\n    ")
                    .replace("updates", "    updates", 1),
                    "    new = dict(params=params, opt_state=memory, step=state.step + 1)",
                    "    return state.replace(**new), value",
                    "",
                    "return whole",
                ),
            ),
        ),
    ),
    right(
        "computation follows the data, the sharding is a constraint inside",
        edited(
            (JIT_GRAD, after("x, y = jax.lax.with_sharding_constraint((x, y), rows)", JIT_GRAD)),
            (JIT, "return jax.jit(step, out_shardings=whole)"),
        ),
    ),
    right(
        "shardings of the outcome left to XLA by a constraint",
        edited(
            (
                JIT_RETURN,
                after(
                    "new = state.apply_gradients(grads=grads)",
                    "return jax.lax.with_sharding_constraint((new, loss), whole)",
                ),
            ),
            (JIT, "return jax.jit(step, in_shardings=(whole, rows, rows))"),
        ),
    ),
    right(
        "a Python function around the compiled step",
        edited(
            (
                JITTED,
                after(
                    "compiled = jax.jit(shared)",
                    "",
                    "def one_step(state, x, y):",
                    "    new, loss = compiled(state, x, y)",
                    "    return new, loss",
                    "",
                    "return one_step",
                ),
            )
        ),
    ),
    right(
        "shares made by hand, a ValueError of its own",
        edited(
            (
                PUT_BATCH,
                after(
                    "if x.shape[0] % mesh.devices.size != 0:",
                    '    raise ValueError("uneven")',
                    "cut = lambda a: jax.make_array_from_callback(a.shape, rows, lambda i: a[i])",
                    "x, y = cut(x), cut(y)",
                ),
            )
        ),
    ),
    # One fault.
    wrong("no average of the gradient", edited(unaveraged), "gradients_not_averaged"),
    wrong(
        "the mean of the loss inside what is differentiated, unchecked",
        edited((GRAD, loss_within), own_loss, unaveraged),
        "gradients_not_averaged",
    ),
    wrong("psum of the gradient", edited(summed), "gradients_summed"),
    wrong("pmean with the replicas checked", edited(checked), "gradients_summed"),
    wrong("no average, the replicas checked", edited(checked, unaveraged), "gradients_summed"),
    wrong("psum with the replicas checked", edited(checked, summed), "gradients_summed_twice"),
    wrong("pmean, and divided as well", edited(divided), "gradients_averaged_twice"),
    wrong(
        "the loss divided by the number of devices before its gradient is averaged",
        edited(
            (LOSSY, "lossy = jax.value_and_grad(lambda *its: loss_fn(*its) / mesh.size)"),
            (MEAN_LOSS, 'value = jax.lax.psum(value, "data")'),
        ),
        "gradients_averaged_twice",
    ),
    wrong("each device its own loss", edited(own_loss), "loss_not_averaged"),
    wrong("psum of the loss", edited(summed_loss), "loss_summed_over_devices"),
    wrong("the loss divided once more", edited(divided_loss), "loss_averaged_twice"),
    wrong(
        "an update each, then the mean of the params",
        edited(unaveraged, params_mean),
        "params_averaged",
    ),
    wrong(
        "an update each, then the mean of the state",
        edited(
            unaveraged,
            (
                UPDATE,
                after(
                    local_update,
                    "params, memory = jax.tree.map(",
                    "    lambda a: a if jnp.issubdtype(a.dtype, jnp.integer) else",
                    '    jax.lax.pmean(a, "data"), (params, memory))',
                    finish,
                ),
            ),
        ),
        "state_averaged",
    ),
    wrong(
        "the first device's gradient for all, and its loss",
        edited(first_of_all, (MEAN_LOSS, 'value = jax.lax.all_gather(value, "data")[0]')),
        "first_share_only",
    ),
    wrong(
        "jit on the first rows alone",
        edited(
            (JIT_GRAD, after("n = len(x) // mesh.size", JIT_GRAD.replace("x, y)", "x[:n], y[:n])")))
        ),
        "first_share_only",
    ),
    wrong("place splits T", edited(over_time), "batch_split_over_time"),
    wrong("shard_map splits T", edited(over_time_by_hand), "batch_split_over_time"),
    wrong(
        "jit wants T split",
        edited((JIT, 'rows = NamedSharding(mesh, P(None, "data"))\n' + JIT)),
        "batch_split_over_time",
    ),
    wrong(
        "place sends all rows to all",
        edited((PUT_BATCH, PUT_BATCH.replace("rows", "whole"))),
        "batch_replicated",
    ),
    wrong(
        "shard_map with all rows for all",
        edited((SPECS, SPECS.replace('P("data")', "P()"))),
        "batch_replicated",
    ),
    wrong(
        "jit wants all rows everywhere",
        edited((JIT, JIT.replace("(whole, rows, rows)", "whole"))),
        "batch_replicated",
    ),
    wrong("the batch stays where it was", edited((PUT_BATCH, "")), "batch_on_one_device"),
    wrong("the state stays where it was", edited((PUT_STATE, "")), "state_on_one_device"),
    wrong(
        "only the params are copied",
        edited((PUT_STATE, only_params)),
        "only_params_placed",
    ),
    wrong("the state is split", edited((PUT_STATE, split_state)), "state_sharded"),
    wrong(
        "jit returns the state split",
        edited((JIT_RETURN, split_out), (JIT, JIT.replace(", out_shardings=(whole, whole)", ""))),
        "state_sharded",
    ),
    wrong("rows dropped", edited(dropped), "rows_dropped"),
    wrong("rows padded", edited(padded), "rows_padded"),
    wrong("the new state lost", edited(lost), "state_unchanged"),
    wrong("the new state lost in jit", edited(lost_in_jit), "state_unchanged"),
    wrong("the step not counted", edited(uncounted), "step_not_counted"),
    wrong("momentum thrown away", edited(forgetful), "opt_state_lost"),
    # Two faults.
    wrong(
        "no average at all",
        edited(unaveraged, own_loss),
        "gradients_not_averaged",
        "loss_not_averaged",
    ),
    wrong(
        "both summed", edited(summed, summed_loss), "gradients_summed", "loss_summed_over_devices"
    ),
    wrong(
        "the gradient summed by the check, the loss divided twice",
        edited(checked, divided_loss),
        "gradients_summed",
        "loss_averaged_twice",
    ),
    wrong(
        "both divided twice",
        edited(divided, divided_loss),
        "gradients_averaged_twice",
        "loss_averaged_twice",
    ),
    wrong(
        "T split, the gradient summed",
        edited(over_time_by_hand, summed),
        "batch_split_over_time",
        "gradients_summed",
    ),
    wrong(
        "T split, the loss not averaged",
        edited(over_time_by_hand, own_loss),
        "batch_split_over_time",
        "loss_not_averaged",
    ),
    wrong(
        "unaveraged and the step not counted",
        edited(unaveraged, uncounted),
        "gradients_not_averaged",
        "step_not_counted",
    ),
    wrong("summed, momentum lost", edited(summed, forgetful), "gradients_summed", "opt_state_lost"),
    wrong(
        "params averaged, own loss",
        edited(unaveraged, params_mean, own_loss),
        "params_averaged",
        "loss_not_averaged",
    ),
    wrong(
        "place splits T and leaves the state",
        edited(over_time, (PUT_STATE, "")),
        "batch_split_over_time",
        "state_on_one_device",
    ),
    wrong(
        "place splits the state, not the batch",
        edited((PUT_STATE, split_state), (PUT_BATCH, PUT_BATCH.replace("rows", "whole"))),
        "state_sharded",
        "batch_replicated",
    ),
    wrong(
        "place drops rows, the step sums",
        edited(dropped, summed),
        "rows_dropped",
        "gradients_summed",
    ),
    wrong(
        "all rows for all, and summed",
        edited((SPECS, SPECS.replace('P("data")', "P()")), summed),
        "batch_replicated",
        "gradients_summed",
    ),
    # What the model of mistakes does not cover.
    wrong("nothing returned from place", edited(("return state, x, y", "pass"))),
    wrong("another axis name", edited((MESH, MESH.replace('"data"', '"batch"')))),
    wrong("no axis_types", edited((MESH, MESH.replace("axis_types=axis_types, ", "")))),
    wrong("an explicit axis", edited((TYPES, "axis_types = (AxisType.Explicit,)"))),
    wrong("the mesh takes all devices", edited((DEVICES, "devices = jax.devices()"))),
    wrong(
        "the mesh takes one device", edited((DEVICES, "devices = (devices or jax.devices())[:1]"))
    ),
    wrong(
        "a mesh of two axes",
        edited(
            (
                MESH,
                MESH.replace(
                    '(len(devices),), ("data",)', '(len(devices), 1), ("data", "model")'
                ).replace("axis_types=axis_types", "axis_types=axis_types * 2"),
            )
        ),
    ),
    wrong("shard_map is not compiled", edited((JITTED, "return shared"))),
    wrong(
        "compiled anew at every step",
        edited(
            (
                JITTED,
                "return lambda state, x, y: jax.jit(jax.shard_map(\n"
                "    lambda *its: step(*its), mesh=mesh, **specs, check_vma=False))(state, x, y)",
            )
        ),
    ),
    wrong("shard_map under checkpoint", edited((JITTED, "return jax.checkpoint(shared)"))),
    wrong("the state is given away", edited((JITTED, "return jax.jit(shared, donate_argnums=0)"))),
    wrong(
        "jit with the rows brought back together",
        edited(
            (JIT_GRAD, after("x, y = jax.lax.with_sharding_constraint((x, y), whole)", JIT_GRAD))
        ),
    ),
    wrong(
        "the loss in n pieces",
        edited(
            (MEAN_LOSS, "value = value[None]"),
            (SPECS, SPECS.replace("(P(), P()))", '(P(), P("data")))')),
        ),
    ),
    wrong("jit in place of shard_map", edited((JITTED, "return jit_train_step(mesh)"))),
    wrong(
        "an average over an axis that is not there",
        edited((MEAN_GRAD, MEAN_GRAD.replace('"data"', '"batch"'))),
    ),
    wrong(
        "a TypeError for uneven rows",
        edited(
            (PUT_BATCH, after("if len(x) % mesh.size:", '    raise TypeError("uneven")', PUT_BATCH))
        ),
    ),
]
