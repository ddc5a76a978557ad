"""Mistakes in the embedding (task 1), in plain NumPy."""

import numpy as np

from minigpt_challenge.coach.checks.diagnosis import Fault, Suspects, ids

TABLES = (
    Fault(
        "position_forgotten",
        "without the position table",
        "The same token would be the same vector wherever it stands: add a row that says where.",
    ),
    Fault(
        "token_forgotten",
        "without the token table",
        "Every text would look alike: the vector has to say what stands there, too.",
    ),
    Fault(
        "token_of_position",
        "looking the token table up by the position in place of the token",
        "Row v of the token table belongs to token v, wherever it stands.",
    ),
)

POSITIONS = (
    Fault(
        "position_of_token",
        "looking the position table up by the token in place of its position",
        "Row t of the position table belongs to position t, whichever token stands there.",
    ),
    Fault(
        "position_zero",
        "with the row of position 0 at every position",
        "The positions are the numbers 0 … T - 1, a different one for each token of a row.",
    ),
    Fault(
        "position_of_batch",
        "looking the position table up by the place in the batch",
        "The rows of a batch are texts that know nothing of each other: positions are counted "
        "along the second axis, T.",
    ),
    Fault(
        "positions_through_batch",
        "counting the positions on from one row of the batch to the next",
        "Every row of a batch is a text of its own, and starts at position 0.",
    ),
    Fault(
        "positions_reversed",
        "counting the positions from the right",
        "The first token of a row stands at position 0, the last at T - 1.",
    ),
    Fault(
        "positions_shifted",
        "counting the positions from 1",
        "The first row of a table is row 0; counted from 1, the last position falls out of it.",
    ),
    Fault(
        "positions_at_the_end",
        "using the last T rows of the position table in place of the first",
        "A text shorter than block_size starts at position 0 like any other.",
    ),
)

JOINING = (
    Fault(
        "tables_multiplied",
        "multiplying the two vectors in place of adding them",
        "In a sum the two speak side by side; in a product a 0 in one of them silences the other.",
    ),
    Fault(
        "tables_subtracted",
        "subtracting the position's vector in place of adding it",
        "What is asked for is the sum.",
    ),
    Fault(
        "tables_concatenated",
        "with the two vectors side by side in place of their sum",
        "Both vectors have the length C, and so has their sum.",
    ),
)

SCALE = (
    Fault(
        "averaged",
        "halving the sum, which makes it the mean",
        "What is asked for is the plain sum; its size is for the training to find.",
    ),
    Fault(
        "token_scaled",
        "multiplying the token's vector by √hidden_dim",
        "The transformer of 2017 does so; GPT-2, and this task, add the two rows as they are.",
    ),
    Fault(
        "sum_scaled",
        "multiplying the sum by √hidden_dim",
        "What is asked for is the plain sum of the two rows.",
    ),
    Fault(
        "sum_scaled_down",
        "dividing the sum by √hidden_dim",
        "What is asked for is the plain sum; dividing by a root belongs to attention's scores.",
    ),
)

FAULTS = TABLES + POSITIONS + JOINING + SCALE
# A forgotten table is looked up nowhere.
ALTERNATIVES = ids((TABLES[0], *POSITIONS), TABLES[1:], JOINING, SCALE)


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
        here = np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape)  # (B, T)
        index = here if "token_of_position" in faults else tokens
        what = _rows(tables["token"], index)  # (B, T, C)
        where = _rows(tables["position"], _positions(faults, tokens, len(tables["position"])))
        return _joined(faults, what, where)

    return Suspects(FAULTS, compute, ALTERNATIVES)


def _positions(faults: frozenset[str], tokens: np.ndarray, block_size: int) -> np.ndarray:
    """Which row of the position table is looked up for each token: (B, T)."""
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


def _joined(faults: frozenset[str], what: np.ndarray, where: np.ndarray) -> np.ndarray:
    """(B, T, C) twice → (B, T, C), or (B, T, 2·C) where they are put side by side."""
    join, scale = _chosen(faults, JOINING), _chosen(faults, SCALE)
    alone = faults & {"position_forgotten", "token_forgotten"}
    if alone and (len(alone) == 2 or join in ("tables_multiplied", "tables_concatenated")):
        raise ValueError("nothing is left to be joined")
    # What scales the token scales the product, and the token alone, as a whole.
    if scale == "token_scaled" and (alone or join == "tables_multiplied"):
        raise ValueError("the same as sum_scaled")
    root = what.shape[-1] ** 0.5
    if scale == "token_scaled":
        what = root * what
    if "token_forgotten" in faults:
        what = 0 * what
    if "position_forgotten" in faults:
        where = 0 * where
    if join == "tables_multiplied":
        both = what * where
    elif join == "tables_subtracted":
        both = what - where
    elif join == "tables_concatenated":
        both = np.concatenate([what, where], axis=-1)
    else:
        both = what + where
    factors = {"averaged": 0.5, "sum_scaled": root, "sum_scaled_down": 1 / root}
    return factors.get(scale, 1.0) * both


def _chosen(faults: frozenset[str], group: tuple[Fault, ...]) -> str | None:
    """The fault of this group, in which each excludes the others."""
    return next((fault.id for fault in group if fault.id in faults), None)


def _rows(table: np.ndarray, index: np.ndarray) -> np.ndarray:
    """(rows, C) looked up by (B, T) → (B, T, C); undefined where there is no such row.

    JAX clamps such an index or fills in NaN, depending on how the row is looked up.
    """
    exists = (0 <= index) & (index < len(table))
    return np.where(exists[..., None], table[np.where(exists, index, 0)], np.nan)
