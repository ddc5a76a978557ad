"""The mistakes people make in the loss and the training step (task 5), and what mends each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

LABELS = (
    Fault(
        "labels_are_inputs",
        "with x for the labels in place of y",
        "The model sees x already; what it should foretell is the token after it, which is y.",
    ),
    Fault(
        "inputs_labels_swapped",
        "with x and y swapped: y goes into the model, and x is what it should foretell",
        "The model reads x; y is what came after.",
    ),
    Fault(
        "labels_shifted",
        "with the labels shifted once more: the last logits and the first of y are cut off",
        "y is shifted already: y[:, t] is the token that came after x[:, t].",
    ),
    Fault(
        "labels_rolled",
        "with y rolled by one position",
        "y is shifted already: y[:, t] is the token that came after x[:, t].",
    ),
    Fault(
        "labels_from_x",
        "with x, shifted by one, for the labels in place of y",
        "That leaves out the last position; y holds what came after every one of them.",
    ),
)

MEASURE = (
    Fault(
        "softmax_twice",
        "with the softmax applied twice: probabilities are taken for logits",
        "The cross-entropy of optax, and log_softmax too, start from raw logits.",
    ),
    Fault(
        "softmax_missing",
        "without the softmax: the true token's logit is taken for its log-probability",
        "Logits are any real numbers; log_softmax turns them into log-probabilities.",
    ),
    Fault(
        "log_missing",
        "without the logarithm: the probability of the true token, negated, is the loss",
        "Surprise is -log p, which grows without bound as p goes to 0.",
    ),
    Fault(
        "log_base_2",
        "with the logarithm to base 2",
        "That measures in bits; asked for are nats, the natural logarithm.",
    ),
    Fault(
        "squared_error_of_logits",
        "with the mean squared error between logits and one-hot labels",
        "Tokens are classes, not quantities: the cross-entropy compares a distribution with one.",
    ),
    Fault(
        "squared_error",
        "with the mean squared error between probabilities and one-hot labels",
        "Asked for is the cross-entropy, -log of the true token's probability.",
    ),
    Fault(
        "sigmoid",
        "with a sigmoid for every token of the vocabulary in place of one softmax over them",
        "Exactly one token comes next, so the probabilities share out 1 among them.",
    ),
    Fault(
        "softmax_over_time",
        "with the softmax over the time axis T in place of the vocabulary V",
        "Each position has a distribution of its own over the vocabulary, the last axis.",
    ),
    Fault(
        "softmax_over_batch",
        "with the softmax over the batch axis in place of the vocabulary V",
        "Rows of a batch should not meet: the softmax runs over the vocabulary, the last axis.",
    ),
)

COUNTED = (
    Fault(
        "last_position_only",
        "counting the last position only",
        "All T positions foretell their next token; each is something to learn from.",
    ),
    Fault(
        "first_row_only",
        "counting the first row of the batch only",
        "The loss is the mean over all B·T predictions.",
    ),
    Fault(
        "token_0_ignored",
        "leaving out the places where y is 0",
        "Nothing is padded here: token 0 is a character like any other.",
    ),
)

REDUCTION = (
    Fault(
        "loss_summed",
        "with the loss summed in place of averaged",
        "A sum grows with B·T, and the gradient with it; a mean does not.",
    ),
    Fault(
        "summed_over_time",
        "with the loss summed over time, and averaged over the batch alone",
        "A sum over T grows with the length of the text: average over both axes.",
    ),
    Fault(
        "summed_over_batch",
        "with the loss summed over the batch, and averaged over time alone",
        "A sum over B grows with the size of the batch: average over both axes.",
    ),
    Fault(
        "averaged_over_vocabulary",
        "with the loss averaged over the vocabulary too, so that it is V times too small",
        "Of the V products with a one-hot label only one counts: sum them, then average over B "
        "and T.",
    ),
)

RESULT = (
    Fault(
        "sign_turned",
        "with the sign of the loss turned",
        "log p is negative, and surprise is -log p: the better the model, the smaller the loss.",
    ),
    Fault(
        "exponentiated",
        "with exp of the loss, the perplexity",
        "Asked for is the mean cross-entropy itself.",
    ),
)

LOSS = LABELS + MEASURE + COUNTED + REDUCTION + RESULT

GRADIENT = (
    Fault(
        "gradient_ascent",
        "with the gradients' sign turned, so that every step goes uphill",
        "The optimiser subtracts by itself; give it the gradients as they are.",
    ),
    Fault(
        "gradients_normalised",
        "with the gradients scaled to length 1",
        "Their length belongs to them: how far to go is the optimiser's business.",
    ),
    Fault(
        "gradients_clipped",
        "with the gradients clipped to a global norm of 1",
        "Clipping, where it is wanted, is part of the optimiser that the state carries.",
    ),
)

RATES = {f"by_hand_{rate:g}": rate for rate in (1.0, 0.1, 0.01, 0.001, 0.0003)}

BY_HAND = tuple(
    Fault(
        id,
        f"with {rate:g} · gradient subtracted by hand, whatever the state's optimiser is",
        "The state carries its optimiser, and knows how to apply it to gradients.",
    )
    for id, rate in RATES.items()
)

UPDATE = (
    Fault(
        "state_unchanged",
        "with the state unchanged: the update is lost",
        "A TrainState is immutable: the method that applies gradients returns a new one.",
    ),
    Fault(
        "params_unchanged",
        "with the old params in the new state",
        "What the optimiser returns is a change of the params; it has to be added to them.",
    ),
    Fault(
        "update_twice",
        "with the update applied twice",
        "One batch, one gradient, one update.",
    ),
    Fault(
        "opt_state_lost",
        "with the optimiser's new state thrown away",
        "Momentum lives in opt_state: the new one belongs into the new state.",
    ),
    Fault(
        "opt_state_fresh",
        "with an optimiser that starts anew at every step",
        "Momentum lives in opt_state: go on from the one that the state carries.",
    ),
    Fault(
        "state_created_anew",
        "with a TrainState created anew at every step, its opt_state empty and its step 0",
        "Go on from the state that you were given: all but what changes stays as it was.",
    ),
    *BY_HAND,
)

COUNT = (
    Fault(
        "step_not_counted",
        "without counting the step",
        "state.step says how many updates there have been; applying gradients counts it too.",
    ),
)

RETURNED = (
    Fault(
        "loss_after_update",
        "with the loss from after the update",
        "Return the loss that the gradient came from; a second forward pass is wasted.",
    ),
)

STEP = GRADIENT + UPDATE + COUNT + RETURNED
