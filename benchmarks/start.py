"""How long it takes to begin: `minigpt`, the import, the data from the cache, the set-up.

`python benchmarks/start.py` prints medians of five runs, in seconds, with the smallest and the
largest, beside the aim, and the ratio to a peer measured in the same run. With
`--colab-python PATH`, the Python of a virtual environment that holds what `.ci/colab.txt` lists
and no more, the set-up is timed as well: `pip install -e .`, three times in a copy of that
environment, so that it stays as it is.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import in_new_process, judged, measured, ratio, spread
from rich.console import Console
from rich.table import Table

from minigpt_challenge.coach.course.curriculum import ROOT

SETUPS = 3
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


def setup_times(python: Path) -> tuple[list[float], list[float]]:
    """The seconds of `pip install -e .`, and of `pip freeze` as its peer, in copies."""
    times, peers = [], []
    for _ in range(SETUPS):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "environment")
            shutil.copytree(python.parents[1], copy, symlinks=True)
            pip = (str(copy / "bin" / python.name), "-m", "pip", "-q")

            def run(*arguments: str, pip=pip) -> None:
                subprocess.run([*pip, *arguments], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)

            peers += measured(lambda run=run: run("freeze"), 1)
            times += measured(lambda run=run: run("install", "-e", "."), 1)
    return times, peers


def main(colab_python: Path | None) -> None:
    """Measure and print."""
    table = Table(title="Seconds to begin")
    for heading in ("what", "seconds and aim", "peer", "ratio"):
        table.add_column(heading, justify="left" if heading == "what" else "right")

    def add(what: str, times: list[float], aim: float, peer: str, peers: list[float]) -> None:
        table.add_row(what, judged(times, aim), f"{peer}: {spread(peers)}", ratio(times, peers))

    def process(*arguments: str) -> list[float]:
        return measured(lambda: in_new_process(*arguments))

    in_new_process("-c", LOAD)  # fetches the text, if it was not there
    bare, jax_alone = process("-c", "pass"), process("-c", "import jax.numpy")
    add("minigpt", process("-m", "minigpt_challenge"), 0.3, "python -c pass", bare)
    imported = process("-c", NO_HEAVY_IMPORTS)
    add("import minigpt_challenge", imported, 0.3, "python -c pass", bare)
    loads = [float(in_new_process("-c", LOAD)) for _ in range(5)]
    add("load_data(), from the cache", loads, 1, "import jax.numpy", jax_alone)
    add("the same, a whole process", process("-c", LOAD), 2, "import jax.numpy", jax_alone)
    if colab_python:
        times, peers = setup_times(colab_python.absolute())
        add("pip install -e . over Colab's packages", times, 15, "pip freeze", peers)
    Console(width=120).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--colab-python", type=Path, metavar="PATH")
    main(parser.parse_args(sys.argv[1:]).colab_python)
