"""The mistakes people make when a step is shared out (task 7), and what mends each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

BATCH = (
    Fault(
        "batch_split_over_time",
        "with the batch split along T in place of B",
        'Each device should get whole rows: the first axis is the one to split, P("data").',
    ),
    Fault(
        "batch_replicated",
        "with the whole batch on every device",
        'Then every device does all of the work. P("data") splits the first axis; P() splits none.',
    ),
    Fault(
        "batch_on_one_device",
        "with the batch left where it was",
        "jax.device_put with a NamedSharding sends each device its rows.",
    ),
)

STATE = (
    Fault(
        "state_sharded",
        "with the state split among the devices",
        "Each device needs all of the params for its rows: P() splits nothing.",
    ),
    Fault(
        "state_on_one_device",
        "with the state left where it was",
        "Each device needs a copy of all of it: a NamedSharding with P().",
    ),
    Fault(
        "only_params_placed",
        "with the params sent to every device, and the rest of the state left where it was",
        "The update needs the optimiser's memory on every device, too. jax.device_put takes the "
        "whole state at once.",
    ),
)

ROWS = (
    Fault(
        "rows_dropped",
        "with rows dropped until the rest can be shared out",
        "That throws data away in silence, and the loss is another batch's. Raise a ValueError.",
    ),
    Fault(
        "rows_padded",
        "with rows added until all can be shared out",
        "What is added would be learned from as well. Raise a ValueError.",
    ),
)

GRADIENT = (
    Fault(
        "first_share_only",
        "with the first share of the batch alone: the other rows are never learned from",
        "Every device works on rows of its own, and the mean is over all of them.",
    ),
    Fault(
        "gradients_not_averaged",
        "without averaging the gradient: every device follows its own share, and the copies of "
        "the params drift apart",
        'Average the gradient itself over "data", before the optimiser sees it. (With '
        "check_vma=False, averaging the loss that is differentiated does not average its "
        "gradient.)",
    ),
    Fault(
        "gradients_summed",
        "with the gradients of all devices summed in place of averaged, so that they are as many "
        "times too long as there are devices",
        "If you wrote jax.lax.psum, the mean is jax.lax.pmean. If you did write pmean: unless "
        "shard_map is told check_vma=False, jax.grad inside it has summed over the devices "
        "already, since the params are the same on all of them, and the mean of equal sums is "
        "still the sum.",
    ),
    Fault(
        "gradients_summed_twice",
        "with the gradients summed over the devices, and that sum summed once more",
        "Unless shard_map is told check_vma=False, jax.grad inside it sums over the devices "
        "already; a psum after it does so again. Asked for is the mean.",
    ),
    Fault(
        "gradients_averaged_twice",
        "with the gradients divided once too often by the number of devices",
        "pmean divides already, and so does the mean in the loss: one division for each.",
    ),
    Fault(
        "params_averaged",
        "with an update on each device by its own gradient, and the mean of the params after it",
        "The optimiser should see the mean gradient. After it, its memory differs from device to "
        "device, and a mean of params is another step for most optimisers.",
    ),
    Fault(
        "state_averaged",
        "with an update on each device by its own gradient, and the mean of the states after it",
        "The optimiser should see the mean gradient: Adam squares it, and a mean of squares is "
        "not the square of the mean.",
    ),
)

LOSS = (
    Fault(
        "loss_not_averaged",
        "with the loss of each device's own share in place of the mean over the batch",
        'The loss is the mean over all rows: it wants averaging over "data" as the gradient does.',
    ),
    Fault(
        "loss_summed_over_devices",
        "with the losses of all devices summed in place of averaged",
        "The loss is the mean over the whole batch, and so the mean of the shares' means.",
    ),
    Fault(
        "loss_averaged_twice",
        "with the loss divided once too often by the number of devices",
        "It is a mean already when it comes out of pmean.",
    ),
)

STEP = BATCH[:1] + STATE[:1] + GRADIENT + LOSS
