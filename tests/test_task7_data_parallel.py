"""Task 7, data parallel. Passing means that all of these hold.

`task` is your file, `reference` the solution's; what one device computes on the whole batch is
the measure. Each part is tried with the other parts taken from the reference, on devices made of
the CPU, and on the real ones where there are any.
"""

from functools import partial
from unittest.mock import patch

import jax
import jax.numpy as jnp
import optax
import pytest
from flax.training.train_state import TrainState
from jax.sharding import AxisType, Mesh

from minigpt_challenge.coach.checks import device_shards, expect, random_inputs
from minigpt_challenge.coach.checks.faults import parallel as faults
from minigpt_challenge.coach.checks.faults.step import outcome
from minigpt_challenge.coach.checks.jaxpr_counts import (
    MARK,
    count_primitive,
    count_uncompiled,
    marked,
)
from minigpt_challenge.coach.checks.properties import data_parallel
from minigpt_challenge.coach.runtime.devices import cpu_devices

V = 48  # can be shared out as well, so that a split in the wrong place runs, and is seen
SETTINGS = [(8, 24, 16), (3, 6, 9)]  # (number of devices, B, T)
# No rate is one that might stand in somebody's code. Adam hides a gradient of the wrong length, SGD
# does not. Adam's eps keeps what differs in the last digit, as sums in another order do, from
# becoming a step of another size.
OPTIMISERS = {
    "SGD with momentum": optax.sgd(0.13, momentum=0.9),
    "Adam": optax.adam(0.007, eps=1e-3),
}
STEP = "step(state, x, y)"
MAKERS = pytest.mark.parametrize("maker", ["jit_train_step", "shard_map_train_step"])
COLLECTIVES = {
    "jit_train_step": ("all-reduce", "reduce-scatter"),
    # By hand there are more ways to a mean.
    "shard_map_train_step": ("all-reduce", "reduce-scatter", "all-gather", "collective-permute"),
}


@jax.jit  # else each of its operations would be compiled alone, for each shape
def apply_fn(params, x):
    """int (B, T) → float (B, T, V): what a token, and the mean of all so far, say of the next."""
    tables = params["params"]
    count = jnp.arange(1, x.shape[1] + 1)[:, None]  # (T, 1)
    so_far = jnp.cumsum(tables["context"][x], axis=1) / count  # (B, T, V)
    return 3.0 * (tables["token"][x] + so_far) + tables["bias"]


@partial(jax.jit, static_argnums=0)
def step_on_one_device(loss_fn, state, x, y):
    loss, grads = jax.value_and_grad(loss_fn)(state.params, state.apply_fn, x, y)
    return state.apply_gradients(grads=grads), loss


def new_state(tx, seed=0, apply_fn=apply_fn):
    """A state that has made a step, so that nothing in it is 0."""
    shapes = {"token": (V, V), "context": (V, V), "bias": (V,)}
    drawn = {
        name: random_inputs.floats(*shape, seed=3 * seed + place)
        for place, (name, shape) in enumerate(shapes.items())
    }
    state = TrainState.create(apply_fn=apply_fn, params={"params": drawn}, tx=tx)
    state = state.apply_gradients(grads=jax.tree.map(lambda leaf: leaf / 7, state.params))
    return state.replace(step=jnp.asarray(state.step))


def parts(state):
    return {part: getattr(state, part) for part in ("params", "opt_state", "step")}


def batch(B, T, seed=0):
    both = random_inputs.tokens(2, B, T, vocab_size=V, seed=seed)
    return both[0], both[1]


def settings(reference):
    """The devices' name, a mesh of them, B and T, for each setting."""
    for n, B, T in SETTINGS:
        yield f"{n} CPU devices", reference.make_data_mesh(cpu_devices(n)), B, T
    real = jax.devices()
    if real[0].platform != "cpu":
        n = len(real)
        yield f"{n} {real[0].device_kind}", reference.make_data_mesh(real), 3 * n, 2 * n


def made(task, maker, mesh):
    return expect.not_none(getattr(task, maker)(mesh), f"{maker}(mesh)")


