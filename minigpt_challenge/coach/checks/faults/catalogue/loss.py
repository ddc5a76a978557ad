"""Cross-entropies that are right for small logits and overflow for large ones (task 5)."""

from minigpt_challenge.coach.checks.diagnosis import Fault

UNSTABLE = (
    Fault(
        "exp_overflows",
        "with exp applied to the logits as they are: in float32, exp(89) is already infinite",
        "Subtract the largest logit first, as `jax.nn.log_softmax` and optax's functions do.",
    ),
    Fault(
        "beyond_float32",
        "with intermediate values that float32 cannot represent: exp(89) is infinite, and the "
        "smallest probabilities are 0",
        "`jax.nn.log_softmax` and optax's functions compute log-probabilities without such values.",
    ),
)
