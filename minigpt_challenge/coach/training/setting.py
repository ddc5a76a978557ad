"""The setting of a run: the sizes of the GPT, and how it is trained."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from minigpt_challenge.errors import UserError
from minigpt_challenge.given import milestone


@dataclass(frozen=True)
class Setting:
    """The sizes of a GPT, and how it is trained. The defaults are the milestone's.

    Attributes:
        max_steps: how many steps a run has if nothing else is asked for.
        bfloat16: whether the forward and backward pass are computed in bfloat16. The weights and
            the optimizer stay float32.
        note: what others report for this setting.
    """

    num_layers: int = milestone.SIZES["num_layers"]
    num_heads: int = milestone.SIZES["num_heads"]
    hidden_dim: int = milestone.SIZES["hidden_dim"]
    block_size: int = milestone.BLOCK_SIZE
    batch_size: int = milestone.BATCH_SIZE
    learning_rate: float = milestone.LEARNING_RATE
    bfloat16: bool = False
    max_steps: int = field(default=milestone.MAX_STEPS, compare=False)
    note: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.hidden_dim % self.num_heads:
            raise UserError(
                f"{self.num_heads} heads cannot share {self.hidden_dim} numbers evenly: choose a "
                "width that is a multiple of the number of heads."
            )

    def __str__(self) -> str:
        return (
            f"{_count(self.num_layers, 'layer')} of {_count(self.num_heads, 'head')}, "
            f"{self.hidden_dim} wide, context {self.block_size}, batch {self.batch_size}, learning "
            f"rate {self.learning_rate:g}"
            f"{', bfloat16' if self.bfloat16 else ''}"
        )

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes of the model, by the names of `MiniGPT`'s attributes."""
        return {name: getattr(self, name) for name in milestone.SIZES}

    @property
    def tokens(self) -> jax.ShapeDtypeStruct:
        """The shape of a batch: int32 (B, T)."""
        return jax.ShapeDtypeStruct((self.batch_size, self.block_size), jnp.int32)

    def differences(self) -> dict[str, Any]:
        """What differs from the milestone's setting, by the name of the attribute."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.compare}
        return {name: value for name, value in values.items() if value != getattr(MILESTONE, name)}

    def apply_of(self, model: nn.Module) -> Callable:
        """The model's `apply`, from float32 params to float32 logits."""
        return _in_bfloat16(model.apply) if self.bfloat16 else model.apply


MILESTONE = Setting()
PRESETS = {
    "milestone": MILESTONE,
    # "baby GPT" in config/train_shakespeare_char.py of https://github.com/karpathy/nanoGPT
    "nanogpt": Setting(
        num_layers=6,
        num_heads=6,
        hidden_dim=384,
        block_size=256,
        batch_size=64,
        bfloat16=True,
        max_steps=5_000,
        note="nanoGPT reports 1.47 for these sizes, with dropout and a decaying learning rate.",
    ),
}


def setting_of(preset: str | None, **changes: Any) -> Setting:
    """The preset (by default the milestone's setting) with the changes that are not None.

    Raises:
        UserError: there is no such preset, or the sizes do not fit together.
    """
    if preset is not None and preset not in PRESETS:
        raise UserError(f"There is no preset {preset}: there are {', '.join(PRESETS)}.")
    given = {name: value for name, value in changes.items() if value is not None}
    begun = PRESETS[preset or "milestone"]
    return replace(begun, **given, note="") if given else begun


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _in_bfloat16(apply: Callable) -> Callable:
    """`apply` computed in bfloat16, from float32 params to float32 logits."""

    def halved(leaf: jax.Array) -> jax.Array:
        return leaf.astype(jnp.bfloat16) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    def apply_in_bfloat16(params: Any, *arguments: Any) -> jax.Array:
        return apply(jax.tree.map(halved, params), *arguments).astype(jnp.float32)

    return apply_in_bfloat16
