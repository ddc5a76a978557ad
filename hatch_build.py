"""For hatchling: put into the wheel what `minigpt init` writes, besides the package."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "minigpt_challenge/challenge_files"  # `coach/course/challenge_files.py` reads it


class ChallengeFiles(BuildHookInterface):
    """Adds the files that pyproject.toml lists in [tool.minigpt]."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them, but not to an editable installation: there they are in their places."""
        if version == "editable":
            return
        root = Path(self.root)
        for pattern in self.metadata.config["tool"]["minigpt"]["challenge-files"]:
            for path in root.glob(pattern):
                name = path.relative_to(root).as_posix()
                build_data["force_include"][str(path)] = f"{FOLDER}/{name}"
