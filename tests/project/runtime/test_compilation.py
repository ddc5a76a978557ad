"""What a check compiles is kept on disk, within a bound; what the learner compiles is not."""

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
def no_folder(monkeypatch, tmp_path):
    """JAX as in a kernel that keeps nothing, which has compiled before."""
    before = getattr(jax.config, FOLDER)
    jax.config.update(FOLDER, None)
    reset_cache()
    compile_something(1)
    monkeypatch.setitem(compilation.COMPILED_ONCE, FOLDER.upper(), str(tmp_path / "compiled"))
    yield tmp_path / "compiled"
    jax.config.update(FOLDER, before)
    reset_cache()


def compile_something(number):
    jax.jit(lambda x: x * number)(jnp.ones(3)).block_until_ready()


def test_only_what_is_compiled_inside_is_kept(no_folder):
    settings = dict(jax.config.values)
    with compilation.compiled_once():
        compile_something(2)
    kept = set(no_folder.iterdir())
    assert any("jit__lambda" in file.name for file in kept)
    assert dict(jax.config.values) == settings
    compile_something(3)
    assert set(no_folder.iterdir()) == kept


def test_a_folder_of_ones_own_stays(no_folder, tmp_path):
    own = tmp_path / "own"
    jax.config.update(FOLDER, str(own))
    with compilation.compiled_once():
        assert getattr(jax.config, FOLDER) == str(own)
    assert getattr(jax.config, FOLDER) == str(own) and not no_folder.exists()


def test_jax_is_not_imported_before_its_time():
    program = (
        "import os, sys\n"
        "from minigpt_challenge.coach.runtime.compilation import COMPILED_ONCE, compiled_once\n"
        "with compiled_once():\n"
        "    assert 'jax' not in sys.modules and COMPILED_ONCE.items() <= os.environ.items()\n"
    )
    environment = {name: v for name, v in os.environ.items() if not name.startswith("JAX_")}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)


def test_the_oldest_go_until_the_rest_fits(tmp_path):
    for age, name in enumerate(["new", "middle", "old", "oldest"]):
        (tmp_path / name).write_bytes(b"x" * 10)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    compilation.trim(tmp_path, most=40)
    assert len(os.listdir(tmp_path)) == 4
    compilation.trim(tmp_path, most=25)
    assert sorted(os.listdir(tmp_path)) == ["middle", "new"]


def test_where_nothing_is_kept_there_is_nothing_to_trim(tmp_path):
    compilation.trim(tmp_path / "absent")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it counts the memory maps that Linux shows")
def test_what_a_check_compiled_goes_with_it():
    """A process may have 65,530 memory maps, and a kernel checks over and over."""

    def num_maps_after_a_check():
        assert check_in_this_process(NNX, NNX.solution).verdict is Verdict.PASSED
        return len(Path("/proc/self/maps").read_text().splitlines())

    _, second, third = (num_maps_after_a_check() for _ in range(3))
    assert third - second < 500
