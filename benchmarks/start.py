"""Time the start: `minigpt`, the import, the data from the cache, the installation.

`python benchmarks/start.py` prints medians (minimum–maximum) of five runs in seconds with the
target, and the ratio to a baseline measured in the same run. `--colab-python PATH` takes the Python
of a virtual environment with exactly the packages in `.ci/colab.txt`, and times `pip install -e .`,
too: three times, in copies of that environment.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import format_ratio, format_times, format_with_target, run_python, time_runs
from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import ROOT

INSTALLATIONS = 3
LOAD = """
import contextlib, io, time
from minigpt_challenge.given.dataset import load_data
start = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    load_data().train.block_until_ready()
print(time.perf_counter() - start)
"""
NO_HEAVY_IMPORTS = """
import sys, minigpt_challenge
heavy = {"jax", "tensorflow"} & set(sys.modules)
assert not heavy, heavy
"""


def time_installations(python: Path) -> tuple[list[float], list[float]]:
    """Seconds of `pip install -e .` in copies of the environment; `pip freeze` as its baseline."""
    times, baseline = [], []
    for _ in range(INSTALLATIONS):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "environment")
            shutil.copytree(python.parents[1], copy, symlinks=True)
            pip = (str(copy / "bin" / python.name), "-m", "pip", "-q")

            def run(*arguments: str, pip=pip) -> None:
                subprocess.run([*pip, *arguments], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)

            baseline += time_runs(lambda run=run: run("freeze"), 1)
            times += time_runs(lambda run=run: run("install", "-e", "."), 1)
    return times, baseline


def main(colab_python: Path | None) -> None:
    """Measure and print."""
    table = Table(title="Seconds to start")
    for heading in ("step", "seconds and target", "baseline", "ratio"):
        table.add_column(heading, justify="left" if heading == "step" else "right")

    def add(
        step: str, times: list[float], target: float, command: str, baseline: list[float]
    ) -> None:
        ratio = format_ratio(times, baseline)
        formatted = f"{command}: {format_times(baseline)}"
        table.add_row(step, format_with_target(times, target), formatted, ratio)

    def time_process(*arguments: str) -> list[float]:
        return time_runs(lambda: run_python(*arguments))

    run_python("-c", LOAD)  # downloads the text if it is not cached
    bare, import_jax = time_process("-c", "pass"), time_process("-c", "import jax.numpy")
    add("minigpt", time_process("-m", "minigpt_challenge"), 0.3, "python -c pass", bare)
    imports = time_process("-c", NO_HEAVY_IMPORTS)
    add("import minigpt_challenge", imports, 0.3, "python -c pass", bare)
    loads = [float(run_python("-c", LOAD)) for _ in range(5)]
    add("load_data(), from the cache", loads, 1, "import jax.numpy", import_jax)
    whole = time_process("-c", LOAD)
    add("the same, as a whole process", whole, 2, "import jax.numpy", import_jax)
    if colab_python:
        times, baseline = time_installations(colab_python.absolute())
        add("pip install -e . over Colab's packages", times, 15, "pip freeze", baseline)
    Console(width=120).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--colab-python", type=Path, metavar="PATH")
    main(parser.parse_args(sys.argv[1:]).colab_python)
