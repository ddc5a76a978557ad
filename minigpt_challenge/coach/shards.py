"""What each device of a mesh holds: the same numbers everywhere, or a share each."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, Sharding

from minigpt_challenge.coach import expect
from minigpt_challenge.coach.diagnosis import Suspects

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


def each_device_holds(
    expected: dict[str, Any],
    seen: dict[str, Any],
    of: str,
    evidence: Sequence[tuple[Any, Suspects]] = (),
) -> None:
    """Every device holds what it should; both as `held` gives them.

    Args:
        expected: by the reference.
        seen: by the learner's code.
        of: what was called, in words.
        evidence: as for `expect.trees_equal`.
    """
    leaves = jax.tree_util.tree_leaves_with_path(seen)
    empty = {path[0].key: path[1:] for path, leaf in leaves if leaf is NOTHING}
    if empty:
        path = jax.tree_util.keystr(next(iter(empty.values())))
        raise expect.explained(
            f"{of} should leave something on every one of the {len(seen)} devices; of {path} "
            f"there is nothing on {', '.join(empty)}.",
            evidence,
        )
    expect.trees_equal(seen, expected, of, evidence)
