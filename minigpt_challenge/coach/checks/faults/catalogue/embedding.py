"""Common mistakes in the embedding (task 1), and how to fix each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

TABLES = (
    Fault(
        "position_forgotten",
        "without the position table",
        "Without it, a token has the same vector at every position: add the position's row.",
    ),
    Fault(
        "token_forgotten",
        "without the token table",
        "Without it, all texts look alike: add the token's row.",
    ),
    Fault(
        "token_of_position",
        "when the token table is indexed by the position instead of the token",
        "Row v of the token table belongs to token v, at every position.",
    ),
    Fault(
        "tables_swapped",
        "when tokens index the table of block_size rows, and positions that of vocab_size rows",
        "There is a row for each token and a row for each position: the token table needs "
        "vocab_size rows, the position table block_size.",
    ),
    Fault(
        "one_table_for_both",
        "when tokens and positions index the same table",
        "Token 3 and position 3 have nothing in common: each needs a table of its own.",
    ),
)

POSITIONS = (
    Fault(
        "position_of_token",
        "when the position table is indexed by the token instead of its position",
        "Row t of the position table belongs to position t, whichever token is there.",
    ),
    Fault(
        "position_zero",
        "with the row of position 0 at every position",
        "The positions are the numbers 0 … T - 1, a different one for each token of a row.",
    ),
    Fault(
        "position_of_batch",
        "when the position table is indexed by the row's number in the batch",
        "The rows of a batch are independent texts: count positions along the second axis, T.",
    ),
    Fault(
        "positions_through_batch",
        "when the positions continue from one row of the batch to the next",
        "Every row of a batch is a separate text, and starts at position 0.",
    ),
    Fault(
        "positions_reversed",
        "when the positions are counted from the right",
        "The first token of a row is at position 0, the last at T - 1.",
    ),
    Fault(
        "positions_shifted",
        "when the positions are counted from 1",
        "The first row of a table is row 0; counted from 1, the last position is out of range.",
    ),
    Fault(
        "positions_at_the_end",
        "with the last T rows of the position table instead of the first",
        "A text shorter than block_size starts at position 0 like any other.",
    ),
)

JOINING = (
    Fault(
        "tables_multiplied",
        "when the two vectors are multiplied instead of added",
        "In a sum both vectors count; in a product a 0 in one of them erases the other.",
    ),
    Fault(
        "tables_subtracted",
        "when the position's vector is subtracted instead of added",
        "The task asks for the sum.",
    ),
    Fault(
        "tables_concatenated",
        "when the two vectors are concatenated instead of added",
        "Both vectors have the length C, and so has their sum.",
    ),
)

SCALE = (
    Fault(
        "averaged",
        "when the sum is halved, which makes it the mean",
        "The task asks for the plain sum; training finds its scale.",
    ),
    Fault(
        "token_scaled",
        "when the token's vector is multiplied by √hidden_dim",
        "The original Transformer of 2017 does so; GPT-2, and this task, add the two rows as they "
        "are.",
    ),
    Fault(
        "sum_scaled",
        "when the sum is multiplied by √hidden_dim",
        "The task asks for the plain sum of the two rows.",
    ),
    Fault(
        "sum_scaled_down",
        "when the sum is divided by √hidden_dim",
        "The task asks for the plain sum; dividing by a square root belongs to attention's scores.",
    ),
)
