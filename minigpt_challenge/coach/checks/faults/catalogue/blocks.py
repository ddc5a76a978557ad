"""Common mistakes in the block and in the whole model (task 4), and how to fix each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

NORMS = (
    Fault(
        "post_norm",
        "with the norm after the residual sum, as in the original Transformer of 2017",
        "Norm what a sublayer reads, not the sum: no norm is applied to the residual stream "
        "itself.",
    ),
    Fault(
        "norm_after_sublayer",
        "with the norm after each sublayer instead of before it",
        "The sublayer reads the norm of x; its output is added as it is.",
    ),
    Fault(
        "residual_normed",
        "when the residual connection adds the normed x instead of x",
        "Only the sublayer reads the normed x; its output is added to x itself.",
    ),
    Fault(
        "attention_norm_missing",
        "without the norm before attention",
        "Both sublayers read a normed x.",
    ),
    Fault(
        "feed_forward_norm_missing",
        "without the norm before the feed-forward network",
        "Both sublayers read a normed x.",
    ),
    Fault(
        "norms_shared",
        "with one LayerNorm for both sublayers",
        "Attention and the feed-forward network each need their own scale and bias: two norms.",
    ),
    Fault(
        "norm_epsilon",
        "with 1e-5, PyTorch's default epsilon, in a LayerNorm",
        "Leave every `nn.LayerNorm` at its defaults.",
    ),
    Fault(
        "norm_epsilon_is_hidden_dim",
        "with hidden_dim as the epsilon of the block's LayerNorms",
        "The first argument of `nn.LayerNorm` is its epsilon. It infers the width, so call it "
        "without arguments.",
    ),
    Fault(
        "norm_without_bias",
        "with LayerNorms that have no bias",
        "Leave `nn.LayerNorm` at its defaults: it has a scale and a bias.",
    ),
    Fault(
        "norm_without_scale",
        "with LayerNorms that have no scale",
        "Leave `nn.LayerNorm` at its defaults: it has a scale and a bias.",
    ),
    Fault(
        "rms_norm",
        "with RMSNorm instead of LayerNorm",
        "RMSNorm does not subtract the mean and has no bias; this model uses LayerNorm.",
    ),
)

SUBLAYERS = (
    Fault(
        "attention_residual_missing",
        "without the residual connection around attention",
        "Attention's output is added to x; it does not replace x.",
    ),
    Fault(
        "feed_forward_residual_missing",
        "without the residual connection around the feed-forward network",
        "The feed-forward network's output is added to x; it does not replace x.",
    ),
    Fault(
        "residual_from_input",
        "when the feed-forward network's output is added to the block's input, so that attention's "
        "output is missing from the sum",
        "The second sum continues from the first: it adds to the x that already includes "
        "attention's output.",
    ),
    Fault(
        "sublayers_swapped",
        "with the feed-forward network before attention",
        "Attention comes first and mixes the positions; then the feed-forward network processes "
        "each one separately.",
    ),
    Fault(
        "sublayers_parallel",
        "when both sublayers read the block's input",
        "The feed-forward network reads the x that already includes attention's output.",
    ),
    Fault(
        "attention_missing",
        "without attention",
        "A block has two sublayers: attention, then the feed-forward network.",
    ),
    Fault(
        "feed_forward_missing",
        "without the feed-forward network",
        "A block has two sublayers: attention, then the feed-forward network.",
    ),
    Fault(
        "heads_swapped",
        "with num_heads and head_dim swapped",
        "The attention takes num_heads first; keyword arguments cannot be swapped.",
    ),
)

BLOCK = NORMS + SUBLAYERS

WHOLE = (
    Fault(
        "first_block_only",
        "with one block instead of num_layers",
        "Each block reads the previous block's output: run all of them.",
    ),
    Fault(
        "blocks_shared",
        "with one block applied num_layers times",
        "Each layer has its own weights: create num_layers blocks, not one block used many times.",
    ),
    Fault(
        "blocks_unchained",
        "when every block reads the embedding, so that only the last block counts",
        "Each block reads the previous block's output.",
    ),
    Fault(
        "blocks_ignored",
        "when no block's result is used",
        "A block returns a new array and changes none: `x = block(x)`, for one after the other.",
    ),
    Fault(
        "blocks_with_residual",
        "with another residual connection around every block",
        "The block already contains its residual connections.",
    ),
    Fault(
        "final_norm_missing",
        "without the last LayerNorm",
        "The residual stream grows from block to block; a norm comes before the last Dense.",
    ),
    Fault(
        "final_norm_first",
        "with the last LayerNorm before the blocks instead of after them",
        "The blocks norm what they read; the last LayerNorm is for the last block's output.",
    ),
    Fault(
        "final_norm_in_loop",
        "with the last LayerNorm after every block",
        "Apply it once, after all blocks. (Is a line indented too far?)",
    ),
    Fault(
        "dense_missing",
        "without the last Dense",
        "The logits are one number for each token of the vocabulary: a Dense from C to V.",
    ),
    Fault(
        "dense_without_bias",
        "without the last Dense's bias",
        "Leave the last Dense at its defaults, with a bias.",
    ),
    Fault(
        "dense_tied",
        "with the transposed token table instead of the last Dense",
        "GPT-2 shares that table; here the output layer is a separate Dense with a bias.",
    ),
    Fault(
        "softmax_at_the_end",
        "with a softmax at the end",
        "The model returns logits; the softmax is part of the loss.",
    ),
    Fault(
        "log_softmax_at_the_end",
        "with a log_softmax at the end",
        "The model returns logits; the softmax is part of the loss.",
    ),
    Fault(
        "positions_forgotten",
        "without the position embedding",
        "The embedding is the sum of two rows: one for the token, one for its position.",
    ),
)