def lowered(step, *arguments):
    """The step's program: of the compiled function itself, or of a Python function around it."""
    return (step if hasattr(step, "lower") else jax.jit(step)).lower(*arguments)


def test_mesh_has_one_axis_over_the_devices(task):
    eight = cpu_devices(8)
    cases = [("devices", (eight,), eight), ("three of them", (eight[:3],), eight[:3])]
    for words, arguments, devices in [*cases, ("", (), jax.devices())]:
        of = f"make_data_mesh({words})"
        with patch.object(jax, "make_mesh", wraps=jax.make_mesh) as make_mesh:
            mesh = expect.not_none(task.make_data_mesh(*arguments), of)
        if any(len(c.args) < 3 and "axis_types" not in c.kwargs for c in make_mesh.mock_calls):
            raise expect.Wrong(
                f"{of} calls `jax.make_mesh` without axis_types. Pass them: what they are when "
                "nothing is said differs between versions of JAX."
            )
        if not isinstance(mesh, Mesh):
            raise expect.Wrong(f"{of} should return a jax.sharding.Mesh: {type(mesh).__name__}.")
        if mesh.axis_names != ("data",):
            raise expect.Wrong(f'{of} should have one axis, "data", and has {mesh.axis_names}.')
        if set(mesh.devices.flat) != set(devices):
            raise expect.Wrong(
                f"{of} should be made of {len(devices)} devices, and is made of {mesh.size}: "
                f"{', '.join(map(str, mesh.devices.flat))}."
            )
        if mesh.axis_types != (AxisType.Auto,):
            raise expect.Wrong(
                f"{of} should have an axis of the type Auto, and has {mesh.axis_types}. Pass "
                "axis_types, since its default is another in other versions of JAX."
            )


def test_place_gives_each_device_its_rows_and_the_whole_state(task, reference):
    def cases():
        for seed, (name, mesh, B, T) in enumerate(settings(reference)):
            state, (x, y) = new_state(OPTIMISERS["Adam"], seed), batch(B, T, seed)
            of = f"On {name}, place(mesh, state, x, y)"
            seen = expect.not_none(task.place(mesh, state, x, y), of)
            if not isinstance(seen, tuple) or len(seen) != 3 or not isinstance(seen[0], TrainState):
                raise expect.Wrong(f"{of} should return three things: the state, x and y.")
            suspects = faults.layout_suspects(mesh, {"x": x, "y": y} | parts(state))
            seen, expected = (
                device_shards.held({"x": x, "y": y} | parts(state), mesh)
                for state, x, y in (seen, reference.place(mesh, state, x, y))
            )
            yield expected, seen, of, suspects

    device_shards.all_hold(cases())


def test_place_refuses_rows_that_cannot_be_shared_evenly(task, reference):
    for n, B, T in SETTINGS:
        mesh = reference.make_data_mesh(cpu_devices(n))
        x, y = batch(B + 1, T)
        of = f"place on {n} devices with {B + 1} rows"
        state = new_state(OPTIMISERS["SGD with momentum"])
        returned = []

        def call(state=state, mesh=mesh, x=x, y=y, returned=returned):
            returned.append(task.place(mesh, state, x, y))
            return returned[0]

        try:
            expect.raises(ValueError, call, of, f"{B + 1} is not a multiple of {n}")
        except expect.Wrong:
            if returned:
                data_parallel.refuse_other_rows(returned[0], x, of)
            raise


@MAKERS
def test_each_device_works_on_its_own_rows(task, reference, maker):
    for name, mesh, B, T in settings(reference):
        shapes = []

        def watched(params, x, shapes=shapes):
            shapes.append(x.shape)
            return apply_fn(params, x)

        bare = new_state(OPTIMISERS["SGD with momentum"], apply_fn=watched), *batch(B, T)
        placed = reference.place(mesh, *bare)
        step = made(task, maker, mesh)
        of = f"On {name}, the step made by {maker}(mesh)"
        if maker == "jit_train_step":  # its code sees the whole batch, its program does not
            data_parallel.refuse_other_shardings(partial(lowered, step), placed, bare, mesh, of)
        else:
            if not count_primitive("shard_map", step, *placed):
                raise expect.Wrong(f"{of} has no `jax.shard_map` in it, which this one is about.")
            data_parallel.refuse_other_shares(shapes, B, T, mesh.size, of)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@MAKERS
