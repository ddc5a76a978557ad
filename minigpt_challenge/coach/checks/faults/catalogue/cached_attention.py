"""The mistakes people make in attention with a cache (task 6), and what mends each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

SCALE = (
    Fault(
        "scale_missing",
        "without dividing the scores by √head_dim",
        "Nothing about the scores has changed since task 3.",
    ),
    Fault(
        "scaled_by_input_width",
        "with the scores divided by the square root of x's width, C",
        "It is √H that they are divided by, as in task 3: H numbers are summed in each score.",
    ),
    Fault(
        "scaled_by_whole_width",
        "with the scores divided by √(N·H)",
        "It is √H that they are divided by, as in task 3: a head sums H numbers in each score.",
    ),
)

MASK = (
    Fault(
        "mask_without_position",
        "with a mask that counts the new tokens from 0",
        "The first new token stands at `position`, so it sees the keys 0 to `position`.",
    ),
    Fault(
        "mask_missing",
        "without a mask: each token sees the whole cache, what is not written yet included",
        "What stands in the cache behind a token is later text, or nothing at all: hide it.",
    ),
    Fault(
        "mask_up_to_the_last",
        "with every new token seeing all the new tokens",
        "When several tokens are read at once, each still sees only itself and those before it.",
    ),
    Fault(
        "mask_strict",
        "with a token's own position hidden from it",
        "A token sees itself, too: the comparison is “less or equal”.",
    ),
    Fault(
        "one_ahead_visible",
        "with one position too many visible, the one after the token",
        "The token at position t sees the keys 0 to t, which are t + 1 of them.",
    ),
)

SOFTMAX = (
    Fault(
        "hidden_scores_zero",
        "with hidden scores set to 0 in place of -∞",
        "exp(0) is 1, so what is hidden still gets a share. exp(-∞) is 0.",
    ),
    Fault(
        "softmax_over_queries",
        "with the softmax over the queries, axis T",
        "Each token shares its attention out among the keys: the softmax is over S, the last axis.",
    ),
)

READ = (
    Fault(
        "written_at_zero",
        "with the new keys and values written at the start of the cache, whatever the position",
        "They belong at `position` along axis 1, time: `jax.lax.dynamic_update_slice_in_dim` takes "
        "a place that is only known when the program runs.",
    ),
    Fault(
        "cache_not_read",
        "with attention to the new tokens alone",
        "Scores are wanted against all keys in the cache, the new ones included.",
    ),
    Fault(
        "new_not_read",
        "with attention to the cache as it was, before the new tokens were written into it",
        "Write first, then attend: a token sees itself.",
    ),
    Fault(
        "keys_and_values_swapped",
        "with keys and values in each other's places",
        "Scores come from queries and keys; what is mixed are the values.",
    ),
)

RETURNED = (
    Fault(
        "old_cache_returned",
        "with the cache given back as it came",
        "JAX changes no array in place: return a KeyValueCache made of the new ones.",
    ),
)
