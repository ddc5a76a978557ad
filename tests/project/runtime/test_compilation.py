"""Programs compiled by a check are cached on disk, up to a limit; the learner's own are not."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache.compilation_cache import reset_cache

from minigpt_challenge.coach.course.curriculum import TASKS
from minigpt_challenge.coach.course.verdict import Verdict
from minigpt_challenge.coach.grading.runner import check_in_this_process
from minigpt_challenge.coach.runtime import compilation

NNX = TASKS[7]
FOLDER = "jax_compilation_cache_dir"


@pytest.fixture
def cache_folder(monkeypatch, tmp_path):
    """A cache folder, in a process where JAX has compiled before and has no cache of its own."""
    before = getattr(jax.config, FOLDER)
    jax.config.update(FOLDER, None)
    reset_cache()
    compile_something(1)
    monkeypatch.setitem(compilation.CACHE_ENVIRONMENT, FOLDER.upper(), str(tmp_path / "compiled"))
    yield tmp_path / "compiled"
    jax.config.update(FOLDER, before)
    reset_cache()


def compile_something(number):
    jax.jit(lambda x: x * number)(jnp.ones(3)).block_until_ready()


def test_only_programs_compiled_inside_are_cached(cache_folder):
    settings = dict(jax.config.values)
    with compilation.persistent_compilation_cache():
        compile_something(2)
    cached = set(cache_folder.iterdir())
    assert any("jit__lambda" in file.name for file in cached)
    assert dict(jax.config.values) == settings
    compile_something(3)
    assert set(cache_folder.iterdir()) == cached


def test_another_cache_folder_is_not_replaced(cache_folder, tmp_path):
    own = tmp_path / "own"
    jax.config.update(FOLDER, str(own))
    with compilation.persistent_compilation_cache():
        assert getattr(jax.config, FOLDER) == str(own)
    assert getattr(jax.config, FOLDER) == str(own) and not cache_folder.exists()


def test_jax_is_not_imported_early():
    program = (
        "import os, sys\n"
        "from minigpt_challenge.coach.runtime import compilation\n"
        "with compilation.persistent_compilation_cache():\n"
        "    assert 'jax' not in sys.modules\n"
        "    assert compilation.CACHE_ENVIRONMENT.items() <= os.environ.items()\n"
    )
    environment = {name: v for name, v in os.environ.items() if not name.startswith("JAX_")}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)


def test_the_oldest_files_are_removed_until_the_rest_fits(tmp_path):
    for age, name in enumerate(["new", "middle", "old", "oldest"]):
        (tmp_path / name).write_bytes(b"x" * 10)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    compilation.trim(tmp_path, max_bytes=40)
    assert len(os.listdir(tmp_path)) == 4
    compilation.trim(tmp_path, max_bytes=25)
    assert sorted(os.listdir(tmp_path)) == ["middle", "new"]


def test_trimming_a_missing_folder_is_no_error(tmp_path):
    compilation.trim(tmp_path / "absent")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it counts the memory maps in Linux's /proc")
def test_programs_of_a_check_are_freed_after_it():
    """A process may have at most 65,530 memory maps, and a kernel runs many checks."""

    def num_maps_after_a_check():
        assert check_in_this_process(NNX, NNX.solution).verdict is Verdict.PASSED
        return len(Path("/proc/self/maps").read_text().splitlines())

    _, second, third = (num_maps_after_a_check() for _ in range(3))
    assert third - second < 500
