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
    """The file with pieces replaced, indented alike; each must occur exactly once."""
    text = FILE
    for old, new in edits:
        assert text.count(old) == 1, old
        line = next(line for line in text.splitlines() if old in line)
        indentation = line[: len(line) - len(line.lstrip())]
        text = text.replace(old, new.strip("\n").replace("\n", f"\n{indentation}"))
    return text


def lines(*rows: str) -> str:
    """Join the lines of a body."""
    return "\n".join(rows)


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

grads_not_averaged = (MEAN_GRAD, "")
loss_not_averaged = (MEAN_LOSS, "")
summed = (MEAN_GRAD, 'slopes = jax.lax.psum(slopes, "data")')
summed_loss = (MEAN_LOSS, 'value = jax.lax.psum(value, "data")')
divided = (
    MEAN_GRAD,
    lines(MEAN_GRAD, "slopes = jax.tree.map(lambda g: g / mesh.size, slopes)"),
)
divided_loss = (MEAN_LOSS, 'value = jax.lax.pmean(value, "data") / mesh.size')
over_time = (PUT_BATCH, 'x, y = jax.device_put((x, y), NamedSharding(mesh, P(None, "data")))')
over_time_by_hand = (SPECS, SPECS.replace('P("data")', 'P(None, "data")'))
first_of_all = (
    MEAN_GRAD,
    'slopes = jax.tree.map(lambda g: jax.lax.all_gather(g, "data")[0], slopes)',
)
lost = (UPDATE, lines("state.apply_gradients(grads=slopes)", "after = state"))
lost_in_jit = (JIT_RETURN, lines("state.apply_gradients(grads=grads)", "return state, loss"))
uncounted = (
    UPDATE,
    lines(local_update, "after = state.replace(params=params, opt_state=memory)"),
)
lost_opt_state = (
    UPDATE,
    lines(local_update, "after = state.replace(params=params, step=state.step + 1)"),
)
params_mean = (
    UPDATE,
    lines(local_update, 'params = jax.lax.pmean(params, "data")', finish),
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
    lines("B = len(x) // mesh.size * mesh.size", "x, y = x[:B], y[:B]", PUT_BATCH),
)
padded = (
    PUT_BATCH,
    lines(
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
        "check_vma, pmean inside the differentiated function",
        edited(checked, (GRAD, loss_within), loss_not_averaged, grads_not_averaged),
    ),
    right(
        "check_vma, each device differentiates its own copy",
        edited(checked, (GRAD, own_copy)),
    ),
    right(
        "check_vma, the sum divided by hand",
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
                lines(
                    'n = jax.lax.psum(1, "data")',
                    'slopes = jax.tree.map(lambda g: jax.lax.psum(g, "data") / n, slopes)',
                ),
            ),
            (MEAN_LOSS, 'value = jax.lax.psum(value / mesh.shape["data"], "data")'),
        ),
    ),
    right(
        "pmean applied twice, which changes nothing",
        edited((MEAN_GRAD, lines(MEAN_GRAD, MEAN_GRAD))),
    ),
    right(
        "mean of all gathered gradients",
        edited(
            (
                MEAN_GRAD,
                'slopes = jax.tree.map(lambda g: jax.lax.all_gather(g, "data").mean(0), slopes)',
            ),
        ),
    ),
    right(
        "optimizer update by hand, outside shard_map",
        edited(
            (LOSSY, "def unused():\n    pass"),
            (GRAD, "params = state"),
            (MEAN_LOSS, "value, slopes = jax.value_and_grad(loss_fn)(params, apply_fn[0], x, y)"),
            (MEAN_GRAD, 'value, slopes = jax.lax.pmean((value, slopes), axis_name="data")'),
            (UPDATE, "after = slopes"),
            (
                JITTED,
                lines(
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
        "no in_shardings, a sharding constraint inside",
        edited(
            (JIT_GRAD, lines("x, y = jax.lax.with_sharding_constraint((x, y), rows)", JIT_GRAD)),
            (JIT, "return jax.jit(step, out_shardings=whole)"),
        ),
    ),
    right(
        "no out_shardings, a sharding constraint inside",
        edited(
            (
                JIT_RETURN,
                lines(
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
                lines(
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
        "shards made by hand, own ValueError",
        edited(
            (
                PUT_BATCH,
                lines(
                    "if x.shape[0] % mesh.devices.size != 0:",
                    '    raise ValueError("uneven")',
                    "cut = lambda a: jax.make_array_from_callback(a.shape, rows, lambda i: a[i])",
                    "x, y = cut(x), cut(y)",
                ),
            )
        ),
    ),
    # One fault.
    wrong("gradient not averaged", edited(grads_not_averaged), "gradients_not_averaged"),
    wrong(
        "pmean of the loss inside the differentiated function, no check_vma",
        edited((GRAD, loss_within), loss_not_averaged, grads_not_averaged),
        "gradients_not_averaged",
    ),
    wrong("psum of the gradient", edited(summed), "gradients_summed"),
    wrong("check_vma and pmean", edited(checked), "gradients_summed"),
    wrong(
        "check_vma, gradient not averaged", edited(checked, grads_not_averaged), "gradients_summed"
    ),
    wrong("check_vma and psum", edited(checked, summed), "gradients_summed_twice"),
    wrong("pmean, divided again", edited(divided), "gradients_averaged_twice"),
    wrong(
        "loss divided by the number of devices before the gradient is averaged",
        edited(
            (LOSSY, "lossy = jax.value_and_grad(lambda *its: loss_fn(*its) / mesh.size)"),
            (MEAN_LOSS, 'value = jax.lax.psum(value, "data")'),
        ),
        "gradients_averaged_twice",
    ),
    wrong("loss not averaged", edited(loss_not_averaged), "loss_not_averaged"),
    wrong("psum of the loss", edited(summed_loss), "loss_summed_over_devices"),
    wrong("loss divided again", edited(divided_loss), "loss_averaged_twice"),
    wrong(
        "params averaged after separate updates",
        edited(grads_not_averaged, params_mean),
        "params_averaged",
    ),
    wrong(
        "state averaged after separate updates",
        edited(
            grads_not_averaged,
            (
                UPDATE,
                lines(
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
        "the first device's gradient and loss for all",
        edited(first_of_all, (MEAN_LOSS, 'value = jax.lax.all_gather(value, "data")[0]')),
        "first_share_only",
    ),
    wrong(
        "jit on the first rows only",
        edited(
            (JIT_GRAD, lines("n = len(x) // mesh.size", JIT_GRAD.replace("x, y)", "x[:n], y[:n])")))
        ),
        "first_share_only",
    ),
    wrong("place splits T", edited(over_time), "batch_split_over_time"),
    wrong("shard_map splits T", edited(over_time_by_hand), "batch_split_over_time"),
    wrong(
        "jit splits T",
        edited((JIT, 'rows = NamedSharding(mesh, P(None, "data"))\n' + JIT)),
        "batch_split_over_time",
    ),
    wrong(
        "place replicates the batch",
        edited((PUT_BATCH, PUT_BATCH.replace("rows", "whole"))),
        "batch_replicated",
    ),
    wrong(
        "shard_map replicates the batch",
        edited((SPECS, SPECS.replace('P("data")', "P()"))),
        "batch_replicated",
    ),
    wrong(
        "jit replicates the batch",
        edited((JIT, JIT.replace("(whole, rows, rows)", "whole"))),
        "batch_replicated",
    ),
    wrong("batch not placed", edited((PUT_BATCH, "")), "batch_on_one_device"),
    wrong("state not placed", edited((PUT_STATE, "")), "state_on_one_device"),
    wrong(
        "only the params replicated",
        edited((PUT_STATE, only_params)),
        "only_params_placed",
    ),
    wrong("state split", edited((PUT_STATE, split_state)), "state_sharded"),
    wrong(
        "jit returns the state split",
        edited((JIT_RETURN, split_out), (JIT, JIT.replace(", out_shardings=(whole, whole)", ""))),
        "state_sharded",
    ),
    wrong("rows dropped", edited(dropped), "rows_dropped"),
    wrong("rows padded", edited(padded), "rows_padded"),
    wrong("new state discarded", edited(lost), "state_unchanged"),
    wrong("new state discarded in jit", edited(lost_in_jit), "state_unchanged"),
    wrong("step not counted", edited(uncounted), "step_not_counted"),
    wrong("momentum discarded", edited(lost_opt_state), "opt_state_lost"),
    # Two faults.
    wrong(
        "neither gradient nor loss averaged",
        edited(grads_not_averaged, loss_not_averaged),
        "gradients_not_averaged",
        "loss_not_averaged",
    ),
    wrong(
        "both summed", edited(summed, summed_loss), "gradients_summed", "loss_summed_over_devices"
    ),
    wrong(
        "check_vma, loss divided again",
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
        edited(over_time_by_hand, loss_not_averaged),
        "batch_split_over_time",
        "loss_not_averaged",
    ),
    wrong(
        "gradient not averaged, step not counted",
        edited(grads_not_averaged, uncounted),
        "gradients_not_averaged",
        "step_not_counted",
    ),
    wrong(
        "gradient summed, momentum discarded",
        edited(summed, lost_opt_state),
        "gradients_summed",
        "opt_state_lost",
    ),
    wrong(
        "params averaged, loss not averaged",
        edited(grads_not_averaged, params_mean, loss_not_averaged),
        "params_averaged",
        "loss_not_averaged",
    ),
    wrong(
        "place splits T, state not placed",
        edited(over_time, (PUT_STATE, "")),
        "batch_split_over_time",
        "state_on_one_device",
    ),
    wrong(
        "place splits the state, replicates the batch",
        edited((PUT_STATE, split_state), (PUT_BATCH, PUT_BATCH.replace("rows", "whole"))),
        "state_sharded",
        "batch_replicated",
    ),
    wrong(
        "place drops rows, gradient summed",
        edited(dropped, summed),
        "rows_dropped",
        "gradients_summed",
    ),
    wrong(
        "batch replicated, gradient summed",
        edited((SPECS, SPECS.replace('P("data")', "P()")), summed),
        "batch_replicated",
        "gradients_summed",
    ),
    # Mistakes that the fault model does not cover.
    wrong("nothing returned from place", edited(("return state, x, y", "pass"))),
    wrong("another axis name", edited((MESH, MESH.replace('"data"', '"batch"')))),
    wrong("no axis_types", edited((MESH, MESH.replace("axis_types=axis_types, ", "")))),
    wrong("an explicit mesh axis", edited((TYPES, "axis_types = (AxisType.Explicit,)"))),
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
    wrong("shard_map not jitted", edited((JITTED, "return shared"))),
    wrong(
        "jit created at every step",
        edited(
            (
                JITTED,
                "return lambda state, x, y: jax.jit(jax.shard_map(\n"
                "    lambda *its: step(*its), mesh=mesh, **specs, check_vma=False))(state, x, y)",
            )
        ),
    ),
    wrong("shard_map under checkpoint", edited((JITTED, "return jax.checkpoint(shared)"))),
    right("state donated", edited((JITTED, "return jax.jit(shared, donate_argnums=0)"))),
    wrong(
        "jit replicates the rows inside",
        edited(
            (JIT_GRAD, lines("x, y = jax.lax.with_sharding_constraint((x, y), whole)", JIT_GRAD))
        ),
    ),
    wrong(
        "loss of shape (n,)",
        edited(
            (MEAN_LOSS, "value = value[None]"),
            (SPECS, SPECS.replace("(P(), P()))", '(P(), P("data")))')),
        ),
    ),
    wrong("jit instead of shard_map", edited((JITTED, "return jit_train_step(mesh)"))),
    wrong(
        "pmean over a missing axis",
        edited((MEAN_GRAD, MEAN_GRAD.replace('"data"', '"batch"'))),
    ),
    wrong(
        "TypeError for uneven rows",
        edited(
            (PUT_BATCH, lines("if len(x) % mesh.size:", '    raise TypeError("uneven")', PUT_BATCH))
        ),
    ),
    wrong(
        "sgd by hand",
        edited(
            (
                UPDATE,
                "params = jax.tree.map(lambda p, g: p - 0.1 * g, state.params, slopes)\nafter = "
                "state.replace(params=params, step=state.step + 1)",
            )
        ),
    ),
    wrong(
        "only the first leaf averaged",
        edited(
            (
                MEAN_GRAD,
                "leaves, tree = jax.tree.flatten(slopes)\nslopes = jax.tree.unflatten(tree, "
                '[jax.lax.pmean(leaves[0], "data"), *leaves[1:]])',
            )
        ),
    ),
    wrong("x and y exchanged by place", edited(("return state, x, y", "return state, y, x"))),
    wrong(
        "x and y exchanged in the step",
        edited((GRAD, "value, slopes = lossy(state.params, state.apply_fn, y, x)")),
    ),
    wrong(
        "y left whole",
        edited((PUT_BATCH, "x, y = jax.device_put(x, rows), jax.device_put(y, whole)")),
    ),
    wrong(
        "loss after the update",
        edited(
            (
                UPDATE,
                UPDATE
                + '\nvalue = jax.lax.pmean(loss_fn(after.params, state.apply_fn, x, y), "data")',
            )
        ),
    ),
    wrong(
        "gradients negated",
        edited((UPDATE, UPDATE.replace("slopes", "jax.tree.map(jnp.negative, slopes)"))),
    ),
    wrong(
        "gradients clipped",
        edited(
            (UPDATE, "slopes = jax.tree.map(lambda g: jnp.clip(g, -1e-3, 1e-3), slopes)\n" + UPDATE)
        ),
    ),
    wrong(
        "largest gradient of any device", edited((MEAN_GRAD, MEAN_GRAD.replace("pmean", "pmax")))
    ),
    wrong("largest loss of any device", edited((MEAN_LOSS, MEAN_LOSS.replace("pmean", "pmax")))),
    wrong(
        "updated twice",
        edited((UPDATE, UPDATE + "\nafter = after.apply_gradients(grads=slopes)")),
        "update_twice",
    ),
    wrong("the state comes second", edited(("return after, value", "return value, after"))),
    wrong(
        "jit: loss after the update",
        edited(
            (
                JIT_RETURN,
                "after = state.apply_gradients(grads=grads)\nreturn after, loss_fn(after.params, "
                "state.apply_fn, x, y)",
            )
        ),
    ),
    wrong(
        "jit: gradients divided by the devices",
        edited((JIT_RETURN, "grads = jax.tree.map(lambda g: g / mesh.size, grads)\n" + JIT_RETURN)),
        "gradients_averaged_twice",
    ),
    wrong(
        "jit: gradients multiplied by the batch",
        edited(
            (JIT_RETURN, "grads = jax.tree.map(lambda g: g * x.shape[0], grads)\n" + JIT_RETURN)
        ),
    ),
    wrong(
        "jit: weight decay",
        edited(
            (
                JIT_RETURN,
                "grads = jax.tree.map(lambda g, p: g + 0.1 * p, grads, state.params)\n"
                + JIT_RETURN,
            )
        ),
    ),
    wrong(
        "jit: labels shifted", edited((JIT_GRAD, JIT_GRAD.replace("x, y)", "x[:, :-1], y[:, 1:])")))
    ),
    wrong(
        "loss of the first device",
        edited((MEAN_LOSS, 'value = jax.lax.all_gather(value, "data")[0]')),
    ),
    wrong(
        "mean over one half of the devices",
        edited(
            (
                MEAN_GRAD,
                "groups = [[i for i in range(mesh.size) if i % 2 == r] for r in (0, 1)]\nslopes "
                '= jax.lax.pmean(slopes, "data", axis_index_groups=groups if mesh.size > 1 else '
                "None)",
            )
        ),
    ),
    # Sizes that stand in the code, and more.
    wrong(
        "divided by 8",
        edited((MEAN_GRAD, 'slopes = jax.tree.map(lambda g: g / 8, jax.lax.psum(slopes, "data"))')),
    ),
    wrong(
        "divided by 4",
        edited((MEAN_GRAD, 'slopes = jax.tree.map(lambda g: g / 4, jax.lax.psum(slopes, "data"))')),
    ),
    wrong("x twice", edited((PUT_BATCH, "x, y = jax.device_put((x, x), rows)"))),
]
