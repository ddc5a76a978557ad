"""`.ci/run`, the workflow, pre-commit and pyproject.toml say the same."""

import re
import tomllib

from minigpt_challenge.coach.course.curriculum import ROOT

RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_pre_commit_runs_the_commands_of_ci():
    config = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    commands = re.findall(r"entry: (.+)", config)
    assert len(commands) == 4
    assert [command for command in commands if command not in RUN] == []


def test_the_workflow_runs_every_lane():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    lanes = {"lint", *re.findall(r"lane: ([\w.]+),", workflow)}
    assert lanes == set(re.findall(r"^([\w.]+)\)", RUN, re.MULTILINE)) - {"all"}


def test_lint_asks_for_the_versions_of_pyproject():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    known = {*project["dependencies"], *project["optional-dependencies"]["dev"]}
    lines = (ROOT / ".ci" / "lint.txt").read_text(encoding="utf-8").splitlines()
    assert {line for line in lines if not line.startswith("#")} <= known
