"""Several devices on any machine: JAX can make them of the CPU, if told before it starts."""

from typing import TYPE_CHECKING

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.errors import UserError

if TYPE_CHECKING:  # JAX itself is loaded late, so that the command line starts at once
    import jax

SETTING = "JAX_NUM_CPU_DEVICES"  # JAX reads it when it is imported


class TooFewDevices(UserError):
    """JAX has started with fewer devices than a check needs; the message says what to do."""


def environment(task: Task) -> dict[str, str]:
    """With these variables a new process has the CPU devices that the task's checks need."""
    return {SETTING: str(task.cpu_devices)} if task.cpu_devices > 1 else {}


def cpu_devices(number: int) -> list["jax.Device"]:
    """So many devices, made of the CPU.

    Raises:
        TooFewDevices: JAX has fewer of them.
    """
    import jax

    try:
        devices = jax.devices("cpu")
    except RuntimeError:  # JAX_PLATFORMS leaves the CPU out
        devices = []
    if len(devices) < number:
        raise TooFewDevices(
            f"This check needs {number} CPU devices, and JAX has {len(devices)}. It makes them "
            f"when it starts, if it is told to: set {SETTING}={number} in the environment and "
            "leave the CPU in JAX_PLATFORMS, or in a notebook restart the kernel and run "
            f'`jax.config.update("jax_num_cpu_devices", {number})` before anything else of JAX.'
        )
    return devices[:number]


def has_enough(task: Task) -> bool:
    """Whether this process can run the task's checks."""
    if task.cpu_devices == 1:
        return True
    try:
        return bool(cpu_devices(task.cpu_devices))
    except TooFewDevices:
        return False
