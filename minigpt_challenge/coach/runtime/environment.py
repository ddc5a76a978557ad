"""What keeps JAX from working here: a variable of the environment, a file that hides a package."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from traceback import walk_tb

from minigpt_challenge.coach.course.curriculum import ROOT
from minigpt_challenge.errors import UserError

PREFIXES = ("JAX_", "XLA_", "FLAX_")  # of the variables that may be to blame
LIBRARIES = ("jax", "jaxlib", "flax")
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


def require(environment: Mapping[str, str] | None = None) -> None:
    """Raise the fault of the environment, if it has one.

    Args:
        environment: the variables; those of this process by default.

    Raises:
        UserError: JAX does not work here; the message is that of `fault`.
    """
    if message := fault(environment):
        raise UserError(message)


def behind(error: Exception) -> str:
    """If the environment is to blame for the error, the message of `fault`; else empty.

    It is asked only where JAX or Flax could not be imported, or raised the error themselves.
    """
    frames = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    raised_by_jax = bool(frames) and any(name in Path(frames[-1]).parts for name in LIBRARIES)
    if isinstance(error, ImportError) or (raised_by_jax and has_settings()):
        return fault()
    return ""


def fault(environment: Mapping[str, str] | None = None) -> str:
    """Why JAX does not work, whatever the learner writes, and what to do; empty if it does.

    It takes seconds, since another process imports JAX and computes something.

    Args:
        environment: the variables; those of this process by default.
    """
    environment = dict(os.environ if environment is None else environment)
    failure = _failure(environment)
    if not failure:
        return ""
    names = sorted(name for name in environment if name.startswith(PREFIXES))
    for name in names:
        rest = {key: value for key, value in environment.items() if key != name}
        if _failure(rest) == "" and _failure(environment):
            return (
                f"JAX does not work with the environment variable {name}={environment[name]}, and "
                f"does without it: `unset {name}`, and run this again. ({failure})"
            )
    advice = f" Try again without the variables {', '.join(names)}." if len(names) > 1 else ""
    return f"JAX does not work here: {failure}{advice}"


def has_settings() -> bool:
    """Whether any variable is set that may keep JAX from working."""
    return any(name.startswith(PREFIXES) for name in os.environ)


def _failure(environment: Mapping[str, str]) -> str | None:
    """The last line that the probe prints if it fails; empty if it succeeds; None if unknown."""
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
    except (OSError, subprocess.SubprocessError):  # such as on a busy machine
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return (lines[-1] if lines else f"Exit code {done.returncode}.") if done.returncode else ""
