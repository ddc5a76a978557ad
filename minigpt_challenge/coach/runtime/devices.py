"""Several CPU devices on any machine: JAX can create them, but only when it starts."""

from typing import TYPE_CHECKING

from minigpt_challenge.coach.course.curriculum import Task
from minigpt_challenge.errors import UserError

if TYPE_CHECKING:  # JAX itself is imported late, so that the command line starts at once
    import jax

SETTING = "JAX_NUM_CPU_DEVICES"  # JAX reads it when it is imported


class TooFewDevices(UserError):
    """JAX has started with fewer devices than a check needs; the message says what to do."""


def environment(task: Task) -> dict[str, str]:
    """Environment variables that give a new process the CPU devices for the task's checks."""
    return {SETTING: str(task.cpu_devices)} if task.cpu_devices > 1 else {}


def cpu_devices(number: int) -> list["jax.Device"]:
    """The first `number` CPU devices.

    Raises:
        TooFewDevices: JAX has fewer.
    """
    import jax

    try:
        devices = jax.devices("cpu")
    except RuntimeError:  # JAX_PLATFORMS excludes the CPU
        devices = []
    if len(devices) < number:
        raise TooFewDevices(
            f"This check needs {number} CPU devices, and JAX has {len(devices)}. It can create "
            f"them only when it starts: set {SETTING}={number} in the environment and keep the CPU "
            "in JAX_PLATFORMS, or in a notebook restart the kernel and run "
            f'`jax.config.update("jax_num_cpu_devices", {number})` before any other use of JAX.'
        )
    return devices[:number]


def has_enough(task: Task) -> bool:
    """Whether this process has the devices for the task's checks."""
    if task.cpu_devices == 1:
        return True
    try:
        return bool(cpu_devices(task.cpu_devices))
    except TooFewDevices:
        return False
