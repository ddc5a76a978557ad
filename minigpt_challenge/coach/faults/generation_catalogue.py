"""The mistakes people make in generating text (task 6), and what mends each."""

from minigpt_challenge.coach.diagnosis import Fault

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

KEYS = (
    Fault(
        "one_key_for_all",
        "with the same random number at every step",
        "`jax.random.split(random_key, num_tokens)` makes a key for each step; let `scan` walk "
        "along them.",
    ),
)

PAST_THE_BLOCK = (
    Fault(
        "position_grows_on",
        "with positions that grow past block_size",
        "There are block_size positions and no more: once the window is full, it slides, and its "
        "last token stands at block_size - 1.",
    ),
    Fault(
        "last_place_overwritten",
        "past block_size with each token put in the place of the last one, the others staying "
        "where they are",
        "All tokens move one to the front, the oldest falls out, then the newest comes in at the "
        "end. Their positions are new, so the whole window is read again.",
    ),
    Fault(
        "cache_reused",
        "past block_size with the old keys and values moved along and used again",
        "They were computed with the positions their tokens had then; each token now stands one "
        "position further to the front. Read the whole window again.",
    ),
    Fault(
        "started_afresh",
        "past block_size with positions that start again at 0, so that nothing is seen of what "
        "came before",
        "The last block_size tokens are the context, at every step: slide the window, and read it.",
    ),
    Fault(
        "slid_without_the_token",
        "past block_size with a window that slides and does not take in the newest token",
        "The newest token stands at the window's end; `jnp.roll` brings the oldest there.",
    ),
    Fault(
        "window_not_filled",
        "with tokens that are read while there is room, and not noted in the window",
        "The window is read again once it slides, so every token has to be in it from the start.",
    ),
    Fault(
        "slides_too_late",
        "with the window sliding one step too late",
        "With `length` tokens in the window there is room for one more if length < block_size.",
    ),
    Fault(
        "slides_too_early",
        "with the window sliding one step too early",
        "With `length` tokens in the window there is room for one more if length < block_size.",
    ),
)

PROMPT = (
    Fault(
        "beginning_of_the_prompt",
        "with the first block_size tokens of a long prompt read, in place of the last",
        "What comes next depends on what came last: prompt[-block_size:].",
    ),
    Fault(
        "prompt_not_read",
        "with only the last token of the prompt read",
        "The whole prompt goes into the cache first; one call of the model reads it.",
    ),
    Fault(
        "logits_of_the_filling",
        "with the first token drawn from the logits at the end of the window, where the prompt is "
        "filled up",
        "The last token that counts stands at length - 1.",
    ),
    Fault(
        "logits_one_late",
        "with the first token drawn from the logits behind the prompt's last token",
        "Counted from 0, the last token that counts stands at length - 1.",
    ),
    Fault(
        "filled_up_in_front",
        "with the filling in front of the prompt, and read like text",
        "Filling behind the prompt is seen by no token of it. In front, it is text.",
    ),
    Fault(
        "last_token_read_twice",
        "with the last token of the prompt read a second time, as if it stood there twice",
        "The window's logits at length - 1 are those for the first new token already.",
    ),
)

STEP = (
    Fault(
        "cache_not_carried",
        "with the new cache thrown away at every step",
        "What one step writes, the next must find: the caches belong into the carry of the scan.",
    ),
    Fault(
        "position_one_late",
        "with each new token read one position too late, so that a gap is left",
        "The first new token stands right behind the prompt: at `length`, counted from 0.",
    ),
    Fault(
        "position_one_early",
        "with each new token read one position too early, over the one before it",
        "The first new token stands right behind the prompt: at `length`, counted from 0.",
    ),
    Fault(
        "position_stands_still",
        "with every new token read at the same position",
        "Each token stands one further than the one before: carry the length, and count it up.",
    ),
)
