"""The mistakes people make in the block and in the whole model (task 4), and what mends each."""

from minigpt_challenge.coach.checks.diagnosis import Fault

NORMS = (
    Fault(
        "post_norm",
        "with the norm after the residual sum, as in the first Transformer of 2017",
        "Here nothing stands on the residual path itself: norm what a sublayer reads, not the sum.",
    ),
    Fault(
        "norm_after_sublayer",
        "with the norm after each sublayer in place of before it",
        "The sublayer reads the norm of x; what it returns is added as it is.",
    ),
    Fault(
        "residual_normed",
        "with the normed x on the residual path",
        "Only the sublayer reads the norm; what its output is added to is x itself.",
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
        "Attention and feed-forward network each want a scale and bias of their own: two norms.",
    ),
    Fault(
        "norm_epsilon",
        "with 1e-5, PyTorch's epsilon, in a LayerNorm",
        "Leave every `nn.LayerNorm` at its defaults.",
    ),
    Fault(
        "norm_epsilon_is_hidden_dim",
        "with hidden_dim for the epsilon of the block's LayerNorms",
        "`nn.LayerNorm`'s first argument is its epsilon; it finds the width by itself, so call it "
        "without any.",
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
        "with RMSNorm in place of LayerNorm",
        "RMSNorm neither subtracts the mean nor has a bias; this model has LayerNorms.",
    ),
)

SUBLAYERS = (
    Fault(
        "attention_residual_missing",
        "without the residual around attention",
        "Attention's output is added to x, it does not take its place.",
    ),
    Fault(
        "feed_forward_residual_missing",
        "without the residual around the feed-forward network",
        "The feed-forward network's output is added to x, it does not take its place.",
    ),
    Fault(
        "residual_from_input",
        "adding the feed-forward network's output to the block's input, so that attention's part "
        "of the sum is lost",
        "The second sum goes on from the first: it adds to the x that attention was added to.",
    ),
    Fault(
        "sublayers_swapped",
        "with the feed-forward network before attention",
        "First the positions talk to each other, then each thinks for itself.",
    ),
    Fault(
        "sublayers_parallel",
        "with both sublayers reading the block's input",
        "The feed-forward network reads the x that attention has been added to already.",
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
        "EinsumMultiHeadAttention takes num_heads first; keywords cannot be swapped.",
    ),
)

BLOCK = NORMS + SUBLAYERS

WHOLE = (
    Fault(
        "first_block_only",
        "with one block in place of num_layers",
        "Each block reads what the one before it returned, until all of them have had their turn.",
    ),
    Fault(
        "blocks_shared",
        "with one block applied num_layers times",
        "Each layer has weights of its own: make num_layers blocks, not one block many times.",
    ),
    Fault(
        "blocks_unchained",
        "with every block reading the embedding, so that only the last block counts",
        "Each block reads what the one before it returned.",
    ),
    Fault(
        "blocks_with_residual",
        "with another residual around every block",
        "The residual sums are inside the block already.",
    ),
    Fault(
        "final_norm_missing",
        "without the last LayerNorm",
        "The sums on the residual path grow from block to block; a norm comes before the last "
        "Dense.",
    ),
    Fault(
        "final_norm_first",
        "with the last LayerNorm before the blocks in place of after them",
        "The blocks norm what they read; what is left to norm is what the last of them returns.",
    ),
    Fault(
        "final_norm_in_loop",
        "with the last LayerNorm after every block",
        "It comes once, after all blocks. (Is a line indented too far?)",
    ),
    Fault(
        "dense_missing",
        "without the last Dense",
        "The logits are one number for each token of the vocabulary: a Dense from C to V.",
    ),
    Fault(
        "dense_without_bias",
        "without the last Dense's bias",
        "Here the last Dense is at its defaults, with bias.",
    ),
    Fault(
        "dense_tied",
        "with the token table, transposed, in place of the last Dense",
        "GPT-2 shares that table; here the output layer is a Dense of its own, with bias.",
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
        "without the positions",
        "The embedding is the sum of two tables: what a token is, and where it stands.",
    ),
)
