"""The mistakes people make in writing a text (task 6), and what mends each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

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
