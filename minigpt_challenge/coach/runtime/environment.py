"""What keeps JAX from working here: a variable of the environment, a file that hides a package."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping

from minigpt_challenge.coach.course.curriculum import ROOT
from minigpt_challenge.errors import UserError

PREFIXES = ("JAX_", "XLA_", "FLAX_")  # of the variables that may be to blame
TIMEOUT_S = 120

# Settings that change what code computes, or whether it may. They must not change a verdict.
CHANGES_RESULTS = re.compile(
    "FLAX_.*|JAX_(CHECK|DEBUG|DEFAULT|DISABLE_JIT|ENABLE|LEGACY|LOG|NUMPY|RANDOM|THREEFRY|TRANSFER)"
    ".*"
)

# What every task needs. XLA ends its process when it cannot read a flag, so this is run in another.
PROBE = """
import sys
from importlib.util import find_spec
for name in ("jax", "jaxlib", "flax", "optax", "numpy", "pytest"):
    spec = find_spec(name)
    if spec and not spec.submodule_search_locations:
        sys.exit(f"{spec.origin} hides the package {name}. Give that file another name.")
import flax.linen, jax, numpy
params = flax.linen.Dense(1).init(jax.random.key(0), numpy.ones((1, 1), numpy.float32))
if not isinstance(params, dict):
    sys.exit("Flax returns a FrozenDict instead of a dict.")
"""


def of_a_check() -> dict[str, str]:
    """The variables of this process, without those that could change a verdict."""
    return {name: value for name, value in os.environ.items() if not CHANGES_RESULTS.match(name)}


def require() -> None:
    """Raise the fault of the environment, if it has one.

    Raises:
        UserError: JAX does not work here; the message is that of `fault`.
    """
    if message := fault():
        raise UserError(message)


def fault() -> str:
    """Why JAX does not work here, whatever the learner writes, and what to do; empty if it does.

    It takes seconds, since another process imports JAX and computes something.
    """
    environment = dict(os.environ)
    failure = _failure(environment)
    if not failure:
        return ""
    names = sorted(name for name in environment if name.startswith(PREFIXES))
    for name in names:
        if not _failure({key: value for key, value in environment.items() if key != name}):
            return (
                f"JAX does not work with the environment variable {name}={environment[name]}, and "
                f"does without it: `unset {name}`, and run this again. ({failure})"
            )
    variables = f" These variables are set: {', '.join(names)}." if names else ""
    return f"JAX does not work here. {failure}{variables}"


def has_settings() -> bool:
    """Whether any variable is set that may keep JAX from working."""
    return any(name.startswith(PREFIXES) for name in os.environ)


def _failure(environment: Mapping[str, str]) -> str:
    """The last line that the probe prints if it fails; empty if it does not."""
    path = [str(ROOT), *(folder or os.getcwd() for folder in sys.path)]  # as in a check
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROBE],
            env={
                **environment,
                "PYTHONPATH": os.pathsep.join(path),
                "JAX_TRACEBACK_FILTERING": "off",  # so that the error comes last
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return (lines[-1] if lines else f"Exit code {done.returncode}.") if done.returncode else ""
