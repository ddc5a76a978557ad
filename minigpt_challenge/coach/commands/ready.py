"""The line with which a notebook's set-up ends."""

from minigpt_challenge.coach.course.curriculum import Task


def ready_line(task: Task) -> str:
    """Which task this notebook is, and where JAX computes: `✓ ready · task 1, Embedding · …`.

    The device of a task that needs several is left out: to ask for it would start JAX, and its
    notebook has yet to say how many devices there should be.
    """
    import jax  # loaded already by whatever runs code; `minigpt` starts without it

    device = f" on {jax.default_backend()}" if task.cpu_devices == 1 else ""
    return f"✓ ready · task {task.number}, {task.title} · jax {jax.__version__}{device}"
