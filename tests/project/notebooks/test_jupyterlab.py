"""A learner's first minutes in a real JupyterLab, in a real browser.

Open notebook 2, run the set-up, write a wrong answer, read the report, correct it, see green.
Skipped where there is no JupyterLab, Playwright or Chromium; with MINIGPT_REQUIRE_BROWSER=1, as
CI sets it, that is a failure. `MINIGPT_SCREENSHOTS` names a folder for pictures of what the browser
showed.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from minigpt_challenge.coach.course.curriculum import TASKS

REQUIRED = os.environ.get("MINIGPT_REQUIRE_BROWSER") == "1"
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
if not REQUIRED:
    pytest.importorskip("jupyterlab")
    pytest.importorskip("playwright")
    if not BROWSER:
        pytest.skip("there is no Chromium", allow_module_level=True)
from playwright import sync_api as playwright  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.newest]

ATTENTION = TASKS[1]
PATIENCE = 180_000  # milliseconds
IGNORED_AFTER = 10_000  # milliseconds without any answer to a key


@pytest.fixture
def address(workshop, tmp_path):
    """Of a JupyterLab that serves the challenge."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += [
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    homes = {f"JUPYTER_{what}_DIR": str(tmp_path / what) for what in ("CONFIG", "DATA", "RUNTIME")}
    with (tmp_path / "jupyterlab.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=workshop.root,
            env=os.environ | homes | {"PYTHONPATH": str(workshop.root), "HOME": str(tmp_path)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=1).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def page():
    """A page in a browser that talks to nobody but us."""
    assert BROWSER, "there is no Chromium, and MINIGPT_REQUIRE_BROWSER=1 asks for it"
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path=BROWSER,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1100, "height": 1500})
        page.set_default_timeout(PATIENCE)
        page.add_locator_handler(page.locator("dialog.jp-Dialog"), agree)
        yield page
        browser.close()


def agree(dialog):
    """Take what a dialog of JupyterLab offers, such as a kernel, when the machine was slow."""
    print("A dialog came:", dialog.inner_text())
    dialog.locator(".jp-mod-accept").click()


def cells_of(task) -> list[str]:
    """The texts of the notebook's cells."""
    return ["".join(cell["source"]) for cell in json.loads(task.notebook.read_text())["cells"]]


def place_of(cells: list[str], start: str) -> int:
    return next(place for place, text in enumerate(cells) if text.startswith(start))


class Notebook:
    """The notebook on the page, used as a person uses it."""

    def __init__(self, page):
        self.page = page
        self.cells = page.locator(".jp-Notebook .jp-Cell")

    def run(self, place: int, text: str | None = None):
        """Run a cell, with another text if one is given, and wait for its end. Returns it."""
        cell = self.cells.nth(place)
        cell.scroll_into_view_if_needed()
        prompt = cell.locator(".jp-InputPrompt")
        # A folded cell shows no editor: a click at its prompt unfolds it.
        editor = cell.locator(".cm-content").locator("visible=true").or_(prompt).last
        editor.click()
        if text is not None:
            self.page.keyboard.press("Control+A")
            self.page.keyboard.insert_text(text)
        before = prompt.inner_text()
        for _ in range(PATIENCE // IGNORED_AFTER):
            self.page.keyboard.press("Control+Enter")
            try:
                playwright.expect(prompt).not_to_have_text(before, timeout=IGNORED_AFTER)
                break
            except AssertionError:  # pressed a moment too early: a person would press it again
                editor.click()
        playwright.expect(prompt).not_to_have_text(before)
        playwright.expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=PATIENCE)
        return cell

    def picture(self, cell, name: str) -> None:
        if folder := os.environ.get("MINIGPT_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            cell.scroll_into_view_if_needed()
            cell.screenshot(path=str(Path(folder, f"{name}.png")))


def test_a_wrong_answer_is_explained_and_a_right_one_turns_green(workshop, address, page):
    cells = cells_of(ATTENTION)
    solution = ATTENTION.solution.read_text(encoding="utf-8")
    wrong = solution.replace("        scores = jnp.where(visible, scores, -jnp.inf)\n", "")
    assert wrong != solution
    page.goto(f"{address}/lab/tree/notebooks/{ATTENTION.notebook.name}?reset")
    page.add_style_tag(content=".Toastify, #jp-bottom-panel { display: none }")
    notebook = Notebook(page)
    notebook.cells.first.wait_for()
    ready = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    ready.first.wait_for(state="attached")  # a cell run before the kernel is there is forgotten
    set_up = place_of(cells, "# @title Set-up")
    notebook.picture(notebook.cells.nth(set_up), "folded")
    assert not notebook.cells.nth(set_up).locator(".cm-content").is_visible()
    assert "✓ ready · task 2, Attention · jax" in notebook.run(set_up).inner_text()

    task, check = place_of(cells, "%%task 2"), place_of(cells, "%check 2")
    untouched = notebook.run(check)
    assert "not started" in untouched.inner_text()

    notebook.run(task, f"%%task 2\n{wrong}")
    red = notebook.run(check)
    assert "without the causal mask" in red.inner_text()
    notebook.picture(red, "wrong")
    assert red.locator(".jp-OutputArea img").count() >= 1, "there is no attention map"

    notebook.run(task, f"%%task 2\n{solution}")
    green = notebook.run(check)
    assert "passed" in green.inner_text() and "without the causal mask" not in green.inner_text()
    notebook.picture(green, "right")
    assert workshop.stub(ATTENTION).read_text(encoding="utf-8").strip() == solution.strip()
