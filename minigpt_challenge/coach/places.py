"""The folders of this machine, which often hold a person's name, are nobody else's business."""

import os
import sys
import tempfile
from pathlib import Path

from minigpt_challenge.coach.curriculum import ROOT


def without_places(words: str) -> str:
    """The words with paths cut short: reports are handed in, pasted into mails and shown around."""
    for folder, short in (
        (ROOT, ""),
        (sys.prefix, ""),
        (sys.base_prefix, ""),
        (tempfile.gettempdir(), ""),
        (Path.home(), f"~{os.sep}"),
    ):
        words = words.replace(f"{folder}{os.sep}", short)
    return words
