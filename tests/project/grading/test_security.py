"""The promises of docs/security.md that a test can check."""

import ast
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from flax import serialization

from minigpt_challenge.coach.course.curriculum import ROOT, TASKS
from minigpt_challenge.coach.grading.redact_paths import redact_paths
from minigpt_challenge.coach.grading.runner import TIME_LIMIT, check_in_own_process
from minigpt_challenge.coach.reports.gradescope import gradescope_results
from minigpt_challenge.coach.runtime import limits

SOURCES = [path for path in (ROOT / "minigpt_challenge").rglob("*.py") if "tasks" not in path.parts]
LOADERS_THAT_RUN_CODE = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_module_loads_a_pickle_or_passes_a_string_to_a_shell(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules = {(node.module or "").split(".")[0]}
        else:
            modules = set()
        assert not modules & LOADERS_THAT_RUN_CODE, f"line {node.lineno}"
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                assert keyword.arg not in ("shell", "allow_pickle"), f"line {node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called = f"{node.value.id}.{node.attr}"
            assert called not in ("os.system", "os.popen", "subprocess.getoutput"), called


def test_a_pickle_instead_of_weights_is_not_run(tmp_path):
    """msgpack holds numbers, strings and arrays; an array of objects would need a pickle."""
    with pytest.raises((ValueError, TypeError)):
        serialization.msgpack_serialize({"params": np.array([object()], dtype=object)})
    trap = b"cos\nsystem\n(S'touch " + str(tmp_path / "sprung").encode() + b"'\ntR."
    with pytest.raises(Exception):  # noqa: B017  several classes mean "this is not msgpack"
        serialization.msgpack_restore(trap)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "folder", [ROOT, Path.home(), Path(sys.prefix, "lib")], ids=["root", "home", "packages"]
)
def test_a_report_names_no_folder_of_this_machine(folder):
    text = redact_paths(f'File "{folder / "jane" / "file.py"}", line 3')
    assert str(folder) not in text and re.search(r'jane.file.py", line 3$', text)


def test_text_that_only_looks_like_such_a_folder_is_unchanged(monkeypatch):
    monkeypatch.setenv("HOME", "/")
    for text in ("H = C // N   # see https://x.y", f"/var{tempfile.gettempdir()}/abc"):
        assert redact_paths(text) == text


@pytest.mark.slow
def test_gradescopes_file_names_no_folder_even_if_the_code_does(tmp_path):
    answer = tmp_path / TASKS[0].stub.name
    literal = Path(tempfile.gettempdir(), "jane", "notes.txt")
    answer.write_text(
        f"import sys, os; path = '{literal}'\n"
        f"raise OSError(f'{{sys.prefix}}/x {{os.getcwd()}}/y {{__file__}}')  # {literal}"
    )
    report = check_in_own_process(TASKS[0], answer)
    message = report.checks[0].message
    assert "OSError" in message
    assert "y " in message and sys.prefix not in message and str(tmp_path) not in message
    assert "jane" in message and tempfile.gettempdir() not in message
    assert sys.prefix not in str(gradescope_results([(report, False)]))


def test_the_page_states_the_limits():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    for number in (
        f"{TIME_LIMIT} seconds",
        f"{limits.MAX_MEMORY // 2**30} GiB",
        f"{limits.MAX_OUTPUT // 2**20} MiB",
    ):
        assert number in page
