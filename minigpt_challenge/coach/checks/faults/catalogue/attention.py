"""Common mistakes in attention (tasks 2 and 3), and how to fix each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

SCORES = (
    Fault(
        "scale_missing",
        "without dividing the scores by √head_dim",
        "A dot product of H terms grows like √H; unscaled, it makes the softmax nearly one-hot.",
    ),
    Fault(
        "scale_by_hidden_dim",
        "when the scores are divided by √hidden_dim instead of √head_dim",
        "q·k is a sum of head_dim terms, so its typical size is √head_dim.",
    ),
    Fault(
        "scale_without_root",
        "when the scores are divided by head_dim instead of its square root",
        "The standard deviation of a sum of H random terms grows like √H, not H.",
    ),
    Fault(
        "scale_inverted",
        "when the scores are multiplied by √head_dim instead of divided by it",
        "The scaling should make large dot products smaller.",
    ),
    Fault(
        "scale_after_softmax",
        "when the weights are divided by √head_dim after the softmax, instead of the scores before "
        "it",
        "After the softmax each row should sum to 1; scale the scores before it.",
    ),
    Fault(
        "query_key_swapped",
        "with query and key swapped",
        "Row t of the scores belongs to the position that asks: query t against every key.",
    ),
    Fault(
        "key_is_query",
        "when the query projection is used for the keys too",
        "Query and key each have their own projection: what a position looks for is not what it "
        "offers.",
    ),
    Fault(
        "query_is_key",
        "when the key projection is used for the queries too",
        "Query and key each have their own projection: what a position looks for is not what it "
        "offers.",
    ),
)

MASK = (
    Fault(
        "mask_missing",
        "without the causal mask",
        "Position t may see only positions 0 … t: hide the rest before the softmax.",
    ),
    Fault(
        "mask_reversed",
        "with the mask reversed, so that the past is hidden and the future is visible",
        "In row t, keep the columns s ≤ t: the lower triangle.",
    ),
    Fault(
        "mask_inverted",
        "with the mask inverted: it hides what should stay, and keeps what should be hidden",
        "`jnp.where(condition, a, b)` returns a where the condition is true: the scores where "
        "s ≤ t.",
    ),
    Fault(
        "mask_strict",
        "with a mask that also hides each position from itself",
        "Keep the diagonal: position t sees itself, and position 0 has nothing else to see.",
    ),
    Fault(
        "mask_loose",
        "with a mask that lets every position see one step into the future",
        "Keep columns up to the diagonal: s ≤ t, not s ≤ t + 1.",
    ),
    Fault(
        "mask_zero",
        "with hidden scores set to 0 instead of −∞",
        "exp(0) is 1, so a score of 0 still gets weight; exp(−∞) is 0.",
    ),
    Fault(
        "mask_after_softmax",
        "with the mask applied after the softmax",
        "Then the rows no longer sum to 1. Mask the scores first, and the softmax distributes a "
        "weight of 1 among the visible positions.",
    ),
)

WEIGHTS = (
    Fault(
        "softmax_over_queries",
        "with the softmax over the query axis T instead of the key axis S",
        "Each query distributes a weight of 1 among the keys: every row sums to 1 over its last "
        "axis.",
    ),
    Fault(
        "softmax_over_batch",
        "with the softmax over the batch axis",
        "Rows of a batch must not mix: apply the softmax over the keys, the last axis.",
    ),
    Fault(
        "softmax_missing",
        "without the softmax",
        "Scores can be any real numbers; the softmax turns each row into weights that sum to 1.",
    ),
    Fault(
        "weights_transposed",
        "when the weights are transposed before they are multiplied by the values",
        "Row t of the weights says how much position t takes from each s.",
    ),
    Fault(
        "value_unprojected",
        "with x itself instead of value(x) in the weighted sum",
        "Each position hands over its value projection.",
    ),
    Fault(
        "value_is_key",
        "with the keys instead of the values in the weighted sum",
        "The keys decide how much is taken; the values are what is taken.",
    ),
    Fault(
        "value_is_query",
        "with the queries instead of the values in the weighted sum",
        "The queries decide how much is taken; the values are what is taken.",
    ),
)

HEAD = SCORES + MASK + WEIGHTS

JOINING = (
    Fault(
        "dense_missing",
        "without the output projection, `dense`",
        "The heads' outputs are only concatenated until `dense` mixes them.",
    ),
    Fault(
        "dense_twice",
        "with `dense` applied twice",
        "Once is enough.",
    ),
    Fault(
        "heads_reversed",
        "with the heads concatenated in reverse order",
        "Head 0 comes first: `dense` learns which columns belong to which head.",
    ),
    Fault(
        "first_head_repeated",
        "when the first head is used for all heads",
        "Each head has its own weights: run every one of them on x.",
    ),
    Fault(
        "heads_interleaved",
        "with the heads interleaved, column by column",
        "Head n owns the H columns from n·H on: the axes are (…, N, H), not (…, H, N).",
    ),
)

SPLITTING = (
    Fault(
        "scale_by_width",
        "when the scores are divided by √(num_heads · head_dim) instead of √head_dim",
        "Each head's dot product has head_dim terms, however many heads there are.",
    ),
    Fault(
        "softmax_over_heads",
        "with the softmax over the heads",
        "Apply the softmax over the keys S, separately for each head and query.",
    ),
    Fault(
        "split_without_transpose",
        "when (B, T, N·H) is reshaped straight to (B, N, T, H)",
        "A reshape keeps the elements in order: reshape to (B, T, N, H), then transpose.",
    ),
    Fault(
        "split_interleaved",
        "when the columns are split into (…, head_dim, num_heads), so that each head gets every "
        "num_heads-th of them",
        "Head n owns the H columns from n·H on: split them into (…, N, H).",
    ),
    Fault(
        "query_split_without_transpose",
        "when only the queries are reshaped straight from (B, T, N·H) to (B, N, T, H)",
        "A reshape keeps the elements in order: reshape to (B, T, N, H), then transpose.",
    ),
    Fault(
        "key_split_without_transpose",
        "when only the keys are reshaped straight from (B, T, N·H) to (B, N, T, H)",
        "A reshape keeps the elements in order: reshape to (B, T, N, H), then transpose.",
    ),
    Fault(
        "value_split_without_transpose",
        "when only the values are reshaped straight from (B, T, N·H) to (B, N, T, H)",
        "A reshape keeps the elements in order: reshape to (B, T, N, H), then transpose.",
    ),
    Fault(
        "joined_without_transpose",
        "when (B, N, T, H) is reshaped straight to (B, T, N·H)",
        "A reshape keeps the elements in order: transpose to (B, T, N, H) first.",
    ),
    Fault(
        "joined_interleaved",
        "when the heads' outputs are interleaved column by column, from (B, T, H, N)",
        "Head n owns the H columns from n·H on: the axes to merge are (N, H), in this order.",
    ),
    Fault(
        "sizes_swapped",
        "when the columns are split into head_dim heads of num_heads columns each",
        "There are N heads of H columns: use (…, N, H) in both the reshape and the einsum.",
    ),
    Fault(
        "heads_share_scores",
        "with the scores summed over the heads, so that all heads share the same weights",
        "einsum sums over every letter that is missing after the arrow: keep N.",
    ),
    Fault(
        "values_unmixed",
        "when each position keeps its own value, whatever the weights",
        "Each value belongs to a key: its time axis is S, and the sum runs over S.",
    ),
)
