"""Common mistakes in loading weights into an NNX model and training it (task 8), with fixes."""

from minigpt_challenge.coach.checks.diagnosis import Fault
from minigpt_challenge.coach.checks.faults.catalogue.step import BY_HAND, GRADIENT, RETURNED

BLOCKS_SHARED = Fault(
    "blocks_shared",
    "with one block applied num_layers times",
    "Each layer has its own weights: create num_layers blocks, not one block used many times.",
)
RNGS_REUSED = Fault(
    "rngs_reused",
    "with the same random numbers for several layers",
    "Pass on the `rngs` that you got: every layer draws new numbers from it.",
)
RNGS_IGNORED = Fault(
    "rngs_ignored",
    "with random numbers from a source other than `rngs`",
    "Pass on the `rngs` that you got: the caller chooses the seed.",
)
PARAMS_REPLACED = Fault(
    "params_replaced",
    "with plain arrays instead of `nnx.Param`s",
    "Only Params are trained: assign to the existing one, as in `part.kernel[...] = array`.",
)

SWAPPED = {
    fault: names
    for fault, *names in (
        (
            Fault(
                "query_key_swapped",
                "with the weights of query and key swapped during loading",
                "Each array belongs to the layer of the same name.",
            ),
            "query",
            "key",
        ),
        (
            Fault(
                "key_value_swapped",
                "with the weights of key and value swapped during loading",
                "Each array belongs to the layer of the same name.",
            ),
            "key",
            "value",
        ),
        (
            Fault(
                "query_value_swapped",
                "with the weights of query and value swapped during loading",
                "Each array belongs to the layer of the same name.",
            ),
            "query",
            "value",
        ),
        (
            Fault(
                "norms_swapped",
                "with the weights of a block's two LayerNorms swapped",
                "attention_norm comes before attention, feed_forward_norm before the feed-forward "
                "network: check where they are loaded, and where they are used.",
            ),
            "attention_norm",
            "feed_forward_norm",
        ),
        (
            Fault(
                "scale_bias_swapped",
                "with scale and bias of every LayerNorm swapped during loading",
                "Both have the shape (C,), so no error warns you: go by the names.",
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
        "Each layer has its own weights: the number in the name must follow the loop.",
    ),
    Fault(
        "layers_all_last",
        "with the weights of the last block in every layer",
        "Each layer has its own weights; does a nested loop overwrite them?",
    ),
    Fault(
        "layers_sorted_as_text",
        "with the layers sorted as text, blocks_10 before blocks_2",
        "Text is sorted character by character: turn the number after `blocks_` into an integer.",
    ),
)

TRANSPOSED = Fault(
    "attention_kernels_transposed",
    "with the attention kernels transposed",
    "An NNX Linear stores its kernel as a Linen Dense does, (in, out): do not transpose it. "
    "(PyTorch stores (out, in).)",
)

LEFT_BEHIND = (
    Fault(
        "nothing_loaded",
        "when no weights are loaded into the model",
        "Load in place: change the model that you were given, not a copy or a dictionary of it.",
    ),
    Fault(
        "embedding_left_behind",
        "when neither table of the embedding is loaded",
        "The embedding is part of the model, too.",
    ),
    Fault(
        "tokens_left_behind",
        "when the token table is not loaded",
        "The embedding has two tables, and both are learned.",
    ),
    Fault(
        "positions_left_behind",
        "when the position table is not loaded",
        "The embedding has two tables, and both are learned.",
    ),
    Fault(
        "blocks_left_behind",
        "when no block is loaded",
        "Load blocks_0, blocks_1 and so on, too.",
    ),
    Fault(
        "first_layer_only",
        "when only the first layer is loaded",
        "Load every layer: blocks_0, blocks_1 and so on.",
    ),
    Fault(
        "last_layer_left_behind",
        "when the last layer is not loaded",
        "`range(n)` counts from 0 to n - 1, and there are num_layers layers.",
    ),
    Fault(
        "biases_left_behind",
        "when no bias is loaded",
        "A bias is a weight like any other: load all of them.",
    ),
    Fault(
        "linear_biases_left_behind",
        "when no bias of a Linear is loaded",
        "Some Linears have a kernel and a bias, some only a kernel: look at what the tree holds.",
    ),
    Fault(
        "norm_biases_left_behind",
        "when no bias of a LayerNorm is loaded",
        "A LayerNorm has a scale and a bias.",
    ),
    Fault(
        "norms_left_behind",
        "when no LayerNorm is loaded",
        "A LayerNorm learns a scale and a bias: load both.",
    ),
    Fault(
        "attention_left_behind",
        "when no block's attention is loaded",
        "A block has four parts: attention, feed-forward network and a norm for each.",
    ),
    Fault(
        "feed_forward_left_behind",
        "when no block's feed-forward network is loaded",
        "A block has four parts: attention, feed-forward network and a norm for each.",
    ),
    Fault(
        "final_norm_left_behind",
        "when the last LayerNorm is not loaded",
        'After the blocks come two more parts, "norm" and "dense".',
    ),
    Fault(
        "output_left_behind",
        "when the last Linear is not loaded",
        'After the blocks come two more parts, "norm" and "dense".',
    ),
)

LOAD = (*SWAPPED, *LAYERS, TRANSPOSED, *LEFT_BEHIND)

UPDATE_LOST = Fault(
    "update_lost",
    "when model and optimizer stay as they were: nothing is updated",
    "Is `optimizer.update(model, grads)` there at all? It changes both in place: give it the two "
    "that you got, not copies of them.",
)
JAX_JIT = Fault(
    "jax_jit",
    "with `jax.jit` instead of `nnx.jit`: it runs the step on copies, and the update is lost",
    "`nnx.jit` passes changes made inside the function on to the caller's objects; `jax.jit` does "
    "not.",
)
TRAINING = (
    Fault(
        "params_unchanged",
        "when the optimizer is updated, but not the model's weights",
        "`optimizer.update` changes the model that it is given: give it the one that you got, not "
        "a copy.",
    ),
    Fault(
        "optimizer_created_anew",
        "with a new optimizer at every step",
        "The optimizer holds the momentum and the count of steps: use the one that you got.",
    ),
    Fault("update_twice", "with the update applied twice", "One batch, one gradient, one update."),
    *(
        Fault(
            fault.id,
            fault.what.replace("the state's optimizer", "the optimizer that you got"),
            "The optimizer can apply gradients to a model: `optimizer.update`.",
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
