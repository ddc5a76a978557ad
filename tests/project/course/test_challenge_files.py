"""What `minigpt init` writes is all that learners need, and no more."""

import re
from pathlib import PurePosixPath

import pytest

from minigpt_challenge.coach.course.challenge_files import installed_release
from minigpt_challenge.coach.course.curriculum import ROAD, ROOT, TASKS
from minigpt_challenge.coach.runtime.clone import PARTS

FILES = installed_release().files


def test_every_file_of_a_task_is_there():
    paths = [task.notebook for task in ROAD]
    paths += [path for task in TASKS for path in (task.stub, task.solution, task.tests)]
    assert len(paths) == 33
    assert {path.relative_to(ROOT).as_posix() for path in paths} <= set(FILES)


def test_the_folder_is_known_as_one_of_the_challenge():
    folders = {str(parent) for name in FILES for parent in PurePosixPath(name).parents}
    assert set(PARTS) <= folders | set(FILES)


@pytest.mark.parametrize("page", ["README.md", "AGENTS.md"])
def test_the_links_of_a_page_lead_somewhere(page):
    links = re.findall(r"\]\((?!http)(.+?)\)", FILES[page].decode())
    assert links and set(links) <= set(FILES)


def test_the_package_is_complete():
    package = ROOT / "minigpt_challenge"
    kinds = {path.suffix for path in package.rglob("*") if path.is_file()} - {".pyc"}
    assert kinds == {".html", ".md", ".py"}
    names = {path.relative_to(ROOT).as_posix() for path in package.rglob("*.[hmp]*")}
    assert {name for name in names if not name.endswith(".pyc")} <= set(FILES)


def test_what_only_authors_need_is_not_there():
    authors = ("tests/project/", "notebooks/source/", "benchmarks/", "pictures/draw.py", ".ci/")
    assert all((ROOT / path).exists() for path in authors)
    assert not [name for name in FILES if name.startswith(authors) or "__pycache__" in name]