def test_three_steps_equal_those_of_one_device(task, reference, maker, optimiser):
    def cases():
        for seed, (name, mesh, B, T) in enumerate(settings(reference)):
            alone = new_state(OPTIMISERS[optimiser], seed)
            mine, _, _ = reference.place(mesh, alone, *batch(B, T))
            step = made(task, maker, mesh)
            for number in range(3):
                x, y = batch(B, T, number)
                before = mine
                _, its_x, its_y = reference.place(mesh, alone, x, y)
                mine, loss = expect.pair(step(mine, its_x, its_y), STEP, TrainState)
                alone, its_loss = step_on_one_device(reference.loss_fn, alone, x, y)
                yield (
                    device_shards.everywhere(outcome(alone, its_loss), mesh),
                    device_shards.held(outcome(mine, loss), mesh),
                    f"On {name}, with {optimiser}, step {number + 1} made by {maker}(mesh)",
                    faults.step_suspects(mesh, before, x, y),
                )

    device_shards.all_hold(cases())


@MAKERS
def test_the_devices_are_brought_together_in_the_compiled_program(task, reference, maker):
    for name, mesh, B, T in settings(reference):
        if mesh.size == 1:
            continue
        placed = reference.place(mesh, new_state(OPTIMISERS["SGD with momentum"]), *batch(B, T))
        program = lowered(made(task, maker, mesh), *placed).compile().as_text()
        if not any(collective in program for collective in COLLECTIVES[maker]):
            raise expect.Wrong(
                f"On {name}, the program compiled for {maker}(mesh) holds no all-reduce: "
                "either the devices never talk, or each of them works on the whole batch."
            )


@MAKERS
def test_is_compiled_once(task, reference, maker):
    _, mesh, B, T = next(settings(reference))
    calls = []

    def counting(params, x):
        calls.append(x.shape)
        return marked(apply_fn(params, x))

    step = made(task, maker, mesh)
    tx = optax.chain(OPTIMISERS["Adam"], optax.stateless(lambda updates, _: marked(updates)))
    placed = reference.place(mesh, new_state(tx, apply_fn=counting), *batch(B, T))
    state, _ = expect.pair(step(*placed), STEP, TrainState)
    first = len(calls)
    if not first:
        raise expect.Wrong(f"The step made by {maker}(mesh) never calls state.apply_fn.")
    step(*reference.place(mesh, state, *batch(B, T, 1)))
    if len(calls) > first:
        raise expect.Wrong(
            f"A second call of the step made by {maker}(mesh), with another batch of the same "
            "shape, ran the Python code of the model again. Under `jax.jit`, called once outside "
            "the step, it is traced once and then compiled."
        )
    if count_uncompiled(MARK, step, *placed):
        raise expect.Wrong(
            f"The step made by {maker}(mesh) runs one operation after the other, at least in part. "
            "With `jax.jit` around it, all of it is compiled."
        )


@MAKERS
def test_input_state_is_untouched(task, reference, maker):
    _, mesh, B, T = next(settings(reference))
    placed = reference.place(mesh, new_state(OPTIMISERS["Adam"]), *batch(B, T))
    before = device_shards.held(parts(placed[0]), mesh)
    made(task, maker, mesh)(*placed)
    after = parts(placed[0])
    if any(leaf.is_deleted() for leaf in jax.tree.leaves(after) if isinstance(leaf, jax.Array)):
        raise expect.Wrong(
            f"The step made by {maker}(mesh) gave away the arrays of the state it got "
            "(`donate_argnums`): whoever calls it may still need them."
        )
    expect.trees_equal(
        device_shards.held(after, mesh), before, "The state given to the step, afterwards,"
    )
