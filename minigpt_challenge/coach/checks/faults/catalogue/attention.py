"""The mistakes people make in attention (tasks 2 and 3), and the thought that mends each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

SCORES = (
    Fault(
        "scale_missing",
        "without dividing the scores by √head_dim",
        "A dot product of H terms grows like √H; unscaled, the softmax becomes nearly one-hot.",
    ),
    Fault(
        "scale_by_hidden_dim",
        "dividing the scores by √hidden_dim in place of √head_dim",
        "What is summed in q·k are head_dim terms, so √head_dim is their typical size.",
    ),
    Fault(
        "scale_without_root",
        "dividing the scores by head_dim in place of its square root",
        "The spread of a sum of H random terms is √H, not H.",
    ),
    Fault(
        "scale_inverted",
        "multiplying the scores by √head_dim in place of dividing by it",
        "The scaling is there to make large dot products smaller.",
    ),
    Fault(
        "scale_after_softmax",
        "dividing the weights by √head_dim, after the softmax, in place of the scores before it",
        "After the softmax the rows should sum to 1; the scaling belongs before it.",
    ),
    Fault(
        "query_key_swapped",
        "with query and key swapped",
        "Row t of the scores belongs to the position that asks: query t against every key.",
    ),
    Fault(
        "key_is_query",
        "using the query projection for the keys as well",
        "Query and key have a projection each: what is sought is not what is shown.",
    ),
    Fault(
        "query_is_key",
        "using the key projection for the queries as well",
        "Query and key have a projection each: what is sought is not what is shown.",
    ),
)

MASK = (
    Fault(
        "mask_missing",
        "without the causal mask",
        "Position t may see only the positions 0 … t: hide the rest before the softmax.",
    ),
    Fault(
        "mask_reversed",
        "with the mask the wrong way round, so that the past is hidden and the future seen",
        "Row t, column s should stay where s <= t: the lower triangle.",
    ),
    Fault(
        "mask_inverted",
        "with the mask inverted: what should stay is hidden, and what should be hidden stays",
        "`jnp.where(condition, a, b)` takes a where the condition holds: the scores where s <= t.",
    ),
    Fault(
        "mask_strict",
        "with a mask that hides a position from itself too",
        "The diagonal stays: position t sees itself; position 0 has nothing else to see.",
    ),
    Fault(
        "mask_loose",
        "with a mask that lets every position see one step into the future",
        "The diagonal is the last that stays: s <= t, not s <= t + 1.",
    ),
    Fault(
        "mask_zero",
        "with hidden scores set to 0 in place of −∞",
        "exp(0) is 1, so a score of 0 still gets weight; exp(−∞) is 0.",
    ),
    Fault(
        "mask_after_softmax",
        "with the mask applied after the softmax",
        "Then the rows no longer sum to 1: hide the scores first, and let the softmax share out "
        "the whole weight among what is left.",
    ),
)

WEIGHTS = (
    Fault(
        "softmax_over_queries",
        "with the softmax over the query axis T in place of the key axis S",
        "Each query shares out a weight of 1 among the keys: every row sums to 1 over its last "
        "axis.",
    ),
    Fault(
        "softmax_over_batch",
        "with the softmax over the batch axis",
        "Rows of a batch should not meet: the softmax runs over the keys, the last axis.",
    ),
    Fault(
        "softmax_missing",
        "without the softmax",
        "Scores are any real numbers; the softmax turns each row into weights that sum to 1.",
    ),
    Fault(
        "weights_transposed",
        "with the weights transposed before they meet the values",
        "Row t of the weights says how much position t takes from each s.",
    ),
    Fault(
        "value_unprojected",
        "mixing x itself in place of value(x)",
        "What is handed over is the value projection of each position.",
    ),
    Fault(
        "value_is_key",
        "mixing the keys in place of the values",
        "The keys decide how much is taken; the values are what is taken.",
    ),
    Fault(
        "value_is_query",
        "mixing the queries in place of the values",
        "The queries decide how much is taken; the values are what is taken.",
    ),
)

HEAD = SCORES + MASK + WEIGHTS

JOINING = (
    Fault(
        "dense_missing",
        "without the last projection, `dense`",
        "The heads' outputs lie side by side until `dense` mixes them.",
    ),
    Fault(
        "dense_twice",
        "with `dense` applied twice",
        "Once is enough.",
    ),
    Fault(
        "heads_reversed",
        "with the heads joined in reverse order",
        "Head 0 comes first: `dense` learns which columns are whose.",
    ),
    Fault(
        "first_head_repeated",
        "using the first head for all heads",
        "Each head has weights of its own; every one of them should run on x.",
    ),
    Fault(
        "heads_interleaved",
        "with the heads interleaved, column by column",
        "Head n owns the columns n·H to (n + 1)·H, side by side: the axes are (…, N, H), not "
        "(…, H, N).",
    ),
)

SPLITTING = (
    Fault(
        "scale_by_width",
        "dividing the scores by √(num_heads · head_dim) in place of √head_dim",
        "Each head's dot product has head_dim terms, however many heads there are.",
    ),
    Fault(
        "softmax_over_heads",
        "with the softmax over the heads",
        "The softmax runs over the keys S, for each head and query apart.",
    ),
    Fault(
        "split_without_transpose",
        "reshaping (B, T, N·H) straight to (B, N, T, H)",
        "A reshape keeps the numbers in their order: first (B, T, N, H), then move the axes.",
    ),
    Fault(
        "query_split_without_transpose",
        "reshaping the queries, and they alone, from (B, T, N·H) straight to (B, N, T, H)",
        "A reshape keeps the numbers in their order: first (B, T, N, H), then move the axes.",
    ),
    Fault(
        "key_split_without_transpose",
        "reshaping the keys, and they alone, from (B, T, N·H) straight to (B, N, T, H)",
        "A reshape keeps the numbers in their order: first (B, T, N, H), then move the axes.",
    ),
    Fault(
        "value_split_without_transpose",
        "reshaping the values, and they alone, from (B, T, N·H) straight to (B, N, T, H)",
        "A reshape keeps the numbers in their order: first (B, T, N, H), then move the axes.",
    ),
    Fault(
        "joined_without_transpose",
        "reshaping (B, N, T, H) straight to (B, T, N·H)",
        "A reshape keeps the numbers in their order: first move the axes to (B, T, N, H).",
    ),
    Fault(
        "joined_interleaved",
        "with the heads' outputs joined column by column, from (B, T, H, N)",
        "Head n owns the columns n·H to (n + 1)·H: the axes to merge are (N, H), in this order.",
    ),
    Fault(
        "sizes_swapped",
        "splitting the columns into head_dim heads of num_heads columns each",
        "There are N heads of H columns: (…, N, H) in both the reshape and the einsum.",
    ),
    Fault(
        "heads_share_scores",
        "with the scores summed over the heads, so that all heads share the same weights",
        "A letter that is left out after the arrow is summed over: N has to stay.",
    ),
    Fault(
        "values_unmixed",
        "with each position keeping its own value, whatever the weights",
        "The values are the keys' companions: their time axis is S, and S is what is summed over.",
    ),
)
