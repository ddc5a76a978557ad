"""The folders of this machine, which often hold a person's name, are nobody else's business."""

import os
import re
import sys
import tempfile
from pathlib import Path

from minigpt_challenge.coach.course.curriculum import ROOT


def without_places(words: str) -> str:
    """The words with paths cut short: reports are handed in, pasted into mails and shown around."""
    places = (
        (ROOT, ""),
        (Path(sys.prefix), ""),
        (Path(sys.base_prefix), ""),
        (Path(tempfile.gettempdir()), ""),
        (Path.home(), f"~{os.sep}"),
    )
    for folder, short in places:
        if folder == folder.parent:  # the root of all is no place in particular
            continue
        start = re.escape(f"{folder}{os.sep}")
        words = re.sub(rf"(?<![\w./~-]){start}", lambda _, short=short: short, words)
    return words
