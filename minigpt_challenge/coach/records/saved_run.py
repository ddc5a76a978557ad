"""The trained GPT in `my_gpt/`: its weights, loss curve and sample."""

from pathlib import Path
from typing import Any

from flax import serialization

from minigpt_challenge.coach.course.curriculum import ROOT

FOLDER = ROOT / "my_gpt"
WEIGHTS, CURVE = FOLDER / "weights.msgpack", FOLDER / "loss_curve.png"
SAMPLE = FOLDER / "sample.txt"


def saved(weights: Path) -> dict[str, Any]:
    """The fields of a saved weights file; empty if the file is missing or damaged."""
    try:
        packed = serialization.msgpack_restore(weights.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return packed if isinstance(packed, dict) else {}
