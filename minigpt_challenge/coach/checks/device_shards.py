"""Which part of an array each device of a mesh holds: all of it, or its shard."""

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, Sharding

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.diagnosis import Suspects

NOTHING = np.zeros(0)  # a device's part of an array that is stored on other devices only


def names(mesh: Mesh) -> list[str]:
    """Names for the mesh's devices, in its order."""
    return [f"device {index}" for index in range(mesh.size)]


def held(tree: Any, mesh: Mesh) -> dict[str, Any]:
    """For each device of the mesh the same tree, with that device's part of each leaf."""

    def part(leaf: Any, device: jax.Device) -> np.ndarray:
        if not isinstance(leaf, jax.Array):  # JAX copies a plain number to every device
            return np.asarray(leaf)
        shards = {shard.device: shard.data for shard in leaf.addressable_shards}
        return np.asarray(shards[device]) if device in shards else NOTHING

    devices = zip(names(mesh), mesh.devices.flat, strict=True)
    return {
        name: jax.tree.map(lambda leaf, device=device: part(leaf, device), tree)
        for name, device in devices
    }


def cut(shardings: Any, tree: Any, mesh: Mesh) -> dict[str, Any]:
    """For each device its part of the tree under these shardings, one for each leaf."""

    def part(sharding: Sharding, leaf: Any, device: jax.Device) -> np.ndarray:
        leaf = np.asarray(leaf)
        indices = sharding.devices_indices_map(leaf.shape)
        return leaf[indices[device]] if device in indices else NOTHING

    devices = zip(names(mesh), mesh.devices.flat, strict=True)
    return {
        name: jax.tree.map(lambda s, leaf, device=device: part(s, leaf, device), shardings, tree)
        for name, device in devices
    }


def everywhere(tree: Any, mesh: Mesh) -> dict[str, Any]:
    """For each device the whole tree."""
    return dict.fromkeys(names(mesh), tree)


def all_hold(cases: Iterable[tuple[dict, dict, str, Suspects]]) -> None:
    """In every case each device holds what it should. If not, report the likely cause.

    Args:
        cases: what each device should hold and what it holds, both as from `held`; a label for
            the message; the mistakes that may explain a difference.
    """
    wrong, evidence = None, []
    try:
        for expected, seen, label, suspects in cases:
            evidence.append((seen, suspects))
            wrong = wrong or _difference(expected, seen, label)
    except Exception:
        if wrong is None:
            raise
    if wrong:  # an error in a later case may be its consequence
        raise expect.explained(wrong, evidence)


def _difference(expected: dict[str, Any], seen: dict[str, Any], label: str) -> expect.Wrong | None:
    leaves = jax.tree_util.tree_leaves_with_path(seen)
    empty = [path for path, leaf in leaves if leaf is NOTHING]
    if empty:
        part = empty[0][1:]
        devices = [path[0].key for path in empty if path[1:] == part]
        return expect.Wrong(
            f"{len(devices)} of them have no part of it; the first is {devices[0]}.",
            asked=f"{label} should give each of the {len(seen)} devices a part of "
            f"{jax.tree_util.keystr(part)}.",
            about=f"devices to which {label} gives nothing",
        )
    try:
        expect.trees_equal(seen, expected, label)
    except expect.Wrong as wrong:
        return wrong
    return None
