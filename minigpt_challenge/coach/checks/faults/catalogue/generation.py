"""Common mistakes in generating text (task 6), and how to fix each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

PAST_THE_BLOCK = (
    Fault(
        "position_grows_on",
        "with positions that grow past block_size",
        "There are only block_size positions: once the window is full, it slides, and its last "
        "token is at block_size - 1.",
    ),
    Fault(
        "last_place_overwritten",
        "when each token past block_size overwrites the last one in the caches, and the others "
        "stay where they are",
        "All tokens move one position to the front, the oldest is dropped, and the newest comes in "
        "at the end. Their positions are new, so the whole window is read again.",
    ),
    Fault(
        "cache_reused",
        "when the old keys and values are shifted and used again past block_size",
        "They were computed with the tokens' old positions; each token is now one position further "
        "to the front. Read the whole window again.",
    ),
    Fault(
        "started_afresh",
        "when positions start again at 0 past block_size, so that the earlier text is not seen",
        "The last block_size tokens are the context, at every step: slide the window, and read it.",
    ),
    Fault(
        "slid_without_the_token",
        "when the window slides past block_size without taking in the newest token",
        "The newest token belongs at the window's end; `jnp.roll` puts the oldest there.",
    ),
    Fault(
        "slid_the_wrong_way",
        "when the window slides to the back: past block_size, the newest tokens are overwritten",
        "`jnp.roll(window, -1)` moves every token one place to the front and the oldest to the "
        "end, where the newest replaces it.",
    ),
    Fault(
        "window_not_filled",
        "when new tokens are read while there is room, but not written into the window",
        "The window is read again once it slides, so every token must be in it from the start.",
    ),
    Fault(
        "slides_too_late",
        "when the window slides one step too late",
        "With `length` tokens in the window there is room for one more if length < block_size.",
    ),
    Fault(
        "slides_too_early",
        "when the window slides one step too early",
        "With `length` tokens in the window there is room for one more if length < block_size.",
    ),
)

PROMPT = (
    Fault(
        "beginning_of_the_prompt",
        "when the first block_size tokens of a long prompt are read instead of the last",
        "The next token depends on the most recent ones: prompt[-block_size:].",
    ),
    Fault(
        "prompt_not_read",
        "when only the last token of the prompt is read",
        "Read the whole prompt into the cache first, in one call of the model.",
    ),
    Fault(
        "prompt_cache_dropped",
        "when the caches that reading the prompt returned are discarded, so that later tokens do "
        "not see it",
        "Go on with the caches that the call returned, not with empty ones.",
    ),
    Fault(
        "logits_of_the_filling",
        "when the first token is drawn from the logits at the end of the window, where the padding "
        "is",
        "The prompt's last token is at length - 1.",
    ),
    Fault(
        "logits_one_late",
        "when the first token is drawn from the logits one position after the prompt's last token",
        "Counted from 0, the prompt's last token is at length - 1.",
    ),
    Fault(
        "filled_up_in_front",
        "when the padding comes before the prompt and is read as text",
        "No token of the prompt sees padding that comes after it.",
    ),
    Fault(
        "last_token_read_twice",
        "when the last token of the prompt is read twice, as if it occurred twice",
        "The window's logits at length - 1 are already those for the first new token.",
    ),
)

STEP = (
    Fault(
        "cache_not_carried",
        "when the new cache is discarded at every step",
        "Each step needs what the previous one wrote: put the caches into the carry of the scan.",
    ),
    Fault(
        "position_one_late",
        "when each new token is read one position too late, which leaves a gap",
        "The first new token comes right after the prompt: at `length`, counted from 0.",
    ),
    Fault(
        "position_one_early",
        "when each new token is read one position too early and overwrites the one before it",
        "The first new token comes right after the prompt: at `length`, counted from 0.",
    ),
    Fault(
        "position_stands_still",
        "when every new token is read at the same position",
        "Each token is one position after the previous one: carry the length, and increment it.",
    ),
)
