"""What the report says about the trained GPT, read from its saved weights."""

import contextlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from minigpt_challenge.coach.course.curriculum import GPT_TASKS, SOLUTIONS_FOLDER, TASKS_FOLDER
from minigpt_challenge.coach.records.ladder import perplexity
from minigpt_challenge.coach.reports.attention_on_text import LINE, trained_gpt_picture
from minigpt_challenge.coach.reports.html import Picture
from minigpt_challenge.coach.reports.trained_maps import gpt_maps
from minigpt_challenge.coach.runtime.limits import TimeLimitReached, time_limit
from minigpt_challenge.coach.runtime.loading import tasks_from
from minigpt_challenge.coach.runtime.patched_modules import restore_patched_modules
from minigpt_challenge.given import milestone
from minigpt_challenge.given.training_run import Measurement
from minigpt_challenge.given.vocabulary import Vocabulary

TIME_LIMIT_S = 60.0  # for the attention maps; the model has been trained, so code rarely hangs


@dataclass(frozen=True)
class Fact:
    """A number about the trained GPT, and a few words on it; empty if there is nothing to add."""

    name: str
    value: str
    remark: str = ""


def facts(saved: dict[str, Any]) -> list[Fact]:
    """What the fields of the weights file say; older files have fewer of them."""
    return [fact for fact in (_loss(saved), _size(saved), _time(saved), _device(saved)) if fact]


def history(saved: dict[str, Any]) -> list[Measurement]:
    """The losses during the training; empty if they were not saved."""
    try:
        return [
            Measurement(int(step), float(train), float(evaluation))
            for step, train, evaluation, *_ in saved.get("history", ())
        ]
    except (TypeError, ValueError):
        return []


def attention(saved: dict[str, Any]) -> Picture | None:
    """The trained attention on a line of Shakespeare; None if it cannot be computed.

    The learner's code runs for it. Whatever it raises is not reported here, where only the picture
    would be missing.
    """
    try:
        with _undisturbed(), tasks_from(_folder(saved), GPT_TASKS) as modules:
            vocabulary = Vocabulary(saved["characters"])
            sizes = saved.get("sizes") or milestone.SIZES
            model: nn.Module = modules["task4_blocks"].MiniGPT(vocab_size=vocabulary.size, **sizes)
            text = LINE[: sizes["block_size"]]
            tokens = jnp.asarray(vocabulary.encode(text))
            maps = gpt_maps(model, jax.tree.map(jnp.asarray, saved["params"]), tokens)
            return None if maps is None else trained_gpt_picture(maps, text)
    except (Exception, SystemExit, TimeLimitReached):
        return None


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Inside, what the learner's code prints is dropped, what it patches is undone after."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        restore_patched_modules(),
        time_limit(TIME_LIMIT_S),
    ):
        yield


def _folder(saved: dict[str, Any]) -> Any:
    return SOLUTIONS_FOLDER if saved.get("solutions") else TASKS_FOLDER


def _loss(saved: dict[str, Any]) -> Fact | None:
    loss = saved.get("loss")
    if not isinstance(loss, float) or not math.isfinite(loss):
        return None
    remark = f"nats per character: as unsure as among {perplexity(loss)}"
    if isinstance(saved.get("milestone"), bool):
        reached = "reached" if saved["milestone"] else "not reached"
        remark += f". The milestone, {milestone.TARGET_LOSS}, is {reached}."
    return Fact("Loss", f"{loss:.2f}", remark)


def _size(saved: dict[str, Any]) -> Fact | None:
    leaves = jax.tree.leaves(saved.get("params", {}))
    number = sum(getattr(leaf, "size", 0) for leaf in leaves)
    if not number:
        return None
    match saved.get("sizes"):
        case {"num_layers": L, "num_heads": N, "hidden_dim": C, "block_size": size}:
            heads = f"{L} blocks of {N} heads"
            remark = f"{heads}, {C} numbers for a character, reads {size} characters"
        case _:
            remark = ""
    return Fact("Parameters", f"{number:,}", remark)


def _time(saved: dict[str, Any]) -> Fact | None:
    seconds, steps = saved.get("seconds"), saved.get("steps")
    if not isinstance(seconds, float) or not math.isfinite(seconds):
        return None
    return Fact("Training time", duration(seconds), f"{steps:,} steps" if steps else "")


def duration(seconds: float) -> str:
    """In the units that one would say: "48 s", "1 min 23 s", "2 h 5 min"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _device(saved: dict[str, Any]) -> Fact | None:
    device = saved.get("device")
    if not isinstance(device, str) or not device:
        return None
    return Fact("Device", device.upper() if device in ("cpu", "gpu", "tpu") else device)
