"""Common mistakes in the loss and the training step (task 5), and how to fix each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

LABELS = (
    Fault(
        "labels_are_inputs",
        "with x as the labels instead of y",
        "The model already sees x; it should predict the token after it, which is y.",
    ),
    Fault(
        "inputs_labels_swapped",
        "with x and y swapped: the model reads y and predicts x",
        "The model reads x; y holds the tokens that follow.",
    ),
    Fault(
        "labels_shifted",
        "with the labels shifted again: the last logits and the first labels are cut off",
        "y is already shifted: y[:, t] is the token after x[:, t].",
    ),
    Fault(
        "labels_rolled",
        "with y rolled by one position",
        "y is already shifted: y[:, t] is the token after x[:, t].",
    ),
    Fault(
        "labels_from_x",
        "with x, shifted by one, as the labels instead of y",
        "That leaves out the last position; y has a label for every position.",
    ),
    Fault(
        "every_label_everywhere",
        "when each prediction is compared with every label of the batch",
        "`log_probs[:, :, y]` has the shape (B, T, B, T). To pick one value along the last axis, "
        "write `jnp.take_along_axis(log_probs, y[..., None], axis=-1)`.",
    ),
)

MEASURE = (
    Fault(
        "softmax_twice",
        "with the softmax applied twice, since probabilities are passed as logits",
        "optax's cross-entropy and log_softmax both expect raw logits.",
    ),
    Fault(
        "softmax_missing",
        "without the softmax: the true token's logit is used as its log-probability",
        "Logits can be any real numbers; log_softmax turns them into log-probabilities.",
    ),
    Fault(
        "log_missing",
        "without the logarithm: the loss is the negated probability of the true token",
        "The cross-entropy is -log p, which grows without bound as p goes to 0.",
    ),
    Fault(
        "log_base_2",
        "with the logarithm to base 2",
        "That measures in bits; the task asks for nats, the natural logarithm.",
    ),
    Fault(
        "squared_error_of_logits",
        "with the mean squared error between logits and one-hot labels",
        "Tokens are classes, not quantities: use the cross-entropy, -log of the true token's "
        "probability.",
    ),
    Fault(
        "squared_error",
        "with the mean squared error between probabilities and one-hot labels",
        "The task asks for the cross-entropy, -log of the true token's probability.",
    ),
    Fault(
        "sigmoid",
        "with a sigmoid for every token of the vocabulary instead of one softmax over them",
        "Exactly one token comes next, so the probabilities should sum to 1.",
    ),
    Fault(
        "softmax_over_time",
        "with the softmax over the time axis T instead of the vocabulary axis V",
        "Each position has its own distribution over the vocabulary, the last axis.",
    ),
    Fault(
        "softmax_over_batch",
        "with the softmax over the batch axis B instead of the vocabulary axis V",
        "Rows of a batch must not mix: apply the softmax over the vocabulary, the last axis.",
    ),
)

COUNTED = (
    Fault(
        "last_position_only",
        "when only the last position counts",
        "All T positions predict their next token, and the model learns from each of them.",
    ),
    Fault(
        "first_row_only",
        "when only the first row of the batch counts",
        "The loss is the mean over all B·T predictions.",
    ),
    Fault(
        "token_0_ignored",
        "when positions where y is 0 are left out",
        "There is no padding here: token 0 is a character like any other.",
    ),
)

REDUCTION = (
    Fault(
        "loss_summed",
        "with the loss summed instead of averaged",
        "A sum grows with B·T, and the gradient with it; a mean does not.",
    ),
    Fault(
        "summed_over_time",
        "with the loss summed over time and averaged over the batch only",
        "A sum over T grows with the length of the text: average over both axes.",
    ),
    Fault(
        "summed_over_batch",
        "with the loss summed over the batch and averaged over time only",
        "A sum over B grows with the size of the batch: average over both axes.",
    ),
    Fault(
        "averaged_over_vocabulary",
        "with the loss averaged over the vocabulary too, so that it is V times too small",
        "Of the V products with a one-hot label only one is not 0: sum them, then average over B "
        "and T.",
    ),
)

RESULT = (
    Fault(
        "sign_turned",
        "with the sign of the loss flipped",
        "log p is negative, and the loss is -log p: the better the model, the smaller the loss.",
    ),
    Fault(
        "exponentiated",
        "with exp of the loss, the perplexity",
        "The task asks for the mean cross-entropy itself.",
    ),
)

LOSS = LABELS + MEASURE + COUNTED + REDUCTION + RESULT

GRADIENT = (
    Fault(
        "gradient_ascent",
        "with the sign of the gradients flipped, so that every step increases the loss",
        "The optimizer subtracts by itself; give it the gradients as they are.",
    ),
    Fault(
        "gradients_normalized",
        "with the gradients scaled to norm 1",
        "Leave their norm as it is: the optimizer decides how long a step is.",
    ),
    Fault(
        "gradients_clipped",
        "with the gradients clipped to a global norm of 1",
        "Clipping, where it is wanted, is part of the state's optimizer.",
    ),
)

RATES = {f"by_hand_{rate:g}": rate for rate in (1.0, 0.1, 0.01, 0.001, 0.0003)}

BY_HAND = tuple(
    Fault(
        id,
        f"when {rate:g} · gradient is subtracted by hand, ignoring the state's optimizer",
        "The state holds its optimizer, and can apply it to gradients.",
    )
    for id, rate in RATES.items()
)

UPDATE = (
    Fault(
        "state_unchanged",
        "when the state is returned unchanged: the update is lost",
        "A TrainState is immutable: the method that applies gradients returns a new one.",
    ),
    Fault(
        "params_unchanged",
        "with the old params in the new state",
        "The optimizer returns updates, not new params: they have to be added to the params.",
    ),
    Fault(
        "update_twice",
        "with the update applied twice",
        "One batch, one gradient, one update.",
    ),
    Fault(
        "opt_state_lost",
        "when the optimizer's new state is discarded",
        "Momentum is stored in opt_state: the new one belongs in the new state.",
    ),
    Fault(
        "opt_state_fresh",
        "with a newly initialized optimizer at every step",
        "Momentum is stored in opt_state: continue from the one in the state.",
    ),
    Fault(
        "state_created_anew",
        "with a new TrainState at every step, its opt_state initialized again and its step 0",
        "Continue from the state you were given: change only what the update changes.",
    ),
    *BY_HAND,
)

COUNT = (
    Fault(
        "step_not_counted",
        "without counting the step",
        "state.step is the number of updates; applying gradients increments it.",
    ),
)

RETURNED = (
    Fault(
        "loss_after_update",
        "with the loss computed after the update",
        "Return the loss that the gradient came from; a second forward pass is wasted.",
    ),
)

STEP = GRADIENT + UPDATE + COUNT + RETURNED
