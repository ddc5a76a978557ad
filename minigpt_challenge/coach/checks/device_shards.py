"""What each device of a mesh holds: the same numbers everywhere, or a share each."""

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, Sharding

from minigpt_challenge.coach.checks import expect
from minigpt_challenge.coach.checks.diagnosis import Suspects

NOTHING = np.zeros(0)  # what a device holds of an array that lies elsewhere


def names(mesh: Mesh) -> list[str]:
    """What the mesh's devices are called here, in its order."""
    return [f"device {number}" for number in range(mesh.size)]


def held(tree: Any, mesh: Mesh) -> dict[str, Any]:
    """For each device of the mesh the same tree, with what that device holds of each leaf."""

    def of_one(leaf: Any, device: jax.Device) -> np.ndarray:
        if not isinstance(leaf, jax.Array):  # a plain number goes wherever it is needed
            return np.asarray(leaf)
        shards = {shard.device: shard.data for shard in leaf.addressable_shards}
        return np.asarray(shards[device]) if device in shards else NOTHING

    devices = zip(names(mesh), mesh.devices.flat, strict=True)
    return {
        name: jax.tree.map(lambda leaf, device=device: of_one(leaf, device), tree)
        for name, device in devices
    }


def cut(shardings: Any, tree: Any, mesh: Mesh) -> dict[str, Any]:
    """What each device would hold of the tree under these shardings, one for each leaf."""

    def of_one(sharding: Sharding, leaf: Any, device: jax.Device) -> np.ndarray:
        leaf = np.asarray(leaf)
        places = sharding.devices_indices_map(leaf.shape)
        return leaf[places[device]] if device in places else NOTHING

    devices = zip(names(mesh), mesh.devices.flat, strict=True)
    return {
        name: jax.tree.map(lambda s, leaf, device=device: of_one(s, leaf, device), shardings, tree)
        for name, device in devices
    }


def everywhere(tree: Any, mesh: Mesh) -> dict[str, Any]:
    """What each device would hold if all had all of it."""
    return dict.fromkeys(names(mesh), tree)


def all_hold(cases: Iterable[tuple[dict, dict, str, Suspects]]) -> None:
    """In every case each device holds what it should; else the likely cause is looked for.

    Args:
        cases: what each device should hold and what it does hold, as `held` has it; what was
            called, in words; the mistakes that may explain a difference.
    """
    wrong, evidence = None, []
    try:
        for expected, seen, of, suspects in cases:
            evidence.append((seen, suspects))
            wrong = wrong or _difference(expected, seen, of)
    except Exception:
        if wrong is None:
            raise
    if wrong:  # what no longer ran after it may be its consequence
        raise expect.explained(wrong, evidence)


def _difference(expected: dict[str, Any], seen: dict[str, Any], of: str) -> expect.Wrong | None:
    leaves = jax.tree_util.tree_leaves_with_path(seen)
    bare = [path for path, leaf in leaves if leaf is NOTHING]
    if bare:
        part = bare[0][1:]
        without = [path[0].key for path in bare if path[1:] == part]
        return expect.Wrong(
            f"{len(without)} hold nothing, {without[0]} first.",
            asked=f"{of} should give each of the {len(seen)} devices something to hold of "
            f"{jax.tree_util.keystr(part)}.",
        )
    try:
        expect.trees_equal(seen, expected, of)
    except expect.Wrong as wrong:
        return wrong
    return None
