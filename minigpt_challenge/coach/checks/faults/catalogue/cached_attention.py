"""Common mistakes in attention with a cache (task 6), and how to fix each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

SCALE = (
    Fault(
        "scale_missing",
        "without dividing the scores by √head_dim",
        "The scores are scaled as in task 3.",
    ),
    Fault(
        "scaled_by_input_width",
        "when the scores are divided by √C, the square root of x's width",
        "Divide by √H, as in task 3: each score is a sum of H terms.",
    ),
    Fault(
        "scaled_by_whole_width",
        "when the scores are divided by √(N·H)",
        "Divide by √H, as in task 3: each score of a head is a sum of H terms.",
    ),
)

MASK = (
    Fault(
        "mask_without_position",
        "with a mask that counts the new tokens from 0",
        "The first new token is at `position`, so it sees keys 0 to `position`.",
    ),
    Fault(
        "mask_of_the_first",
        "when every new token sees the keys up to `position` only, as the first of them does",
        "Row i of the mask belongs to the token at `position + i`: compare s with "
        "`position + jnp.arange(T)[:, None]`.",
    ),
    Fault(
        "mask_missing",
        "without a mask, so that each token sees the whole cache, even what is not written yet",
        "Cache entries after a token's position hold later text, or nothing: mask them.",
    ),
    Fault(
        "mask_up_to_the_last",
        "when every new token sees all the new tokens",
        "When several tokens are read at once, each still sees only itself and those before it.",
    ),
    Fault(
        "mask_strict",
        "when each token is hidden from itself",
        "A token sees itself, too: the comparison is “less or equal”.",
    ),
    Fault(
        "one_ahead_visible",
        "when each token also sees the position after it",
        "The token at position t sees keys 0 to t, which are t + 1 of them.",
    ),
)

SOFTMAX = (
    Fault(
        "hidden_scores_zero",
        "with hidden scores set to 0 instead of -∞",
        "exp(0) is 1, so a score of 0 still gets weight; exp(-∞) is 0.",
    ),
    Fault(
        "softmax_over_queries",
        "with the softmax over the query axis T instead of the key axis S",
        "Each token distributes a weight of 1 among the keys: apply the softmax over S, the last "
        "axis.",
    ),
)

READ = (
    Fault(
        "written_at_zero",
        "when the new keys and values are written at the start of the cache, whatever the position",
        "Write them at `position` along axis 1, time: `jax.lax.dynamic_update_slice_in_dim` takes "
        "an index that is known only at run time.",
    ),
    Fault(
        "cache_not_read",
        "with attention to the new tokens only",
        "Compute scores against all keys in the cache, the new ones included.",
    ),
    Fault(
        "new_not_read",
        "with attention to the cache as it was before the new tokens were written into it",
        "Write first, then attend: a token sees itself.",
    ),
    Fault(
        "keys_and_values_swapped",
        "with keys and values swapped",
        "Scores come from queries and keys; the weighted sum is over the values.",
    ),
)

RETURNED = (
    Fault(
        "old_cache_returned",
        "when the cache is returned unchanged",
        "JAX arrays are immutable: return a KeyValueCache of the updated ones.",
    ),
)
