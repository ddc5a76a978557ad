"""Flags with which XLA compiles small programs in a third of the time.

The numbers are the same up to rounding. `python -m tests.project.quick_compilation` prints the
flags, and nothing if this version of XLA does not know them.
"""

import os
import subprocess
import sys

XLA_FLAGS = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"


def accepted() -> bool:
    """Whether this version of XLA knows the flags; it ends the process at an unknown one."""
    program = "import jax; jax.jit(lambda x: x + 1)(1)"
    environment = os.environ | {"XLA_FLAGS": XLA_FLAGS}
    command = [sys.executable, "-c", program]
    return not subprocess.run(command, env=environment, capture_output=True).returncode


if __name__ == "__main__":
    print(XLA_FLAGS if accepted() else "")
