"""Common mistakes in splitting a training step across devices (task 7), and how to fix each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

BATCH = (
    Fault(
        "batch_split_over_time",
        "with the batch split along T instead of B",
        'Each device should get whole rows: split the first axis, P("data").',
    ),
    Fault(
        "batch_replicated",
        "with the whole batch on every device",
        'Then every device does all of the work. P("data") splits the first axis; P() splits none.',
    ),
    Fault(
        "batch_on_one_device",
        "when the batch is left where it was",
        "jax.device_put with a NamedSharding sends each device its rows.",
    ),
)

STATE = (
    Fault(
        "state_sharded",
        "with the state split across the devices",
        "Each device needs all of the params for its rows: P() splits nothing.",
    ),
    Fault(
        "state_on_one_device",
        "when the state is left where it was",
        "Each device needs a full copy: a NamedSharding with P().",
    ),
    Fault(
        "only_params_placed",
        "when the params are sent to every device, and the rest of the state is left where it was",
        "The update needs the optimizer's state on every device, too. jax.device_put takes the "
        "whole state at once.",
    ),
)

ROWS = (
    Fault(
        "rows_dropped",
        "when rows are dropped until the rest can be split evenly",
        "That silently discards data, and the loss is that of another batch. Raise a ValueError.",
    ),
    Fault(
        "rows_padded",
        "when rows are added until all can be split evenly",
        "The model would learn from the added rows as well. Raise a ValueError.",
    ),
)

GRADIENT = (
    Fault(
        "first_share_only",
        "when only the first device's rows are used: the model never learns from the others",
        "Every device works on its own rows, and the mean is over all of them.",
    ),
    Fault(
        "gradients_not_averaged",
        "without averaging the gradient: every device follows its own rows, and the copies of the "
        "params drift apart",
        'Average the gradient itself over "data", before the optimizer sees it. (With '
        "check_vma=False, averaging the loss inside the differentiated function does not average "
        "its gradient.)",
    ),
    Fault(
        "gradients_summed",
        "with the gradients of all devices summed instead of averaged, so that n devices make them "
        "n times too large",
        "If you wrote jax.lax.psum, the mean is jax.lax.pmean. If you did write pmean: unless "
        "shard_map gets check_vma=False, jax.grad inside it has already summed over the devices, "
        "since the params are the same on all of them, and the mean of equal sums is still the "
        "sum.",
    ),
    Fault(
        "gradients_summed_twice",
        "with the gradients summed over the devices twice",
        "Unless shard_map gets check_vma=False, jax.grad inside it already sums over the devices; "
        "a psum after it sums again. The task asks for the mean.",
    ),
    Fault(
        "gradients_averaged_twice",
        "when the gradients are divided by the number of devices once too often",
        "The mean in the loss divides by the device's own rows, and pmean by the number of "
        "devices: divide by nothing else.",
    ),
    Fault(
        "params_averaged",
        "when each device updates with its own gradient and the params are averaged afterwards",
        "The optimizer should see the mean gradient. Otherwise its state differs from device to "
        "device, and for most optimizers averaging the params gives a different step.",
    ),
    Fault(
        "state_averaged",
        "when each device updates with its own gradient and the states are averaged afterwards",
        "The optimizer should see the mean gradient: Adam squares it, and a mean of squares is "
        "not the square of the mean.",
    ),
)

LOSS = (
    Fault(
        "loss_not_averaged",
        "with the loss over each device's own rows instead of the mean over the batch",
        'The loss is the mean over all rows: average it over "data", as you do the gradient.',
    ),
    Fault(
        "loss_summed_over_devices",
        "with the losses of all devices summed instead of averaged",
        "The loss is the mean over the whole batch, and so the mean of the devices' means.",
    ),
    Fault(
        "loss_averaged_twice",
        "when the loss is divided by the number of devices once too often",
        "What pmean returns is already a mean.",
    ),
)

STEP = BATCH[:1] + STATE[:1] + GRADIENT + LOSS
