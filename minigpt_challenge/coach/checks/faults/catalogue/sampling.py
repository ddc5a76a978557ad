"""The mistakes people make in drawing a token (task 6), and what mends each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

TEMPERATURE = (
    Fault(
        "temperature_multiplied",
        "with the logits multiplied by the temperature",
        "Divided by a temperature below 1, the logits lie farther apart, and likely tokens become "
        "likelier still.",
    ),
    Fault(
        "temperature_ignored",
        "with a temperature of 1, whatever was asked for",
        "The logits are divided by the temperature before a token is drawn.",
    ),
)

TOP_K = (
    Fault(
        "top_k_ignored",
        "with every token left in, whatever top_k says",
        "Tokens that are not among the k most probable get the logit -∞: no chance at all.",
    ),
    Fault(
        "least_probable_kept",
        "with the k least probable tokens kept",
        "A sort goes upwards; the k largest logits are at its end.",
    ),
    Fault(
        "best_taken_out",
        "with the k most probable tokens taken out",
        "These are the ones to keep: it is the others that get -∞.",
    ),
    Fault(
        "one_too_many_kept",
        "with k + 1 tokens kept",
        "The smallest logit to keep is the k-th largest, which after an upward sort is at -k.",
    ),
    Fault(
        "one_too_few_kept",
        "with k - 1 tokens kept",
        "The k-th largest logit itself stays in: only what is smaller than it gets -∞.",
    ),
    Fault(  # on equal rows it does what always_the_best does: then neither is claimed
        "top_k_of_all_rows",
        "with the k largest logits sought among all rows together",
        "Each row has k tokens of its own: top_k works along the last axis.",
    ),
)

CHOICE = (
    Fault(
        "others_set_to_zero",
        "with the logit 0 in place of -∞ for the tokens that top_k leaves out",
        "exp(0) is 1, so a logit of 0 is a chance like any other. exp(-∞) is 0.",
    ),
    Fault(
        "softmax_twice",
        "with the softmax applied twice: probabilities are taken for logits",
        "`jax.random.categorical` wants logits, and does the softmax itself. Temperature and top_k "
        "work on logits, too.",
    ),
    Fault(
        "always_the_best",
        "with the most probable token taken every time",
        "Only a temperature of 0 asks for that; else `jax.random.categorical` draws.",
    ),
    Fault(
        "rank_for_token",
        "with the rank of a token drawn in place of the token: 0 for the most probable",
        "What is drawn from the k best says which of these it is; the second result of "
        "`jax.lax.top_k` says which tokens they are. Or leave all V in place, and hide the others.",
    ),
    Fault(
        "logits_ignored",
        "with every token drawn equally often, whatever the logits say",
        "`jax.random.categorical(key, logits)` draws by the logits.",
    ),
)

KEYS = (
    Fault(
        "one_key_for_all",
        "with the same random number at every step",
        "`jax.random.split(random_key, num_tokens)` makes a key for each step; let `scan` walk "
        "along them.",
    ),
)
