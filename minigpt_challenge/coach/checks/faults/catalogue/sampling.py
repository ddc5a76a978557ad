"""Common mistakes in drawing a token (task 6), and how to fix each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

TEMPERATURE = (
    Fault(
        "temperature_multiplied",
        "when the logits are multiplied by the temperature",
        "Divided by a temperature below 1, the logits lie farther apart, and likely tokens become "
        "even likelier.",
    ),
    Fault(
        "temperature_ignored",
        "with a temperature of 1, whatever temperature is given",
        "Divide the logits by the temperature before a token is drawn.",
    ),
)

TOP_K = (
    Fault(
        "top_k_ignored",
        "with every token kept, whatever top_k is",
        "Tokens that are not among the k most probable get the logit -∞, a probability of 0.",
    ),
    Fault(
        "least_probable_kept",
        "with the k least probable tokens kept",
        "Sorting is ascending: the k largest logits are at the end.",
    ),
    Fault(
        "best_taken_out",
        "with the k most probable tokens removed",
        "Those are the ones to keep; the others get -∞.",
    ),
    Fault(
        "one_too_many_kept",
        "with k + 1 tokens kept",
        "The smallest logit to keep is the k-th largest, at index -k after an ascending sort.",
    ),
    Fault(
        "one_too_few_kept",
        "with k - 1 tokens kept",
        "Keep the k-th largest logit itself: only smaller ones get -∞.",
    ),
    Fault(
        "row_for_column",
        "when the sorted logits are indexed by row: `jnp.sort(logits)[-k]` is a row of a batch",
        "Take the k-th largest of each row, and keep the axis: `jnp.sort(logits)[..., -k, None]`.",
    ),
    Fault(  # on equal rows the same as always_the_best, except where top_k is not given
        "top_k_of_all_rows",
        "when the k largest logits are taken over all rows together",
        "Each row has its own k tokens: top_k works along the last axis.",
    ),
)

CHOICE = (
    Fault(
        "others_set_to_zero",
        "with the logit 0 instead of -∞ for the tokens that top_k leaves out",
        "exp(0) is 1, so a logit of 0 still has a probability; exp(-∞) is 0.",
    ),
    Fault(
        "softmax_twice",
        "with the softmax applied twice, since probabilities are passed as logits",
        "`jax.random.categorical` expects logits, and applies the softmax itself. Temperature and "
        "top_k work on logits, too.",
    ),
    Fault(
        "always_the_best",
        "when the most probable token is always chosen",
        "Only a temperature of 0 does that; otherwise `jax.random.categorical` draws.",
    ),
    Fault(
        "rank_for_token",
        "when a token's rank is returned instead of the token: 0 for the most probable",
        "A draw from the k best logits gives an index into them; the second result of "
        "`jax.lax.top_k` says which tokens they are. Or keep all V logits, and hide the others.",
    ),
    Fault(
        "logits_ignored",
        "when every token is equally likely, whatever the logits",
        "`jax.random.categorical(key, logits)` draws according to the logits.",
    ),
)

KEYS = (
    Fault(
        "one_key_for_all",
        "with the same random key at every step",
        "`jax.random.split(random_key, num_tokens)` makes a key for each step; let `scan` iterate "
        "over them.",
    ),
)
