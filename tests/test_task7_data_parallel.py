"""Task 7, data parallel. You pass when all of these checks hold.

`task` is your file, `reference` the solution. What one device computes for the whole batch is the
measure. Each part is tried with the other parts taken from the reference, on devices made of the
CPU, and on the real ones where there are any.
"""

from functools import partial

import jax
import jax.numpy as jnp
import optax
import pytest

from minigpt_challenge.coach.checks import device_shards, expect
from minigpt_challenge.coach.checks.properties import data_parallel, placement, training_step
from minigpt_challenge.coach.checks.properties import toy_language_model as toy
from minigpt_challenge.coach.checks.properties.compiled_once import counting
from minigpt_challenge.coach.runtime.devices import cpu_devices

V = 48  # divisible by the number of devices, so that a split in the wrong place runs, and is seen
SHAPES = [(8, 24, 16), (3, 6, 9)]  # (number of devices, B, T)
# No rate is one that might stand in somebody's code. Adam hides a gradient of the wrong length, SGD
# does not. Adam's eps keeps what differs in the last digit, as sums in another order do, from
# becoming a step of another size.
OPTIMIZERS = {
    "SGD with momentum": optax.sgd(0.13, momentum=0.9),
    "Adam": optax.adam(0.007, eps=1e-3),
}
SGD, ADAM = OPTIMIZERS.values()
MAKERS = pytest.mark.parametrize("maker", ["jit_train_step", "shard_map_train_step"])
COLLECTIVES = {
    "jit_train_step": ("all-reduce", "reduce-scatter"),
    # By hand there are more ways to a mean.
    "shard_map_train_step": ("all-reduce", "reduce-scatter", "all-gather", "collective-permute"),
}


def new_state(tx, seed=0, apply_fn=toy.apply_fn):
    """A state that has made a step, so that nothing in it is 0."""
    state = toy.new_state(tx, V, seed, apply_fn)
    state = state.apply_gradients(grads=state.params)
    return state.replace(step=jnp.asarray(state.step))


def settings(reference):
    """The devices' name, a mesh of them, B and T, for each setting."""
    for n, B, T in SHAPES:
        yield f"{n} CPU devices", reference.make_data_mesh(cpu_devices(n)), B, T
    real = jax.devices()
    if real[0].platform != "cpu":
        n = len(real)
        yield f"{n} {real[0].device_kind}", reference.make_data_mesh(real), 3 * n, 2 * n


def made(task, maker, mesh):
    """The step made by one of your two functions."""
    return expect.not_none(getattr(task, maker)(mesh), f"{maker}(mesh)")


# make_data_mesh


def test_mesh_has_one_axis_over_the_devices(task):
    """Everything after this names the devices by this axis."""
    make, eight = task.make_data_mesh, cpu_devices(8)
    placement.mesh_has_one_axis(make, (eight,), eight, "make_data_mesh(devices)")
    placement.mesh_has_one_axis(make, (eight[:3],), eight[:3], "make_data_mesh(three of them)")
    placement.mesh_has_one_axis(make, (), jax.devices(), "make_data_mesh()")


# place


def test_place_gives_each_device_its_rows_and_the_whole_state(task, reference):
    """What lies in the right place before the step need not be sent around during it."""
    cases = (
        (name, mesh, new_state(ADAM, seed), *toy.batch(V, B, T, seed))
        for seed, (name, mesh, B, T) in enumerate(settings(reference))
    )
    placement.place_equals(task.place, reference.place, cases)


def test_place_refuses_rows_that_cannot_be_shared_evenly(task, reference):
    """Dropping or padding rows would change the loss without a word."""
    for n, B, T in SHAPES:
        mesh = reference.make_data_mesh(cpu_devices(n))
        placement.place_refuses(task.place, mesh, new_state(SGD), *toy.batch(V, B + 1, T))


# The two steps


@MAKERS
def test_each_device_works_on_its_own_rows(task, reference, maker):
    """If every device works on the whole batch, many devices are no faster than one."""
    for name, mesh, B, T in settings(reference):
        shapes = []
        watched = counting(toy.apply_fn, shapes)
        bare = new_state(SGD, apply_fn=watched), *toy.batch(V, B, T)
        placed = reference.place(mesh, *bare)
        step, label = made(task, maker, mesh), f"On {name}, the step made by {maker}(mesh)"
        if maker == "jit_train_step":  # its code sees the whole batch, its program does not
            data_parallel.step_takes_what_place_returns(step, placed, bare, mesh, label)
        else:
            data_parallel.uses_shard_map(step, placed, label)
            data_parallel.model_sees_its_own_rows(shapes, B, T, mesh.size, label)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@MAKERS
def test_three_steps_equal_those_of_one_device(task, reference, maker, optimizer):
    """Many devices are for speed alone: the model learns the same on every one of them."""
    cases = (
        (name, mesh, new_state(OPTIMIZERS[optimizer], seed), partial(toy.batch, V, B, T))
        for seed, (name, mesh, B, T) in enumerate(settings(reference))
    )
    make, label = partial(made, task, maker), f"with {optimizer}, made by {maker}(mesh)"
    data_parallel.three_steps_equal_one_device(
        make, reference.place, reference.loss_fn, cases, label
    )


@MAKERS
def test_the_devices_are_brought_together_in_the_compiled_program(task, reference, maker):
    """The mean over the whole batch needs numbers from every device."""
    for name, mesh, B, T in settings(reference):
        if mesh.size == 1:
            continue
        placed = reference.place(mesh, new_state(SGD), *toy.batch(V, B, T))
        step, label = made(task, maker, mesh), f"On {name}, the step made by {maker}(mesh)"
        data_parallel.devices_exchange_results(step, placed, COLLECTIVES[maker], label)


@MAKERS
def test_is_compiled_once(task, reference, maker):
    """A step that is compiled again at every call spends its time on that."""
    _, mesh, B, T = next(settings(reference))
    place, batch = partial(reference.place, mesh), partial(toy.batch, V, B, T)
    step, label = made(task, maker, mesh), f"the step made by {maker}(mesh)"
    data_parallel.is_compiled_once(step, place, new_state, ADAM, batch, label)


@MAKERS
def test_input_state_is_untouched(task, reference, maker):
    """You may want to go back to an earlier state, or to save it while the next step runs."""
    _, mesh, B, T = next(settings(reference))
    placed = reference.place(mesh, new_state(ADAM), *toy.batch(V, B, T))
    step, label = made(task, maker, mesh), f"the step made by {maker}(mesh)"
    training_step.input_state_is_untouched(
        step, placed, label, lambda state: device_shards.held(training_step.parts(state), mesh)
    )
