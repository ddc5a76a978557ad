"""Mistakes in the embedding (task 1), in plain NumPy."""

import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Fault, Suspects, ids
from minigpt_challenge.coach.checks.faults.catalogue.embedding import (
    JOINING,
    POSITIONS,
    SCALE,
    TABLES,
)

FAULTS = TABLES + POSITIONS + JOINING + SCALE
# A table that is left out cannot be indexed wrongly, nor one that is exchanged.
ALTERNATIVES = (
    *ids((TABLES[0], *TABLES[3:], *POSITIONS), TABLES[1:], JOINING, SCALE),
    frozenset({"token_of_position", "position_of_token"}),  # as with their sizes swapped
)


def embedding_suspects(
    token_table: np.ndarray, position_table: np.ndarray, tokens: np.ndarray
) -> Suspects:
    """The mistakes in task 1: tokens (B, T) → (B, T, C).

    Args:
        token_table: (V, C).
        position_table: (block_size, C).
        tokens: (B, T).
    """
    tables = {"token": np.asarray(token_table), "position": np.asarray(position_table)}
    tokens = np.asarray(tokens)

    def compute(faults: frozenset[str]) -> np.ndarray:
        positions = np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape)  # (B, T)
        token_table, position_table = tables["token"], tables["position"]
        if "tables_swapped" in faults:
            token_table, position_table = position_table, token_table
        if "one_table_for_both" in faults:
            position_table = token_table
        index = positions if "token_of_position" in faults else tokens
        token_rows = _rows(token_table, index)  # (B, T, C)
        index = _positions(faults, tokens, len(tables["position"]))
        return _join(faults, token_rows, _rows(position_table, index))

    return Suspects(FAULTS, compute, ALTERNATIVES)


def _positions(faults: frozenset[str], tokens: np.ndarray, block_size: int) -> np.ndarray:
    """The index into the position table for each token: (B, T)."""
    B, T = tokens.shape
    t = np.arange(T)
    rows = {
        "position_of_token": tokens,
        "position_zero": 0 * t,
        "position_of_batch": np.arange(B)[:, None],
        "positions_through_batch": np.arange(B)[:, None] * T + t,
        "positions_reversed": T - 1 - t,
        "positions_shifted": t + 1,
        "positions_at_the_end": t + block_size - T,
    }
    chosen = _chosen(faults, POSITIONS)
    return np.broadcast_to(rows.get(chosen, t), tokens.shape)


def _join(faults: frozenset[str], token_rows: np.ndarray, position_rows: np.ndarray) -> np.ndarray:
    """(B, T, C) twice → (B, T, C), or (B, T, 2·C) if they are concatenated."""
    join, scale = _chosen(faults, JOINING), _chosen(faults, SCALE)
    alone = faults & {"position_forgotten", "token_forgotten"}
    if alone and (len(alone) == 2 or join in ("tables_multiplied", "tables_concatenated")):
        raise ValueError("nothing is left to join")
    # Scaling the token scales a product, or the token alone, as a whole.
    if scale == "token_scaled" and (alone or join == "tables_multiplied"):
        raise ValueError("the same as sum_scaled")
    root = token_rows.shape[-1] ** 0.5
    if scale == "token_scaled":
        token_rows = root * token_rows
    if "token_forgotten" in faults:
        token_rows = 0 * token_rows
    if "position_forgotten" in faults:
        position_rows = 0 * position_rows
    if join == "tables_multiplied":
        joined = token_rows * position_rows
    elif join == "tables_subtracted":
        joined = token_rows - position_rows
    elif join == "tables_concatenated":
        joined = np.concatenate([token_rows, position_rows], axis=-1)
    else:
        joined = token_rows + position_rows
    factors = {"averaged": 0.5, "sum_scaled": root, "sum_scaled_down": 1 / root}
    return factors.get(scale, 1.0) * joined


def _chosen(faults: frozenset[str], group: tuple[Fault, ...]) -> str:
    """The id of the one fault of this group, empty if none; they exclude each other."""
    return next((fault.id for fault in group if fault.id in faults), "")


def _rows(table: np.ndarray, index: np.ndarray) -> np.ndarray:
    """(rows, C) indexed by (B, T) → (B, T, C); NaN where there is no such row.

    JAX clamps such an index or fills in NaN, depending on how the table is indexed.
    """
    exists = (0 <= index) & (index < len(table))
    return np.where(exists[..., None], table[np.where(exists, index, 0)], np.nan)
