"""The mistakes people make in carrying weights over to NNX, and in training there (task 8)."""

from minigpt_challenge.coach.checks.diagnosis import Fault
from minigpt_challenge.coach.checks.faults.catalogue.step import BY_HAND, GRADIENT, RETURNED

BLOCKS_SHARED = Fault(
    "blocks_shared",
    "with one block applied num_layers times",
    "Each layer has weights of its own: make num_layers blocks, not one block many times.",
)
RNGS_REUSED = Fault(
    "rngs_reused",
    "with the same random numbers for several layers",
    "Hand on the `rngs` that you got: every layer takes new numbers from it.",
)
RNGS_IGNORED = Fault(
    "rngs_ignored",
    "with random numbers from somewhere else than `rngs`",
    "Hand on the `rngs` that you got: whoever makes the model chooses the seed.",
)
PARAMS_REPLACED = Fault(
    "params_replaced",
    "with plain arrays in place of `nnx.Param`s",
    "Only Params are trained: fill the one that is there, as in `part.kernel[...] = array`.",
)

SWAPPED = {
    fault: names
    for fault, *names in (
        (
            Fault(
                "query_key_swapped",
                "with the weights of query and key swapped on the way",
                "Each array belongs to the layer that has its name.",
            ),
            "query",
            "key",
        ),
        (
            Fault(
                "key_value_swapped",
                "with the weights of key and value swapped on the way",
                "Each array belongs to the layer that has its name.",
            ),
            "key",
            "value",
        ),
        (
            Fault(
                "query_value_swapped",
                "with the weights of query and value swapped on the way",
                "Each array belongs to the layer that has its name.",
            ),
            "query",
            "value",
        ),
        (
            Fault(
                "norms_swapped",
                "with the weights of a block's two LayerNorms swapped",
                "attention_norm is the one before attention, feed_forward_norm the other: look at "
                "where they are loaded, and at where they are used.",
            ),
            "attention_norm",
            "feed_forward_norm",
        ),
        (
            Fault(
                "scale_bias_swapped",
                "with scale and bias of every LayerNorm swapped on the way",
                "Both have the shape (C,), so nothing warns you: go by the names.",
            ),
            "scale",
            "bias",
        ),
    )
}

LAYERS = (
    Fault(
        "layers_reversed",
        "with the layers in reverse order",
        "blocks_0 is the first that x passes through.",
    ),
    Fault(
        "layers_all_first",
        "with the weights of blocks_0 in every layer",
        "Each layer has weights of its own: the number has to count along with the loop.",
    ),
    Fault(
        "layers_all_last",
        "with the weights of the last block in every layer",
        "Each layer has weights of its own; is a loop within a loop writing over them?",
    ),
    Fault(
        "layers_sorted_as_text",
        "with the layers sorted as text, blocks_10 before blocks_2",
        "Text is sorted letter by letter: turn the number behind `blocks_` into an integer.",
    ),
)

TRANSPOSED = Fault(
    "attention_kernels_transposed",
    "with the attention's kernels transposed",
    "A Linear of NNX keeps its kernel as a Dense of Linen does, (in, out): nothing is turned. "
    "(PyTorch has it the other way round.)",
)

LEFT_BEHIND = (
    Fault(
        "nothing_loaded",
        "with all weights of the model as they were before",
        "Load in place: change the model that you were given, not a copy or a dictionary of it.",
    ),
    Fault(
        "embedding_left_behind",
        "with the embedding's tables as they were before",
        "The embedding is part of the model, too.",
    ),
    Fault(
        "tokens_left_behind",
        "with the token table as it was before",
        "The embedding has two tables, and both are learned.",
    ),
    Fault(
        "positions_left_behind",
        "with the position table as it was before",
        "The embedding has two tables, and both are learned.",
    ),
    Fault(
        "blocks_left_behind",
        "with all blocks as they were before",
        "blocks_0, blocks_1 and so on want a place, too.",
    ),
    Fault(
        "first_layer_only",
        "with weights for the first layer only, the others as they were before",
        "Every layer is loaded: blocks_0, blocks_1 and so on.",
    ),
    Fault(
        "last_layer_left_behind",
        "with the last layer as it was before",
        "`range(n)` counts from 0 to n - 1, and there are num_layers layers.",
    ),
    Fault(
        "biases_left_behind",
        "with all biases as they were before",
        "A bias is a weight like any other: leave none behind.",
    ),
    Fault(
        "linear_biases_left_behind",
        "with the biases of all Linears as they were before",
        "Some Linears have a kernel and a bias, some a kernel alone: look at what the tree holds.",
    ),
    Fault(
        "norm_biases_left_behind",
        "with the biases of all LayerNorms as they were before",
        "A LayerNorm has a scale and a bias.",
    ),
    Fault(
        "norms_left_behind",
        "with all LayerNorms as they were before",
        "A LayerNorm learns a scale and a bias; they have to come along.",
    ),
    Fault(
        "attention_left_behind",
        "with the attention of every block as it was before",
        "A block has four parts: attention, feed-forward network and a norm for each.",
    ),
    Fault(
        "feed_forward_left_behind",
        "with the feed-forward network of every block as it was before",
        "A block has four parts: attention, feed-forward network and a norm for each.",
    ),
    Fault(
        "final_norm_left_behind",
        "with the last LayerNorm as it was before",
        'Behind the blocks stand two more parts, "norm" and "dense".',
    ),
    Fault(
        "output_left_behind",
        "with the last Linear as it was before",
        'Behind the blocks stand two more parts, "norm" and "dense".',
    ),
)

LOAD = (*SWAPPED, *LAYERS, TRANSPOSED, *LEFT_BEHIND)

UPDATE_LOST = Fault(
    "update_lost",
    "with model and optimizer as they were: nothing has been updated",
    "Is `optimizer.update(model, grads)` there at all? It changes both in place: give it the two "
    "that you got, not copies of them.",
)
JAX_JIT = Fault(
    "jax_jit",
    "with `jax.jit` in place of `nnx.jit`: it runs the step on copies, and the update is lost",
    "`nnx.jit` carries out of the function what changes inside it; `jax.jit` does not.",
)
TRAINING = (
    Fault(
        "params_unchanged",
        "with the optimizer moved on, and the model's weights as they were",
        "`optimizer.update` changes the model that it is given: that must be the one you got, no "
        "copy of it.",
    ),
    Fault(
        "optimizer_created_anew",
        "with a new optimizer at every step",
        "Momentum and the count of steps live in the optimizer: go on with the one that you got.",
    ),
    Fault("update_twice", "with the update applied twice", "One batch, one gradient, one update."),
    *(
        Fault(
            fault.id,
            fault.what.replace("the state's optimiser", "the optimizer that you got"),
            "The optimizer knows how to apply gradients to a model: `optimizer.update`.",
        )
        for fault in BY_HAND
    ),
    *GRADIENT[:2],
    Fault(
        "gradients_clipped",
        "with the gradients clipped to a global norm of 1",
        "Clipping, where it is wanted, is part of the optimizer that you got.",
    ),
    *RETURNED,
)
